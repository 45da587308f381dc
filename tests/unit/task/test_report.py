import json

import pytest

from gatehouse.core.command_result import CommandResult
from gatehouse.core.errors import FailureClass, InfrastructureError, LeakFound, ProductFailure
from gatehouse.core.task_settings import TaskSettings
from gatehouse.task.evidence_copy import Copied, Refused
from gatehouse.task.handoff import FOLLOW_UP, PATCH, collect, follow_up
from gatehouse.task.provenance import Provenance
from gatehouse.task.report import TaskReport, command_failure, exit_words


def ended(code, **changes):
    return CommandResult(("true",), b"out", b"err", code, "kubernetes exec status", channel="exec", **changes)


def report_with(**errors):
    report = TaskReport("gate-task-1")
    for name, error in errors.items():
        report.phases[name.replace("_", " ")].error = error
    return report


def test_a_command_that_ended_with_0_has_not_failed():
    assert command_failure(ended(0), "") is None


@pytest.mark.parametrize(
    ("result", "kind", "words"),
    [
        (ended(3), ProductFailure, "ended with exit code 3"),
        (ended(137), ProductFailure, "exit code 137 (SIGKILL)"),
        (ended(None), InfrastructureError, "is not known"),
        (ended(None, timed_out=True, seconds=5.0), ProductFailure, "did not end within its 5 s"),
        (ended(0, timed_out=True, seconds=5.0), ProductFailure, "did not end"),
    ],
)
def test_how_a_command_ended_decides_who_was_at_fault(result, kind, words):
    error = command_failure(result, "workspace")

    assert isinstance(error, kind)
    assert words in error.summary
    assert "err" in error.seen


def test_an_exit_code_beyond_all_signals_is_only_a_number():
    assert exit_words(255) == "exit code 255"


def test_the_first_phase_that_failed_decides_and_a_leak_comes_last():
    leak = LeakFound("a claim is still there")

    assert TaskReport("x").outcome == "passed"
    assert report_with(teardown=leak).outcome == FailureClass.LEAK
    assert report_with(command=ProductFailure("failed"), teardown=leak).outcome == FailureClass.PRODUCT
    assert report_with(start=InfrastructureError("no answer")).outcome == FailureClass.INFRASTRUCTURE


def test_the_report_is_plain_data_without_the_contents_of_files():
    report = report_with(command=ProductFailure("failed"))
    report.command = ended(3)
    report.evidence = [Copied("out.txt", b"secret text", "abc")]
    report.refused = [Refused("other.txt", "there is no such file", required=False)]
    report.provenance = Provenance("task", "1", "/x")

    data = json.loads(json.dumps(report.as_data()))
    assert data["outcome"] == "product"
    assert data["command"]["exit_code_source"] == "kubernetes exec status"
    assert data["evidence"] == [{"path": "out.txt", "bytes": 11, "sha256": "abc"}]
    assert data["refused"] == [{"path": "other.txt", "why": "there is no such file", "required": False}]
    assert "secret text" not in str(data)


def test_what_cannot_be_collected_is_said_and_keeps_nothing_else_away():
    report = TaskReport("x")

    def lost():
        raise InfrastructureError("no answer", seen="connection reset")

    collect({"a.log": lost, "b.log": lambda: b"text", PATCH: lambda: b"x" * (17 * 1024 * 1024)}, report)

    assert report.handoff == {"b.log": b"text"}
    assert report.not_collected["a.log"] == "no answer (connection reset)"
    assert "at most" in report.not_collected[PATCH]


def test_the_note_for_a_person_says_what_was_run_how_it_ended_and_how_to_go_on():
    report = report_with(
        command=ProductFailure("the task's command ended with exit code 3", next_step="look")
    )
    report.command, report.channel_reason = ended(3), "the task says so"
    report.provenance = Provenance("task", "1", "/x", commit="abc123", ref="main")
    report.handoff = {PATCH: b"diff"}
    report.not_collected = {"agent.log": "no answer"}

    note = follow_up(TaskSettings(template="task", repository="https://x/y.git", command="make test"), report)

    for words in ("sh -c 'make test'", "exit code 3, by kubernetes exec status", "git checkout abc123"):
        assert words in note
    assert "git apply --index ../changes.patch" in note
    assert "not here: agent.log: no answer" in note
    assert FOLLOW_UP not in note
