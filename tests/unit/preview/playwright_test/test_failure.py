import pytest

from gatehouse.core.errors import InfrastructureError, NotInstalled, ProductFailure, Unreachable, WrongSubject
from gatehouse.preview.playwright_test.ending import Ending
from gatehouse.preview.playwright_test.failure import Kind, Place, judged, not_run
from tests.support.playwright_events import ended, told

PLACE = Place("/checkout", "e2e/a.spec.ts:3", "pytest -m preview x", "npx playwright test a.spec.ts:3")


def attempt(*parameters, **changes):
    (found,) = told(ended("a", *parameters, **changes)).attempts["a"]
    return found


@pytest.mark.parametrize(
    ("given", "kind", "error"),
    [
        (attempt(), Kind.PASSED, None),
        (attempt("failed"), Kind.FAILED, ProductFailure),
        (attempt("timedOut"), Kind.FAILED, ProductFailure),
        (attempt("interrupted"), Kind.FAILED, ProductFailure),
        (attempt("failed", "failed"), Kind.EXPECTED_FAILURE, None),
        (attempt("passed", "failed"), Kind.FAILED, ProductFailure),
        (attempt("timedOut", "failed"), Kind.FAILED, ProductFailure),
        (attempt("skipped", "skipped"), Kind.SKIPPED, None),
        (attempt("skipped", "passed"), Kind.FAILED, ProductFailure),
        (attempt(left=["https://elsewhere.example.com/"]), Kind.FAILED, WrongSubject),
        (attempt("failed", left=["https://elsewhere.example.com/"]), Kind.FAILED, WrongSubject),
        (
            attempt("failed", message="Error: browserType.launch: Executable doesn't exist at /x"),
            Kind.FAILED,
            NotInstalled,
        ),
        (
            attempt("failed", message="Error: page.goto: net::ERR_CONNECTION_REFUSED at /"),
            Kind.FAILED,
            Unreachable,
        ),
        (
            attempt("failed", message="Error: expect(x)\n\nReceived: net::ERR_NAME_"),
            Kind.FAILED,
            ProductFailure,
        ),
    ],
)
def test_an_attempt_means_what_playwright_says_of_it(given, kind, error):
    found = judged(given, PLACE)

    assert found.kind is kind
    assert type(found.error) is (error or type(None))


@pytest.mark.parametrize(
    ("annotations", "reason"),
    [
        ([("skip", "not here")], "not here"),
        ([("fixme", "")], "fixme"),
        ([("skip", "a"), ("issue", "b"), ("skip", "c")], "a; c"),
        ([], "skipped"),
    ],
)
def test_a_skip_says_its_reason(annotations, reason):
    assert judged(attempt("skipped", "skipped", annotations=annotations), PLACE).reason == reason


def test_the_words_are_playwrights_without_colours_and_without_its_stack():
    message = "Error: \x1b[31mexpect\x1b[39m(x).toBe(y)\n\nExpected: 1\n    at /node_modules/a.js:1:2\nReceived: 2\n"

    error = judged(attempt("failed", message=message), PLACE).error

    assert error.summary == "expect(x).toBe(y)"
    assert error.seen == "Expected: 1\n    Received: 2"
    assert error.where == "e2e/a.spec.ts:3"
    assert "pytest -m preview x" in error.next_step
    assert "npx playwright test a.spec.ts:3" in error.next_step


@pytest.mark.parametrize(
    ("ending", "running", "kind", "words"),
    [
        (Ending(1), False, ProductFailure, "it did not run"),
        (
            Ending(-9),
            False,
            InfrastructureError,
            "it did not run: Playwright Test was killed by signal 9 (SIGKILL)",
        ),
        (Ending(-9), True, InfrastructureError, "it had begun and has no result: Playwright Test was killed"),
        (Ending(None, 5), True, InfrastructureError, "Playwright Test was ended after 5 s"),
        (Ending(-15, stopped=True), False, InfrastructureError, "Playwright Test was stopped with the run"),
        (None, False, InfrastructureError, "Playwright Test did not end"),
    ],
)
def test_a_test_without_a_result_is_a_failure_that_says_how_its_process_ended(ending, running, kind, words):
    error = not_run(ending, PLACE, running=running)

    assert type(error) is kind
    assert words in error.summary
