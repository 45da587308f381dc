import pytest

from gatehouse.evidence.results import Status, read_results
from tests.support.bundles import failure, phases

TEST = "suites/smoke/test_a.py::one"


def results(*events, collected=(TEST,)):
    return read_results(
        [
            {"event": "run_started"},
            {"event": "collected", "items": [{"id": each} for each in collected]},
            *({"event": "phase", **event} for event in events),
        ]
    )


def status(*events):
    return results(*events).tests[TEST].status


def phase(name, outcome="passed", **more):
    return {"test": TEST, "attempt": 1, "phase": name, "outcome": outcome, "seconds": 0.1, **more}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (phases(TEST), Status.PASSED),
        (phases(TEST, outcome="failed", failure=failure()), Status.FAILED),
        (phases(TEST, outcome="skipped"), Status.SKIPPED),
        ([phase("setup", "failed", failure=failure())], Status.ERROR),
        ([phase("setup"), phase("call"), phase("teardown", "failed", failure=failure())], Status.ERROR),
        ([phase("setup"), phase("call", "skipped", xfail=True)], Status.XFAILED),
        ([phase("setup"), phase("call", "passed", xfail=True)], Status.XPASSED),
        ([phase("setup"), phase("crash", "failed", failure=failure())], Status.CRASHED),
        ([phase("setup"), phase("subtest", "failed", failure=failure()), phase("call")], Status.FAILED),
        ([phase("setup"), phase("call", "failed", failure=failure()), phase("teardown")], Status.FAILED),
        ([phase("setup")], Status.NOT_RUN),
        ([], Status.NOT_RUN),
    ],
)
def test_what_became_of_a_test(events, expected):
    assert status(*events) is expected


def test_the_last_attempt_counts_and_the_earlier_ones_stay_visible():
    test = results(*phases(TEST, outcome="failed", failure=failure()), *phases(TEST, attempt=2)).tests[TEST]

    assert test.status is Status.PASSED
    assert [attempt.status for attempt in test.attempts] == [Status.FAILED, Status.PASSED]


def test_a_result_of_something_never_collected_is_no_pass_of_anything():
    found = results(*phases("suites/smoke/test_a.py::forged"))

    assert found.unexpected[0].endswith("::forged")
    assert found.tests[TEST].status is Status.NOT_RUN


def test_every_state_is_counted_and_the_bad_ones_are_red():
    found = results(*phases(TEST, outcome="failed", failure=failure()), collected=(TEST, "b"))

    assert found.counts == {"collected": 2, "failed": 1, "not run": 1}
    assert [test.id for test in found.red] == [TEST, "b"]


def test_events_of_a_newer_version_are_passed_over():
    assert read_results([{"event": "run_started"}, {"event": "unheard_of", "x": 1}]).tests == {}
