"""What a command printed and how it ended, whichever way it was run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CommandResult:
    """Streams, exit code, and where it came from.

    `exit_code` is None when it is unknown: the stream was cut, or the time was over. `exit_code_source`
    says where it came from, or why there is none. `truncated` tells that output was left out: what is here is its
    beginning and its end, and `stdout_bytes` and `stderr_bytes` are how much there was (None: as much as is here).
    """

    argv: tuple[str, ...]
    stdout: bytes
    stderr: bytes
    exit_code: int | None
    exit_code_source: str
    truncated: bool = False
    stdout_bytes: int | None = None
    stderr_bytes: int | None = None
    #: Which way the command was run: `script`, `exec` or `terminal`; '' where there is only one.
    channel: str = ""
    #: Seconds from its start to its end, as far as they are known.
    seconds: float | None = None
    #: Whether the harness ended it, because its budget was over.
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended, by itself, with 0."""
        return self.exit_code == 0 and not self.timed_out
