"""Which way the task's command is run: chosen once for a task, and recorded with the reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gatehouse.core.errors import UsageError
from gatehouse.core.task_settings import TaskSettings


@dataclass(frozen=True)
class Channel:
    """`script`, `exec` or `terminal`, and why."""

    name: str
    reason: str


def choose(task: TaskSettings, declared: Collection[str], exec_refused: str) -> Channel:
    """The channel of a task.

    `declared` are the template's parameters; `exec_refused` says why commands cannot be run in pods, '' if they can.
    The template's own script gives the exact exit code and the right user; exec gives separate streams; the terminal
    is there for who has nothing but a token. Raises `UsageError` when the channel that is asked for cannot be used.
    """
    scripted = task.command_parameter in declared
    match task.channel:
        case "script" if not scripted:
            raise UsageError(
                f"the template {task.template} has no parameter {task.command_parameter}, so its start script cannot "
                "run the command",
                seen=f"parameters: {', '.join(sorted(declared)) or 'none'}",
                next_step="declare it in the template and run it in a coder_script, or choose another channel",
            )
        case "exec" if exec_refused:
            raise UsageError(
                "commands cannot be run in pods here",
                seen=exec_refused,
                next_step="grant get and create on pods/exec and list on pods, or choose the channel terminal",
            )
        case "script" | "exec" | "terminal":
            return Channel(task.channel, "the task says so")
    if scripted:
        return Channel("script", f"the template declares {task.command_parameter}")
    if not exec_refused:
        return Channel(
            "exec", f"the template declares no {task.command_parameter}, and commands in pods are allowed"
        )
    return Channel("terminal", exec_refused)
