"""Monotonic deadlines and the clock they read, so that nothing waits without a limit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol


class Clock(Protocol):
    """What a wait needs from time; tests pass one that does not really sleep."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""


#: Seconds by which two clocks may differ without anything being made of it: an answer's `Date` counts whole ones.
CLOCK_TOLERANCE = 3.0


def clock_skew(date: str, now: datetime) -> timedelta | None:
    """How far a server's clock is ahead of this machine's, by the `Date` of an answer that came at `now`.

    Zero for what may be the time that the answer took; None for a date that cannot be read (RFC 9110, 6.6.1).
    """
    try:
        skew = parsedate_to_datetime(date) - now
    except (TypeError, ValueError):
        return None
    return skew if abs(skew.total_seconds()) > CLOCK_TOLERANCE else timedelta()


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


@dataclass(frozen=True)
class Deadline:
    """A moment after which a piece of work has failed. Made once and passed down, never restarted.

    `started_at` and `expires_at` are readings of `clock.monotonic()`, in seconds.
    """

    started_at: float
    expires_at: float
    clock: Clock

    @classmethod
    def after(cls, seconds: float, clock: Clock = SYSTEM_CLOCK) -> Deadline:
        """A deadline `seconds` from now. Raises `ValueError` for a negative number."""
        if seconds < 0:
            raise ValueError(f"a deadline cannot be {seconds} seconds from now")
        now = clock.monotonic()
        return cls(started_at=now, expires_at=now + seconds, clock=clock)

    @property
    def budget(self) -> float:
        """Seconds between start and expiry."""
        return self.expires_at - self.started_at

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.clock.monotonic() - self.started_at

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.expires_at - self.clock.monotonic())

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0.0

    def within(self, seconds: float) -> Deadline:
        """A deadline for one step: `seconds` from now, but never later than this one."""
        now = self.clock.monotonic()
        return Deadline(now, min(now + seconds, self.expires_at), self.clock)
