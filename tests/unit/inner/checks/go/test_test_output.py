"""What is read out of recorded output of `go test -json`."""

import json

from gatehouse.inner.model import Outcome
from tests.support.go_modules import FILES
from tests.support.inner_checks import places, result


def events(*each):
    return "\n".join(json.dumps(event) for event in each)


def out(text, test="TestA", package="example.org/m/sub", **more):
    return {"Action": "output", "Package": package, "Test": test, "Output": text, **more}


RUN = {"Action": "run", "Package": "example.org/m/sub", "Test": "TestA"}

FAIL = {"Action": "fail", "Package": "example.org/m/sub", "Test": "TestA", "Elapsed": 0.5}


def test_the_last_place_of_a_failing_test_counts_as_earlier_ones_are_logging(checkout):
    text = events(
        RUN, out("    a_test.go:6: a log\n"), out("    a_test.go:7: got 1,\n"), out("        want 2\n"), FAIL
    )

    outcome = result(checkout(FILES).checks["go-test"], text, code=1)

    assert places(outcome) == ["m/sub/a_test.go:7: TestA: got 1, want 2"]


def test_what_go_marks_as_an_error_counts_before_logging_after_it(checkout):
    text = events(
        RUN, out("    a_test.go:7: wrong\n", OutputType="error"), out("    a_test.go:9: cleaning up\n"), FAIL
    )

    assert places(result(checkout(FILES).checks["go-test"], text, code=1)) == [
        "m/sub/a_test.go:7: TestA: wrong"
    ]


def test_the_message_of_testifys_table_is_its_error(checkout):
    table = (
        "    a_test.go:12: \n",
        "        \tError Trace:\t/x/a_test.go:12\n",
        "        \tError:      \tNot equal: \n",
        "        \t            \texpected: 1\n",
        "        \tTest:       \tTestA\n",
    )

    outcome = result(checkout(FILES).checks["go-test"], events(RUN, *map(out, table), FAIL), code=1)

    assert places(outcome) == ["m/sub/a_test.go:12: TestA: Not equal: expected: 1"]


def test_go_test_that_runs_no_test_is_no_pass(checkout):
    outcome = result(checkout(FILES).checks["go-test"], events({"Action": "pass", "Package": "x"}))

    assert (outcome.outcome, outcome.reason) == (Outcome.FAILED, "exit code 0, but no test ran")


def test_a_listing_of_nothing_is_no_pass(checkout):
    outcome = result(checkout(FILES).checks["go-listing"], events({"Action": "skip", "Package": "x"}))

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome) == [
        "m/go.mod: listing: the test runner lists no test, although there are test files"
    ]
