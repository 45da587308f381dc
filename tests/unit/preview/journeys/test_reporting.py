import threading
from types import SimpleNamespace

import pytest

from gatehouse.core.errors import Unreachable
from gatehouse.preview.journeys import reporting
from gatehouse.preview.journeys.findings import Journey
from gatehouse.preview.journeys.reporting import TITLE, FailureReports

TEST = "suites/preview/test_a.py::test_b"


def failing(when="call", node=TEST, summary="wrong"):
    return SimpleNamespace(
        nodeid=node, when=when, gatehouse_preview=True, gatehouse_failure={"summary": summary}, sections=[]
    )


def ended(node=TEST, journey=None, **more):
    return SimpleNamespace(
        nodeid=node,
        when="teardown",
        gatehouse_journey=(journey or Journey()).as_data(),
        gatehouse_commands=[f"{node} --headed"],
        sections=[],
        **more,
    )


@pytest.fixture
def reports():
    """Makes the reports of a run; `.events` are what they write."""
    made = []

    def reports(look=lambda: ["all is well"]):
        events = []
        made.append(
            FailureReports(look, lambda name, **data: events.append((name, data)), ["pytest", "-m", "x"])
        )
        made[-1].events = events
        return made[-1]

    yield reports
    for each in made:
        each.close()


def test_a_failure_is_reported_with_the_teardown_with_how_the_system_was_at_the_failure(reports):
    moments = iter([["Application shop is Degraded"], ["too late"]])
    told, last = reports(lambda: next(moments)), ended(journey=Journey(steps=["Click"]))

    told.heard(failing())
    told.heard(last)

    ((title, text),) = last.sections
    assert title == TITLE
    assert text.splitlines() == [
        "failed: wrong",
        "last steps: Click",
        "deployed system at that moment: Application shop is Degraded",
        f"run again: pytest -m x {TEST} --headed",
    ]
    assert told.events == [
        ("deployed_system", {"test": TEST, "lines": ["Application shop is Degraded"]}),
        ("failure_report", {"test": TEST, "text": text}),
    ]


def test_the_terminal_is_shown_no_secret():
    told, last = (
        FailureReports(lambda: [], lambda *_, **__: None, [], lambda text: text.replace("wrong", "*")),
        ended(),
    )
    told.heard(failing())
    told.heard(last)
    told.close()

    assert last.sections[0][1].startswith("failed: *")


def test_a_test_that_passes_or_is_none_of_the_previews_has_no_report(reports):
    told, last = reports(), ended()
    told.heard(SimpleNamespace(nodeid=TEST, when="call", sections=[]))
    told.heard(last)

    assert (last.sections, told.events) == ([], [])


def test_a_failing_teardown_after_a_failing_test_leaves_the_first_failure_on_top(reports):
    told = reports()
    last = ended(gatehouse_preview=True, gatehouse_failure={"summary": "second"})
    told.heard(failing(summary="first"))
    told.heard(last)

    assert last.sections[0][1].startswith("failed: first")
    assert [name for name, _ in told.events].count("deployed_system") == 1


def test_a_teardown_that_fails_alone_is_reported_with_itself(reports):
    told, last = reports(), ended(gatehouse_preview=True, gatehouse_failure={"summary": "left behind"})
    told.heard(last)

    assert last.sections[0][1].startswith("failed: left behind")


def test_each_attempt_has_a_report_of_its_own(reports):
    told = reports()
    for summary in ("first", "second"):
        rerun = failing(summary=summary)
        rerun.gatehouse_journey, rerun.gatehouse_commands = Journey().as_data(), [TEST]
        told.heard(rerun)

    assert [data["text"].splitlines()[0] for name, data in told.events if name == "failure_report"] == [
        "failed: first",
        "failed: second",
    ]


def test_tests_that_fail_at_the_same_time_are_told_apart(reports):
    told, first, second = reports(), ended("a::one"), ended("a::two")
    told.heard(failing(node="a::one", summary="one is wrong"))
    told.heard(failing(node="a::two", summary="two is wrong"))
    told.heard(second)
    told.heard(first)

    assert first.sections[0][1].startswith("failed: one is wrong")
    assert second.sections[0][1].startswith("failed: two is wrong")


def test_a_system_that_does_not_answer_is_asked_once_and_costs_no_more_than_that(reports, monkeypatch):
    monkeypatch.setattr(reporting, "LOOK_TIMEOUT", 0.05)
    asked, go_on = [], threading.Event()

    def look():
        asked.append(1)
        go_on.wait(30)
        return []

    told = reports(look)
    for number in range(20):
        told.heard(failing(node=f"a::{number}"))
    go_on.set()

    lines = [data["lines"] for _, data in told.events]
    assert "could not be told within" in lines[0][0]
    assert lines[1:] == [["not asked again: it did not answer before"]] * 19
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unreachable("Argo CD did not answer"), "Argo CD did not answer"),
        (KeyError("spec"), "KeyError: 'spec'"),
    ],
)
def test_a_look_that_fails_is_told_in_words_and_breaks_nothing(reports, error, words):
    def look():
        raise error

    told, last = reports(look), ended()
    told.heard(failing())
    told.heard(last)

    assert f"deployed system at that moment: could not be told: {words}" in last.sections[0][1]


def test_a_system_that_failed_to_answer_is_asked_again_for_the_next_test(reports):
    answers = iter([Unreachable("no"), None])

    def look():
        if error := next(answers):
            raise error
        return ["all is well"]

    told = reports(look)
    told.heard(failing(node="a::one"))
    told.heard(failing(node="a::two"))

    assert told.events[-1][1]["lines"] == ["all is well"]
