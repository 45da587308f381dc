import pytest

from gatehouse.evidence.digest import LIMIT, flaky_notes, make_digest
from gatehouse.evidence.results import read_results
from tests.support.bundles import failure, phases


def digest(tests, *extra, exit_status=1, command=("pytest", "-m", "smoke")):
    events = [
        {"event": "run_started", "suites": ["smoke"]},
        {"event": "collected", "items": [{"id": each} for each in tests]},
        *({"event": "phase", **event} for events in tests.values() for event in events),
        *extra,
    ]
    return make_digest(read_results(events), exit_status, "reports/r", command)


def failing(test, *arguments, **more):
    return phases(test, outcome="failed", failure=failure(*arguments, **more))


def test_a_pass_is_two_lines():
    assert digest({"a": phases("a")}, exit_status=0).lines() == [
        "smoke: passed (1 passed)",
        "evidence: reports/r",
    ]


def test_a_failure_ends_with_the_first_error_and_the_command_to_run_again():
    lines = digest({"a": phases("a"), "t.py::b c": failing("t.py::b c", next="repair it")}).lines()

    assert lines == [
        "smoke: failed (1 failed, 1 passed)",
        "evidence: reports/r",
        "first error (product): t.py::b c",
        "  it broke",
        "  next: repair it",
        "run again: pytest -m smoke 't.py::b c'",
    ]


def test_what_explains_the_others_comes_first_and_the_rest_is_counted():
    found = digest(
        {"a": failing("a", "product"), "b": failing("b", "environment"), "c": failing("c", "infrastructure")}
    )

    assert found.first_error.test == "b"
    assert found.more == 2


@pytest.mark.parametrize(
    ("tests", "exit_status", "verdict"),
    [
        ({}, 5, "nothing ran"),
        ({"a": phases("a", outcome="skipped")}, 0, "nothing ran"),
        ({"a": phases("a")}, 1, "failed"),
        ({"a": phases("a")}, 2, "interrupted"),
        ({"a": []}, 0, "failed"),
        ({"a": phases("a")}, 0, "passed"),
    ],
)
def test_the_verdict_never_says_more_than_the_record_and_the_exit_status(tests, exit_status, verdict):
    assert digest(tests, exit_status=exit_status).verdict == verdict


def test_a_problem_of_the_run_as_a_whole_is_an_error_without_a_test():
    found = digest({}, {"event": "problem", "failure": failure("environment", "no browser")})

    assert found.first_error.test == "the run as a whole"
    assert found.first_error.rerun == "pytest -m smoke"


def test_the_text_for_agents_is_short_whatever_the_error():
    long = digest({"a": failing("a", summary="x" * 10_000, details="\n".join(["y" * 1000] * 100))})

    assert len(long.markdown()) <= LIMIT
    assert long.markdown().rstrip().endswith("run again: pytest -m smoke a")


def test_terminal_control_sequences_of_tools_are_taken_out():
    found = digest({"a": failing("a", summary="\x1b[2J\x1b]0;title\x07red\x1b[0m")})

    assert "\x1b" not in found.markdown()
    assert "\x07" not in found.markdown()


def test_what_passed_only_on_a_retry_is_named():
    tests = ["a", "b", "c", "d", "e"]
    events = [{"event": "collected", "items": [{"id": each} for each in tests]}]
    for test in tests:
        events += [{"event": "phase", **each} for each in failing(test)]
        events += [{"event": "phase", **each, "attempt": 2} for each in phases(test)]
    steady = [
        {"event": "collected", "items": [{"id": "a"}]},
        *({"event": "phase", **each} for each in phases("a")),
    ]

    assert flaky_notes(read_results(events)) == ["flaky: 5 passed only on a retry: a; b; c and 2 more"]
    assert flaky_notes(read_results(steady)) == []
