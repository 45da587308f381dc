"""How long a call is repeated, and how long it waits to be let through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from gatehouse.core.deadline import Clock, Deadline
from gatehouse.core.errors import RateLimited, Transient, Unreachable
from gatehouse.core.waiting import announced

Answer = TypeVar("Answer")

#: Seconds that all attempts of a read take together.
READ_BUDGET = 30.0

#: Seconds that a call waits for a rate limit to pass: a whole window of Coder's, and a little.
RATE_LIMIT_BUDGET = 75.0

#: Pauses between attempts of a read, in seconds; the last one repeats.
RETRY_PAUSES = (0.2, 0.5, 1.0, 2.0)


class Patience:
    """Repeats what may be repeated, as long as there is time."""

    def __init__(self, clock: Clock, rate_limit_budget: float) -> None:
        self._clock = clock
        self._rate_limit_budget = rate_limit_budget
        self._bound: Deadline | None = None
        self._silent = False
        self._limit_lasts = False

    @contextmanager
    def within(self, deadline: Deadline) -> Iterator[None]:
        """Give up when there is no more time, besides the budgets here."""
        before, self._bound = self._bound, deadline
        try:
            yield
        finally:
            self._bound = before

    @property
    def silent(self) -> bool:
        """Whether nobody has answered for a whole budget, and nobody since."""
        return self._silent

    def answered(self, *, limited: bool) -> None:
        """Note that Coder answers, and whether it only refused because there were too many requests."""
        self._silent = False
        self._limit_lasts = self._limit_lasts and limited

    def repeated(self, ask: Callable[[], Answer]) -> Answer:
        """What `ask` answers once faults and limits that pass by themselves have passed. For reads only."""
        # Where nobody answered well for a whole budget, the next call asks only once: the first told all there is.
        deadline = self._budget(0.0 if self._silent else READ_BUDGET)
        limited = self._limit_budget()
        attempt = 0
        while True:
            try:
                return ask()
            except RateLimited as error:
                self._wait_for_limit(error, limited)
            except (Transient, Unreachable) as error:
                pause = RETRY_PAUSES[min(attempt, len(RETRY_PAUSES) - 1)]
                if deadline.remaining <= pause:
                    # A wait that was given less time than the budget tells only of who does not answer at all.
                    self._silent = isinstance(error, Unreachable) or self._bound is None
                    raise
                with announced("Coder", f"asked again: {error.summary}"):
                    self._clock.sleep(pause)
                attempt += 1

    def let_through(self, ask: Callable[[], Answer]) -> Answer:
        """What `ask` answers once it is not refused for the number of requests: such a refusal did nothing."""
        limited = self._limit_budget()
        while True:
            try:
                return ask()
            except RateLimited as error:
                self._wait_for_limit(error, limited)

    def _limit_budget(self) -> Deadline:
        # As above: a limit that has outlasted one budget is not waited for again until somebody is let through.
        return self._budget(0.0 if self._limit_lasts else self._rate_limit_budget)

    def _budget(self, seconds: float) -> Deadline:
        return self._bound.within(seconds) if self._bound else Deadline.after(seconds, self._clock)

    def _wait_for_limit(self, error: RateLimited, limited: Deadline) -> None:
        """Let the time pass that the server asks for. Raises the error if there is not that much."""
        pause = error.retry_after or RETRY_PAUSES[-1]
        if limited.remaining < pause:
            self._limit_lasts = self._limit_lasts or self._bound is None
            error.next_step = (
                "have fewer tests and people use the same user's token at the same time, or raise "
                "CODER_API_RATE_LIMIT"
            )
            raise error
        with announced("Coder", f"limits the rate of requests, and asks to wait for {pause:.0f} s"):
            self._clock.sleep(pause)
