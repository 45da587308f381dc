"""Runs a command in a workspace over the web terminal, which tells no exit code: the command's end is marked."""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass

from gatehouse.coder.client import CoderClient
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import UnexpectedAnswer

#: Columns of the terminal: wide, because some agents show it through `screen`, which breaks lines.
WIDTH = 500

#: Seconds that a command may take.
TIMEOUT = 30.0

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


@dataclass(frozen=True)
class Printed:
    """What a command printed, standard output and errors in one, and how it ended."""

    output: str
    exit_code: int

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.exit_code == 0

    @property
    def last_line(self) -> str:
        """The last line that says something."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def run_in_workspace(
    coder: CoderClient, agent_id: str, script: str, *, timeout: float = TIMEOUT, clock: Clock = SYSTEM_CLOCK
) -> Printed:
    """Run a shell script in the agent's folder, as the user who opens a terminal.

    Raises `Unreachable` if it does not end within `timeout` seconds or the terminal is cut, and what the server
    refuses with.
    """
    nonce = secrets.token_hex(8)
    command = wrapped(script, nonce)
    with coder.open_terminal(agent_id, command, width=WIDTH, timeout=timeout) as terminal:
        # Not the end of the terminal: where `screen` shows it, that is not the end of the command.
        text = terminal.read_until(f"{nonce}.", Deadline.after(timeout, clock))
    return parsed(text, nonce)


def wrapped(script: str, nonce: str) -> str:
    """One command for any shell: `sh` runs the script, then prints the nonce and the exit code."""
    # In two parts, so that a terminal that shows the command itself does not show the mark.
    half = len(nonce) // 2
    mark = f"printf '\\n%s%s:%s %s%s.\\n' {nonce[:half]} {nonce[half:]} $? {nonce[:half]} {nonce[half:]}"
    text = f"( {script}\n) </dev/null; {mark}"
    return f"sh -c {shlex.quote(text)}"


def parsed(text: str, nonce: str) -> Printed:
    """What was printed before the mark. Raises `UnexpectedAnswer` for a mark without an exit code."""
    plain = _CONTROL.sub("", text).replace("\r\n", "\n")
    found = re.search(rf"\n?{nonce}:(\d+) {nonce}\.", plain)
    if not found:
        raise UnexpectedAnswer(
            "the terminal shows no exit code",
            seen=plain.strip()[-300:],
            next_step="open the web terminal of the workspace: is a line of a hundred characters kept whole?",
        )
    return Printed(plain[: found.start()], int(found[1]))
