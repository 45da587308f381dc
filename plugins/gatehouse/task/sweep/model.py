"""What a sweep works on, and what it says of each thing in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from gatehouse.coder.client import CoderClient
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock
from gatehouse.core.lease import Holder
from gatehouse.core.ledger import Entry, moment_of
from gatehouse.core.settings import Target
from gatehouse.kube.client import Cluster
from gatehouse.task.planes import Plane


class Source(StrEnum):
    """Where a candidate was found; what the ledger says is known best."""

    LEDGER = "ledger"
    CODER = "Coder"
    CLUSTER = "cluster"


@dataclass(frozen=True)
class Candidate:
    """Something that a run may have left. `named` says that its ledger was named by whoever sweeps."""

    entry: Entry
    source: Source
    holder: Holder = Holder.UNKNOWN
    ledger: Path | None = None
    named: bool = False


@dataclass
class Context:
    """What a sweep has at hand. Without `act` it only looks."""

    target: Target
    coder: CoderClient
    cluster: Cluster | None
    planes: Sequence[Plane]
    act: bool
    seconds: float
    clock: Clock = SYSTEM_CLOCK


class Outcome(StrEnum):
    """What there is of it in the end. `ALONE` is what a sweep has no business with, now or at all."""

    CLEAN = "clean"
    LEFT = "left"
    UNVERIFIED = "unverified"
    ALONE = "left alone"


@dataclass(frozen=True)
class Row:
    """One line of the table: what it was, what was done, and what is proved; `details` go below the table."""

    candidate: Candidate
    state: str
    done: str
    outcome: Outcome
    details: tuple[str, ...] = ()

    def age_seconds(self, now: datetime) -> float | None:
        """Since when it is there; None where nobody knows."""
        created = moment_of(self.candidate.entry.created)
        return max((now - created).total_seconds(), 0.0) if created else None

    def as_data(self, now: datetime) -> dict[str, Any]:
        """The line as JSON-like data."""
        entry = self.candidate.entry
        return {
            "kind": entry.kind,
            "name": entry.name,
            "id": entry.id,
            "run": entry.run,
            "owner": entry.owner,
            "age_seconds": self.age_seconds(now),
            "expires": entry.expires,
            "source": self.candidate.source.value,
            "ledger": str(self.candidate.ledger) if self.candidate.ledger else None,
            "state": self.state,
            "done": self.done,
            "outcome": self.outcome.value,
            "details": list(self.details),
        }


@dataclass
class Swept:
    """What a sweep says. `problems` are what it could not look at as a whole."""

    acted: bool
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """The worst of all: what is left outweighs what nobody could see."""
        outcomes = {row.outcome for row in self.rows}
        if Outcome.LEFT in outcomes:
            return Outcome.LEFT
        return Outcome.UNVERIFIED if self.problems or Outcome.UNVERIFIED in outcomes else Outcome.CLEAN
