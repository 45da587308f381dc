"""The whole life of one task, from the ledger's line to the proof, as a report that comes whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gatehouse.coder.client import CoderClient
from gatehouse.core.command_result import CommandResult
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import GatehouseError
from gatehouse.core.task_settings import TaskSettings
from gatehouse.task import handoff, result_file
from gatehouse.task.change import WorkspaceCheckout, changes_of, judge_change, patch_of, require_kept
from gatehouse.task.evidence_copy import copy_out, require_taken
from gatehouse.task.launcher import TaskLauncher
from gatehouse.task.report import PHASES, TaskReport, command_failure
from gatehouse.task.running import Task
from gatehouse.task.shell import ask_whole


def perform(
    launcher: TaskLauncher, coder: CoderClient, definition: TaskSettings, report: TaskReport | None = None
) -> TaskReport:
    """Run one task to its end. What goes wrong is in the report; only an interrupt is raised, after the teardown.

    Who gives a `report` has what is known so far also after an interrupt.
    """
    report = report or TaskReport(name="")
    before = set(launcher.outstanding)
    task: Task | None = None
    try:
        with _phase(report, "start", launcher):
            task = launcher.begin(definition=definition, runs_command=True)
        if task is not None:
            _note(report, task)
            with _phase(report, "provenance", launcher):
                launcher.prove(task)
            report.provenance = task.provenance
            if report.error is None:
                _work(launcher, report, task)
            if report.error is not None:
                _hand_over(coder, report, task, Deadline.after(definition.budgets.evidence, launcher.clock))
    finally:
        name = next(iter(set(launcher.outstanding) - before), "")
        report.name = report.name or name
        if name:
            with _phase(report, "teardown", launcher):
                report.proof = launcher.destroy(name)
                if report.proof:
                    report.proof.require_clean()
    return report


def _work(launcher: TaskLauncher, report: TaskReport, task: Task) -> None:
    """Command, evidence and guard rails, each whatever became of the one before it."""
    settings = task.definition
    with _phase(report, "command", launcher):
        report.command = launcher.run_command(task)
        report.provenance = task.provenance
        if error := command_failure(report.command, f"workspace {task.name}, {task.directory}"):
            raise error
    deadline = Deadline.after(settings.budgets.evidence, launcher.clock)
    with _phase(report, "evidence", launcher):
        report.evidence, report.refused = copy_out(
            task.shell, task.directory, settings.evidence, settings.evidence_bytes, deadline
        )
        _read_result(launcher, report, task)
        require_taken(report.refused, task.name)
    if settings.guard_rails:
        with _phase(report, "guard rails", launcher):
            _judge_change(report, task, deadline)


def _read_result(launcher: TaskLauncher, report: TaskReport, task: Task) -> None:
    contract = task.definition.result
    if contract is None:
        return
    result = result_file.read_result(launcher.pull(task, contract.path), contract.path)
    result_file.require_consistent(
        result,
        succeeded=_succeeded(report.command),
        opens_pull_request=contract.opens_pull_request,
        path=contract.path,
    )


def _succeeded(command: CommandResult | None) -> bool:
    return command is not None and command.ok


def _judge_change(report: TaskReport, task: Task, deadline: Deadline) -> None:
    base = task.provenance.commit if task.provenance else ""
    checkout = _checkout(task, deadline)
    if not base:  # with the channel script nobody could ask before the command
        base = checkout.git("rev-parse", "--verify", "@{upstream}").strip()
    changes, _ = changes_of(checkout, base)
    examination = judge_change(checkout, base, changes, task.definition.profile, datetime.now(UTC).date())
    report.guard_rails = examination.as_data()
    require_kept(examination)


def _checkout(task: Task, deadline: Deadline) -> WorkspaceCheckout:
    return WorkspaceCheckout(Path(task.directory), task.shell, deadline)


def _hand_over(coder: CoderClient, report: TaskReport, task: Task, deadline: Deadline) -> None:
    """What a person needs to go on, before the workspace is gone."""
    build = task.workspace.latest_build

    def patch() -> bytes:
        checkout = _checkout(task, deadline)
        base = task.provenance.commit if task.provenance and task.provenance.commit else "HEAD"
        return patch_of(checkout, base, checkout.work_tree())

    def state() -> bytes:
        script = handoff.state_script(task.directory)
        return ask_whole(task.shell, script, deadline, "the state of the checkout")

    pieces: dict[str, Callable[[], bytes]] = {
        handoff.PATCH: patch,
        handoff.STATE: state,
        "build.log": lambda: handoff.log_text(coder.build_log(build.id)),
        "agent.log": lambda: handoff.log_text(coder.agent_log(task.agent.id)),
    }
    with coder.within(deadline):
        handoff.collect(pieces, report)
    report.handoff[handoff.FOLLOW_UP] = handoff.follow_up(task.definition, report).encode()


def _note(report: TaskReport, task: Task) -> None:
    report.name, report.template_version = task.name, task.template_version
    report.channel, report.channel_reason = task.channel.name, task.channel.reason
    report.stages = task.stages


@contextmanager
def _phase(report: TaskReport, name: str, launcher: TaskLauncher) -> Iterator[None]:
    """Time a phase, and note its error in place of raising it."""
    assert name in PHASES
    phase = report.phases[name]
    started = launcher.clock.monotonic()
    try:
        yield
    except GatehouseError as error:
        phase.error = error
    finally:
        phase.seconds = launcher.clock.monotonic() - started
