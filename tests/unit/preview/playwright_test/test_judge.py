import pytest

from gatehouse.core.errors import InfrastructureError, ProductFailure
from gatehouse.preview.playwright_test.ending import Ending
from gatehouse.preview.playwright_test.judge import Finished, judge
from gatehouse.preview.playwright_test.results import listed as named
from tests.support.playwright_events import ROOT, begin, begun, end, ended, error, listed, told


def problems(*shards, tests=("a", "b"), chosen=None):
    """What is wrong, for shards given as (exit code, events …)."""
    found = named([listed(each) for each in tests], ROOT)
    finished = [Finished(told(*events), Ending(code, 60, "its last words")) for code, *events in shards]
    return judge("e2e", found, tests if chosen is None else chosen, finished)


BOTH = (begin("a", "b"), ended("a"), ended("b"))


@pytest.mark.parametrize(
    ("code", "events", "words"),
    [
        (0, (*BOTH, end()), None),
        (1, (begin("a", "b"), ended("a"), ended("b", "failed"), end("failed")), None),
        (0, (begin("a", "b"), ended("a"), ended("b", "failed", retries=1), ended("b", retry=1), end()), None),
        (0, (begin("a", "b"), ended("a"), ended("b", "failed", "failed"), end()), None),
        (
            0,
            (begin("a", "b"), ended("a"), ended("b", "failed"), end()),
            "exit code 0, but 1 tests have failed",
        ),
        (1, (*BOTH, end("failed")), "exit code 1, but no test has failed"),
        (0, BOTH, "exit code 0 before it had come to its end"),
        (1, (*BOTH, error("Error: no teardown", "/x.ts", 4), end("failed")), "e2e: no teardown"),
        (1, (), "exit code 1 before any test: its last words"),
        (0, (begin("a"), ended("a"), end()), "e2e runs other tests than it lists"),
        (0, (begin("a", "b", "c"), ended("a"), ended("b"), ended("c"), end()), "e2e runs other tests than"),
        (-9, (begin("a", "b"), ended("a"), begun("b")), "was killed by signal 9 (SIGKILL)"),
        (
            137,
            (begin("a", "b"), ended("a"), begun("b")),
            "ended with exit code 137, as after signal 9 (SIGKILL)",
        ),
        (None, (begin("a", "b"), ended("a"), begun("b")), "was ended after 60 s, its time"),
        (-9, (), "was killed by signal 9"),
    ],
)
def test_a_run_is_believed_only_if_its_exit_code_its_results_and_its_list_agree(code, events, words):
    found = problems((code, *events))

    assert [words in each.summary for each in found] == ([True] if words else [])


def test_what_had_begun_when_it_was_killed_is_named():
    (problem,) = problems((-9, begin("a", "b"), ended("a"), begun("b")))

    assert isinstance(problem, InfrastructureError)
    assert problem.seen == "no result yet of: specs/a.spec.ts > b"


def test_missing_and_extra_tests_are_named():
    (problem,) = problems((0, begin("a", "c"), ended("a"), ended("c"), end()))

    assert isinstance(problem, ProductFailure)
    assert problem.seen == "missing: specs/a.spec.ts > b; extra: specs/a.spec.ts > c"


def test_tests_that_were_not_chosen_need_not_run_and_may():
    assert problems((0, begin("a"), ended("a"), end()), chosen={"a"}) == []
    assert problems((0, *BOTH, end()), chosen={"a"}) == []


def test_shards_are_judged_together():
    assert problems((0, begin("a"), ended("a"), end()), (0, begin("b"), ended("b"), end())) == []
    assert problems((0, begin("a"), ended("a"), end()), (0, begin(), end())) != []


def test_a_test_that_fails_when_its_serial_group_runs_again_is_named():
    events = (
        begin("a", "b"),
        ended("a", retries=1),
        ended("b", "failed", retries=1),
        ended("a", "failed", retry=1, retries=1),
        end("failed"),
    )

    assert "failed when its group ran again: specs/a.spec.ts > a" in problems((1, *events))[0].summary


def test_a_teardown_that_was_not_chosen_and_failed_is_named():
    tests = [listed("a", project="shop"), listed("b", project="clean-up")]
    events = (begin(*tests), ended("a"), ended("b", "failed"), end("failed"))

    (problem,) = judge("e2e", named(tests, ROOT), {"a"}, [Finished(told(*events), Ending(1))])

    assert "before or after the chosen tests failed: specs/a.spec.ts > b [clean-up]" in problem.summary
