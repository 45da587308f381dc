"""The stages of a wait, each with a budget of its own: generators poll for minutes, and nodes scale from zero."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gatehouse.argocd.judge import State
from gatehouse.core.deadline import Clock
from gatehouse.core.preview_settings import StageBudgets


class Stage(StrEnum):
    """What the environment is on its way through."""

    GENERATION = "generation"
    IMAGES = "images"
    SYNC = "sync"
    ROLLOUT = "rollout"
    EDGE = "edge"


#: The stage in which an environment is whose least advanced Application is in a state.
STAGE_OF = {
    State.ABSENT: Stage.GENERATION,
    State.STALE: Stage.GENERATION,
    State.COMPARING: Stage.SYNC,
    State.SYNCING: Stage.SYNC,
    State.ROLLING_OUT: Stage.ROLLOUT,
    State.SETTLING: Stage.ROLLOUT,
    State.PROBING: Stage.EDGE,
}


def in_words(elapsed: Mapping[str, float]) -> str:
    """Seconds by stage or state, on one line."""
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in elapsed.items())


class Stopwatch:
    """How long something has been in each of its states (seconds), going back to a state included."""

    def __init__(self, clock: Clock, spent: Mapping[str, float] | None = None) -> None:
        """`spent` is what has been spent before."""
        self._clock = clock
        self._spent = dict(spent or {})
        self._state: str | None = None
        self._since = clock.monotonic()

    def enter(self, state: str | None) -> None:
        """It is in `state` now; None while it is in none."""
        now = self._clock.monotonic()
        if self._state is not None:
            self._spent[self._state] = self._spent.get(self._state, 0.0) + now - self._since
        self._state, self._since = (str(state) if state else None), now

    @property
    def spent(self) -> dict[str, float]:
        """Seconds by state."""
        self.enter(self._state)
        return dict(self._spent)


class StageClock(Stopwatch):
    """How long an environment has been in each stage, and which one has taken too long."""

    def __init__(self, budgets: StageBudgets, clock: Clock, spent: Mapping[str, float] | None = None) -> None:
        super().__init__(clock, spent)
        self._budgets = budgets

    def budget(self, stage: Stage) -> float:
        """What a stage may take, in seconds."""
        return float(getattr(self._budgets, f"{stage}_seconds"))

    @property
    def overdue(self) -> Stage | None:
        """The present stage, if its budget is spent."""
        if self._state is None:
            return None
        stage = Stage(self._state)
        return stage if self.spent.get(self._state, 0.0) >= self.budget(stage) else None
