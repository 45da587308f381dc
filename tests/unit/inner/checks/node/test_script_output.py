"""What is read out of the output of scripts."""

import pytest

from gatehouse.inner.checks.node.output import counted
from gatehouse.inner.judge import NOT_COUNTED
from gatehouse.inner.model import Outcome
from tests.support.inner_checks import done, places, result


def test_an_absent_dependency_is_not_installed_and_an_unknown_name_is_a_failure(checkout):
    made = checkout({"test": "./x"}, files={"p/a.js": "\n"}, dependencies={"left": "1"})
    (made.root / "p/node_modules").mkdir()
    (made.root / "p/node_modules/.package-lock.json").touch()
    check = made.checks["node-test"]

    absent = result(check, "", "Error: Cannot find module 'left/sub'\n", 1)
    unknown = result(check, "", f"Error: Cannot find module 'lefty'\n    at x ({made.root}/p/a.js:1:2)\n", 1)

    assert (absent.outcome, absent.reason) == (Outcome.NOT_INSTALLED, "the dependency left is not installed")
    assert places(unknown) == ["p/a.js:1:2: Error: Cannot find module 'lefty'"]


def test_jests_text_is_read_from_a_script(checkout):
    made = checkout({"test": "./x && jest"}, files={"p/a.test.js": "\n"})
    text = (
        "FAIL ./a.test.js\n  \u25cf adds up\n\n    expect(received).toBe(expected)\n\n    Expected: 2\n"
        "      at Object.toBe (a.test.js:1:29)\n\nTests:       1 failed, 1 total\n"
    )

    outcome = result(made.checks["node-test"], "", text, 1)

    assert places(outcome) == ["p/a.test.js:1:29: adds up: expect(received).toBe(expected)"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Tests:       1 failed, 1 skipped, 2 passed, 4 total", 3),
        (" Test Files  1 passed (1)\n      Tests  2 failed | 3 passed | 1 skipped (6)", 5),
        ("# tests 3\n# suites 0\n# pass 2\n# fail 1", 3),
        ("\u2139 tests 2\n\u2139 pass 2\n\u2139 fail 0", 2),
        ("  2 passing (5ms)\n  1 pending\n  1 failing\n", 3),
        ("  0 passing (1ms)", 0),
        ("  4 tests passed", 4),
        ("# tests 2\n# pass  2\n\n# ok", 2),
        ("No tests found, exiting with code 0", 0),
        ("No test files found, exiting with code 0", 0),
        ("all good", None),
    ],
)
def test_tests_are_counted_by_the_summaries_of_well_known_runners(text, count):
    assert counted(text) == count


def test_a_script_whose_runner_says_that_no_test_ran_is_no_pass(checkout):
    check = checkout({"test": "./x && jest --passWithNoTests"}).checks["node-test"]

    assert result(check, "No tests found, exiting with code 0\n").outcome is Outcome.FAILED


def test_a_pass_of_a_script_that_does_not_tell_whether_a_test_ran_is_said_not_to_be_counted(checkout):
    check = checkout({"test": "./x"}).checks["node-test"]

    unknown, counted_by_it = result(check, "a runner nobody knows\n"), result(check, "  4 tests passed\n")

    assert (unknown.outcome, unknown.reason) == (Outcome.PASSED, NOT_COUNTED)
    assert (counted_by_it.outcome, counted_by_it.reason) == (Outcome.PASSED, "")


def test_a_lint_script_has_no_tests_to_count(checkout):
    assert result(checkout({"lint": "./x"}).checks["node-lint"]).reason == ""


def test_a_script_that_prints_tap_tells_each_test_and_where_it_failed(checkout):
    check = checkout({"test": "./x && tape test/*.js"}, files={"p/a.js": "\n"}).checks["node-test"]
    text = "TAP version 13\n# adds\nok 1 yes\nnot ok 2 equal\n  ---\n    at: x ({root}/p/a.js:1:2)\n  ...\n1..2\n"

    outcome = result(check, text.replace("{root}", str(check.package.root)), code=1)

    assert places(outcome) == ["p/a.js:1:2: adds: equal"]
    assert [test.id for test in outcome.tests] == ["adds > yes", "adds > equal"]


def test_a_script_whose_tests_end_early_is_no_pass_although_it_exits_with_0(checkout):
    check = checkout({"test": "./x"}).checks["node-test"]

    outcome = result(check, "TAP version 13\n# adds\nok 1 yes\n")

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome) == [
        "p/package.json: tap: the tests ended early: 1 have a result, and their number is not announced"
    ]


def test_what_a_program_printed_explains_why_its_tests_ended_early(checkout):
    check = checkout({"test": "./x | tee y"}, files={"p/a.js": "\n"}).checks["node-test"]
    crash = f"{check.package.root}/p/a.js:1\nx y\n\nSyntaxError: Unexpected identifier\n    at wrap (node:vm:1:2)\n"

    outcome = result(check, "TAP version 13\n# adds\n", crash, 1)

    assert places(outcome) == ["p/a.js:1: SyntaxError: Unexpected identifier"]


def test_tap_that_is_too_long_to_be_kept_is_counted_by_its_summary(checkout):
    check = checkout({"test": "./x"}).checks["node-test"]
    text = "TAP version 13\nok 1 a\n[cut]\n1..9\n# tests 9\n# pass  8\n# fail  1\n"

    parsed = check.parse(check, done(check, text, truncated=True))

    assert (parsed.executed, parsed.findings) == (9, ())


def test_eslints_text_is_read_from_a_script_with_terminal_colours(checkout):
    made = checkout({"lint": "./x && eslint ."}, files={"p/a.js": "x"})
    text = (
        f"\x1b[4m{made.root}/p/a.js\x1b[24m\n  1:7   \x1b[31merror\x1b[39m    'x' is unused  no-unused-vars\n"
    )

    assert places(result(made.checks["node-lint"], text, code=1)) == [
        "p/a.js:1:7: no-unused-vars: 'x' is unused"
    ]
