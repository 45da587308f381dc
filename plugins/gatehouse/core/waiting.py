"""The waiting loop: observe until ready, until it can only fail, or until the deadline."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, cast

from tenacity import RetryCallState, RetryError, Retrying, retry_if_result
from tenacity.wait import wait_base, wait_fixed

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    GatehouseError,
    RateLimited,
    TerminalState,
    Transient,
    Unreachable,
    WaitTimeout,
)

logger = logging.getLogger("gatehouse.waiting")

State = TypeVar("State")

#: Errors of an observation that never end a wait before its deadline.
TRANSIENT = (Transient, Unreachable)


@dataclass
class Progress:
    """What a wait has seen, one entry for each change of the described state."""

    what: str
    history: list[tuple[float, str]] = field(default_factory=list)

    def note(self, elapsed: float, state: str) -> bool:
        """Add `state` if it differs from the last one; tells whether it did. `elapsed` is in seconds."""
        if self.history and self.history[-1][1] == state:
            return False
        self.history.append((elapsed, state))
        return True

    @property
    def last(self) -> str:
        """The last state described, or a sentence saying that there was none."""
        return self.history[-1][1] if self.history else "nothing observed yet"

    def __str__(self) -> str:
        return " → ".join(f"{state} ({elapsed:.1f} s)" for elapsed, state in self.history)


class Listener(Protocol):
    """Who shows what is awaited."""

    def changed(self, progress: Progress) -> None:
        """A wait has seen another state than before, its first one included."""

    def ended(self, progress: Progress) -> None:
        """A wait is over, whatever it came to."""


#: Who is told of every wait in this process, beside the wait's own reporter.
listeners: list[Listener] = []


@contextmanager
def announced(what: str, state: str) -> Iterator[None]:
    """Tell the listeners of a wait of another kind: a pause of known length, or between two attempts."""
    progress = Progress(what)
    progress.note(0.0, state)
    for each in listeners:
        each.changed(progress)
    try:
        yield
    finally:
        _tell_of_end(progress)


def _tell_of_end(progress: Progress) -> None:
    for each in listeners:
        each.ended(progress)


@dataclass
class _Wait(Generic[State]):
    """One wait under way; the attributes are the arguments of `wait_until`."""

    observe: Callable[[], State]
    ready: Callable[[State], bool]
    failed: Callable[[State], str | GatehouseError | None]
    describe: Callable[[State], str]
    deadline: Deadline
    successes: int
    progress: Progress
    on_change: Callable[[Progress], None]
    in_a_row: int = 0
    asked_to_wait: float = 0.0
    state: State | None = None

    def attempt(self) -> bool:
        self.asked_to_wait = 0.0
        try:
            state = self.observe()
        except TRANSIENT as error:
            self.in_a_row = 0
            self.asked_to_wait = error.retry_after if isinstance(error, RateLimited) else 0.0
            self._note(f"no answer: {error.summary}" + (f" ({error.seen})" if error.seen else ""))
            return False
        self.state = state
        self._note(self.describe(state))
        if reason := self.failed(state):
            raise reason if isinstance(reason, GatehouseError) else self._terminal(reason)
        self.in_a_row = self.in_a_row + 1 if self.ready(state) else 0
        return self.in_a_row >= self.successes

    def _note(self, state: str) -> None:
        if self.progress.note(self.deadline.elapsed, state):
            self.on_change(self.progress)
            for each in listeners:
                each.changed(self.progress)

    def _terminal(self, reason: str) -> TerminalState:
        return TerminalState(f"{self.progress.what}: {reason}", seen=str(self.progress))


def log_change(progress: Progress) -> None:
    """The default reporter: one log line for each change of state, none in between."""
    elapsed, state = progress.history[-1]
    logger.info("%s: %s (after %.1f s)", progress.what, state, elapsed)


def wait_until(
    observe: Callable[[], State],
    *,
    what: str,
    ready: Callable[[State], bool],
    deadline: Deadline,
    failed: Callable[[State], str | GatehouseError | None] = lambda _state: None,
    describe: Callable[[State], str] = str,
    successes: int = 1,
    interval: float | wait_base = 0.5,
    on_change: Callable[[Progress], None] = log_change,
    next_step: str = "",
    pause: Callable[[float], None] | None = None,
) -> State:
    """Observe until `ready` holds `successes` times in a row; the state that did is returned.

    `interval` is seconds between observations, or a tenacity wait policy; `pause` lets them pass, and may
    return earlier when there is something new to observe (default: sleep). A transient error of `observe`
    (rate limit, 5xx, no connection) never ends the wait before the deadline; every other error does, at once.
    A rate limit that says for how long is not asked again before.

    Raises `TerminalState` (or the error `failed` returns) when `failed` gives a reason, and `WaitTimeout`,
    with the last state and the history of changes, when the deadline passes.
    """
    progress = Progress(what)
    wait = _Wait(observe, ready, failed, describe, deadline, successes, progress, on_change)
    policy = interval if isinstance(interval, wait_base) else wait_fixed(interval)

    def out_of_time(_call: RetryCallState) -> bool:
        return deadline.expired

    def pause_within_deadline(call: RetryCallState) -> float:
        return min(max(policy(call), wait.asked_to_wait), deadline.remaining)

    retrying = Retrying(
        retry=retry_if_result(lambda done: not done),
        stop=out_of_time,
        wait=pause_within_deadline,
        sleep=pause or deadline.clock.sleep,
    )
    try:
        retrying(wait.attempt)
    except RetryError:
        raise WaitTimeout(
            f"{what}: not ready within {deadline.budget:.0f} s, last seen: {progress.last}",
            seen=str(progress),
            next_step=next_step,
        ) from None
    finally:
        _tell_of_end(progress)
    return cast("State", wait.state)
