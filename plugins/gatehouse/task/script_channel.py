"""Runs the task's command as the template's own start script: Coder tells the exact exit code.

The template declares a rich parameter for it and runs its text in a start script
(`GET /api/v2/workspaces/{id}/timings` has the exit code, the agent's log the output, line by line).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gatehouse.coder.client import CoderClient
from gatehouse.coder.models import Agent, LogLine, ScriptTiming, Workspace
from gatehouse.coder.models.workspaces import SCRIPTS_ENDED
from gatehouse.core.command_result import CommandResult
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import EnvironmentProblem, GatehouseError, WaitTimeout
from gatehouse.core.waiting import wait_until
from gatehouse.task.programs import SAYS

#: Seconds between looks, and for which the exit code may come later than the end of the script.
INTERVAL = 0.25
LATE = 15.0

#: What Coder writes in place of an exit code that it does not know.
NO_EXIT_CODE = 255


def run_by_script(
    coder: CoderClient,
    workspace_id: str,
    script: str,
    argv: Sequence[str],
    deadline: Deadline,
    *,
    on_progress: Callable[[str], None] = lambda _words: None,
) -> tuple[CommandResult, str]:
    """Wait for the start script named `script` to end, within the deadline; how it ended, and what it says it runs on.

    The exit code is unknown, with the reason, when Coder does not tell it or the deadline passes first. Raises
    `EnvironmentProblem` when the template has no such script.
    """

    def look() -> Workspace:
        return coder.workspace(workspace_id)

    def ended(workspace: Workspace) -> bool:
        agent = workspace.agent
        return agent is not None and agent.lifecycle_state in SCRIPTS_ENDED

    started = deadline.elapsed
    timed_out = False
    with coder.within(deadline), coder.hints(workspace_id) as hints:
        try:
            workspace = wait_until(
                look,
                what="start script",
                ready=ended,
                describe=lambda each: each.agent.lifecycle_state if each.agent else "no agent",
                deadline=deadline,
                interval=INTERVAL,
                on_change=lambda progress: on_progress(progress.last),
                pause=hints.pause,
            )
        except WaitTimeout:
            workspace, timed_out = coder.workspace(workspace_id), True
    seconds = deadline.elapsed - started
    agent = workspace.agent
    lines = coder.agent_log(agent.id) if agent else []
    own = lines_of(agent, script, lines)
    said = "\n".join(line.output.removeprefix(SAYS) for line in own if line.output.startswith(SAYS))
    own = [line for line in own if not line.output.startswith(SAYS)]
    names = {each.display_name for each in agent.scripts} if agent else set()
    if names and script not in names:
        raise EnvironmentProblem(
            f"the template has no start script called {script!r}",
            seen=", ".join(sorted(names)),
            next_step="name the script that runs the command as task.command_script, or choose another channel",
        )
    timing = None if timed_out else _timing(coder, workspace_id, script, deadline)
    code, source = exit_code_of(timing, agent, script)
    if timed_out:
        code, source = None, f"unknown: the script did not end within {deadline.budget:g} s"
    result = CommandResult(
        tuple(argv),
        _text(own, errors=False),
        _text(own, errors=True),
        code,
        source,
        truncated=bool(agent and agent.logs_overflowed),
        channel="script",
        seconds=seconds,
        timed_out=timed_out,
    )
    return result, said


def exit_code_of(timing: ScriptTiming | None, agent: Agent | None, script: str) -> tuple[int | None, str]:
    """The exit code and where it came from: the timings, else the agent's own list of scripts (Coder from 2.33)."""
    if timing is not None:
        if timing.exit_code == NO_EXIT_CODE and timing.status not in ("ok", "exit_failure"):
            return None, f"unknown: Coder says that the script ended with {timing.status or 'no status'}"
        return timing.exit_code, "Coder's script timings"
    for each in agent.scripts if agent else []:
        if each.display_name == script and each.exit_code is not None:
            return each.exit_code, "Coder's list of the agent's scripts"
    return None, "unknown: Coder tells no exit code of the script"


def lines_of(agent: Agent | None, script: str, lines: Iterable[LogLine]) -> list[LogLine]:
    """The lines that the script printed; all of the log where scripts cannot be told apart."""
    source = next(
        (each.log_source_id for each in (agent.scripts if agent else []) if each.display_name == script), ""
    )
    return [line for line in lines if not source or line.source_id == source]


def _text(lines: Iterable[LogLine], *, errors: bool) -> bytes:
    return "".join(f"{line.output}\n" for line in lines if (line.level == "error") is errors).encode()


def _timing(coder: CoderClient, workspace_id: str, script: str, deadline: Deadline) -> ScriptTiming | None:
    """What the agent reported of the script, which may come a little late; of several runs the last one."""

    def look() -> list[ScriptTiming]:
        return [each for each in coder.script_timings(workspace_id) if each.display_name == script]

    spare = Deadline.after(min(LATE, max(1.0, deadline.remaining)), deadline.clock)
    try:
        found = wait_until(
            look,
            what="exit code of the start script",
            ready=bool,
            describe=lambda timings: f"{len(timings)} told",
            deadline=spare,
            interval=INTERVAL,
            on_change=lambda _progress: None,
        )
    except GatehouseError:
        return None
    return found[-1]
