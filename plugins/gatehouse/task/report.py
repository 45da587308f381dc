"""What became of a task: its phases, its command, its evidence, its teardown; and who was at fault."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from gatehouse.core.command_result import CommandResult
from gatehouse.core.errors import GatehouseError, InfrastructureError, ProductFailure, error_data
from gatehouse.task.evidence_copy import Copied, Refused
from gatehouse.task.leaks import LeakProof
from gatehouse.task.provenance import Provenance

#: Characters of a stream's end that go into a message.
TAIL = 600


@dataclass
class Phase:
    """One part of a task's life. `seconds` is None for one that was not reached."""

    name: str
    seconds: float | None = None
    error: GatehouseError | None = None

    def as_data(self) -> dict[str, Any]:
        """JSON-like data."""
        return {
            "name": self.name,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "error": error_data(self.error) if self.error else None,
        }


#: In their order. The teardown comes last whatever happened before it.
PHASES = ("start", "provenance", "command", "evidence", "guard rails", "teardown")


@dataclass
class TaskReport:
    """A whole task. Nothing in it is an exception: what went wrong is in its phases."""

    name: str
    template_version: str = ""
    channel: str = ""
    channel_reason: str = ""
    stages: dict[str, float] = field(default_factory=dict)
    provenance: Provenance | None = None
    command: CommandResult | None = None
    evidence: list[Copied] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    guard_rails: dict[str, Any] | None = None
    #: Files for a person who takes over, by name; only after a failure.
    handoff: dict[str, bytes] = field(default_factory=dict)
    #: What could not be collected, and why.
    not_collected: dict[str, str] = field(default_factory=dict)
    proof: LeakProof | None = None
    phases: dict[str, Phase] = field(default_factory=lambda: {name: Phase(name) for name in PHASES})

    @property
    def error(self) -> GatehouseError | None:
        """The first thing that went wrong; a task that only leaks is red by its teardown."""
        return next((phase.error for phase in self.phases.values() if phase.error), None)

    @property
    def outcome(self) -> str:
        """`passed`, or the class of the first thing that went wrong."""
        return str(self.error.failure_class) if self.error else "passed"

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, as it is written into the record. Contents of files are left out, their digests are not."""
        command = self.command
        return {
            "workspace": self.name,
            "outcome": self.outcome,
            "teardown": str(self.proof.outcome) if self.proof else "not proved",
            "template_version": self.template_version,
            "channel": self.channel,
            "channel_reason": self.channel_reason,
            "stages": {name: round(seconds, 3) for name, seconds in self.stages.items()},
            "phases": [phase.as_data() for phase in self.phases.values()],
            "provenance": self.provenance.as_data() if self.provenance else None,
            "command": command_data(command) if command else None,
            "evidence": [
                {"path": each.path, "bytes": len(each.content), "sha256": each.sha256}
                for each in self.evidence
            ],
            "refused": [each.as_data() for each in self.refused],
            "guard_rails": self.guard_rails,
            "handoff": sorted(self.handoff),
            "not_collected": self.not_collected,
        }


def command_data(result: CommandResult) -> dict[str, Any]:
    """How a command ended, without its output."""
    return {
        "argv": list(result.argv),
        "exit_code": result.exit_code,
        "exit_code_source": result.exit_code_source,
        "channel": result.channel,
        "seconds": None if result.seconds is None else round(result.seconds, 3),
        "timed_out": result.timed_out,
        "truncated": result.truncated,
        "stdout_bytes": len(result.stdout) if result.stdout_bytes is None else result.stdout_bytes,
        "stderr_bytes": len(result.stderr) if result.stderr_bytes is None else result.stderr_bytes,
        "kept_sha256": {
            "stdout": hashlib.sha256(result.stdout).hexdigest(),
            "stderr": hashlib.sha256(result.stderr).hexdigest(),
        },
    }


def command_failure(result: CommandResult, where: str) -> GatehouseError | None:
    """What is wrong with how the command ended; None for a 0 of its own. Unknown is never 0."""
    words = last_words(result)
    if result.timed_out:
        return ProductFailure(
            f"the task's command did not end within its {result.seconds or 0:g} s, and was ended",
            seen=words or "it printed nothing",
            where=where,
            next_step="raise task.budgets.command, or find out what it waits for: it has no input and no terminal",
        )
    if result.exit_code is None:
        return InfrastructureError(
            "how the task's command ended is not known",
            expected="an exit code",
            seen="; ".join(filter(None, [result.exit_code_source, words])),
            where=where,
            next_step="run it again; if it happens again, look at the pod's events, memory limit and node",
        )
    if result.exit_code != 0:
        return ProductFailure(
            f"the task's command ended with {exit_words(result.exit_code)}",
            expected="exit code 0",
            seen=words or "it printed nothing",
            where=f"{where}; exit code by {result.exit_code_source}",
            next_step="read followup.md in the evidence: it has the output, the change and how to go on",
        )
    return None


def exit_words(code: int) -> str:
    """`exit code 3`; from 129 on with the signal that a shell means by it."""
    import signal

    if code > 128:
        try:
            return f"exit code {code} ({signal.Signals(code - 128).name})"
        except ValueError:
            pass
    return f"exit code {code}"


def last_words(result: CommandResult) -> str:
    """The end of what it said, errors first."""
    text = (result.stderr.strip() or result.stdout.strip()).decode(errors="replace")
    return text[-TAIL:]
