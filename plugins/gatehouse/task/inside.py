"""Runs commands in a task's workspace over its shell, for what is asked of pods elsewhere."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence

from gatehouse.core.command_result import CommandResult
from gatehouse.core.deadline import Deadline
from gatehouse.edge.probe import RunInPod
from gatehouse.task.shell import Shell, ask_whole


def commands_of(shell: Shell, deadline: Deadline, what: str) -> RunInPod:
    """A function that runs a command, which must not mind to run twice; its standard error is left out."""

    def run(argv: Sequence[str], *, stdin: bytes = b"") -> CommandResult:
        fed = f"printf %s '{base64.b64encode(stdin).decode()}' | base64 -d | " if stdin else ""
        output = ask_whole(shell, f"{fed}{shlex.join(argv)}; printf '\\n%s' $?", deadline, what)
        stdout, _, code = output.rpartition(b"\n")
        return CommandResult(tuple(argv), stdout, b"", int(code), "the workspace's shell")

    return run
