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


class StageClock:
    """How long an environment has been in each stage (seconds), going back to a stage included."""

    def __init__(self, budgets: StageBudgets, clock: Clock, spent: Mapping[str, float] | None = None) -> None:
        """`spent` is what an earlier command of the same wait has spent already."""
        self._budgets = budgets
        self._clock = clock
        self._spent = {stage: (spent or {}).get(stage, 0.0) for stage in Stage}
        self._stage: Stage | None = None
        self._since = clock.monotonic()

    def enter(self, stage: Stage | None) -> None:
        """The environment is in `stage` now; None while it is in none."""
        now = self._clock.monotonic()
        if self._stage is not None:
            self._spent[self._stage] += now - self._since
        self._stage, self._since = stage, now

    @property
    def spent(self) -> dict[str, float]:
        """Seconds by stage, those in which nothing was spent left out."""
        self.enter(self._stage)
        return {str(stage): seconds for stage, seconds in self._spent.items() if seconds > 0}

    def budget(self, stage: Stage) -> float:
        """What a stage may take, in seconds."""
        return float(getattr(self._budgets, f"{stage}_seconds"))

    @property
    def overdue(self) -> Stage | None:
        """The present stage, if its budget is spent."""
        self.enter(self._stage)
        stage = self._stage
        return stage if stage and self._spent[stage] >= self.budget(stage) else None
