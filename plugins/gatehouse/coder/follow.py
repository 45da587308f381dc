"""Follows a log from its first line to its last, over streams that may be cut at any moment.

A stream is only a quick way to hear of lines. Whether the log has ended, and which lines it has, is read; so no
line is missed that a stream lost, and none is told twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from gatehouse.coder.models import LogLine
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound, Transient, UnexpectedAnswer, Unreachable, WaitTimeout

#: Seconds before a stream is opened again, at least and at most; doubled each time it said nothing new.
BACKOFF = (0.2, 5.0)


class LogSource(Protocol):
    """A log on the server."""

    #: What it is, for messages.
    what: str
    #: Seconds for which lines may still arrive after the log has ended.
    late: float

    def stream(self, after: int) -> Iterator[LogLine | None]:
        """Lines after the one with id `after` as they come; None when nothing has come for a moment.

        Ends with the connection. Raises what the server refuses with, `UnexpectedAnswer` where there are no streams.
        """

    def lines(self, after: int) -> list[LogLine]:
        """The lines there are now after the one with id `after`."""

    def ended(self) -> bool:
        """Whether what writes the log has ended."""


def follow(source: LogSource, deadline: Deadline, *, after: int = 0) -> Iterator[LogLine]:
    """Every line after the one with id `after`, once and in order, until the log has ended.

    Raises `WaitTimeout` with the last line when the deadline passes, and what the server refuses with.
    """
    last, told = after, ""
    pause = BACKOFF[0]
    while True:
        for line in _new_lines(source, deadline, last):
            last, told = line.id, line.output
            pause = BACKOFF[0]
            yield line
        try:
            ended = source.ended()  # before the lines are read, or one written in between would be missed
            if ended and source.late:
                deadline.clock.sleep(min(source.late, deadline.remaining))
            for line in sorted(source.lines(last), key=lambda each: each.id):
                last, told = line.id, line.output
                yield line
        except (Transient, Unreachable):
            ended = False
        if ended:
            return
        if deadline.expired:
            raise WaitTimeout(
                f"{source.what}: not ended within {deadline.budget:.0f} s",
                seen=f"last line: {told}" if told else "no line",
            )
        deadline.clock.sleep(min(pause, deadline.remaining))
        pause = min(pause * 2, BACKOFF[1])


def _new_lines(source: LogSource, deadline: Deadline, last: int) -> Iterator[LogLine]:
    """What one stream says, until it is cut, the log has ended or the deadline has passed."""
    try:
        for line in source.stream(last):
            if line is not None and line.id > last:
                last = line.id
                yield line
            elif line is None and source.ended():
                return
            if deadline.expired:
                return
    except (NotFound, Transient, Unreachable, UnexpectedAnswer):
        return  # cut, or there are no streams here: the log is read instead
