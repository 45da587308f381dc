"""What a wait for a preview sees, what it tells of that, and what it ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gatehouse.argocd.judge import State
from gatehouse.core.errors import GatehouseError
from gatehouse.core.waiting import Progress
from gatehouse.preview.judge import EnvironmentJudgement, EnvironmentSnapshot
from gatehouse.preview.subject import SubjectProof
from gatehouse.preview.urls import FoundUrls

Object = dict[str, Any]


@dataclass(frozen=True)
class PreviewEnvironment:
    """A preview that may be tested, and the proof that it is the right one.

    `origins` says where each URL comes from. `deployment` tells, by Application, what changes when it is deployed
    anew. `seconds` is how long each stage of the wait took, `notes` what could not be looked at.
    """

    number: int
    commit: str
    urls: dict[str, str]
    applications: dict[str, str]
    proof: SubjectProof
    embedded: bool = False
    origins: dict[str, str] = field(default_factory=dict)
    deployment: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def base_url(self) -> str:
        """The first URL of the settings."""
        return next(iter(self.urls.values()))

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, as it is written into the record."""
        return asdict(self)


@dataclass
class Look:
    """One look at everything, the judgement on it, and the error that ends the wait, if any."""

    snapshot: EnvironmentSnapshot
    judgement: EnvironmentJudgement
    applications: dict[str, Object] = field(default_factory=dict)
    trees: dict[str, list[Object]] = field(default_factory=dict)
    found: FoundUrls = field(default_factory=FoundUrls)
    proof: SubjectProof | None = None
    problem: GatehouseError | None = None

    def __str__(self) -> str:
        judgement, states = self.judgement, self.snapshot.applications
        unwell = self.snapshot.pods.keys()
        ready = sum(each.state is State.READY and name not in unwell for name, each in states.items())
        counted = f"{ready} of {len(states)} Applications ready" if states else "no Application yet"
        if judgement.state is State.READY:
            return counted
        what = (
            f"{judgement.application} is {judgement.state}" if judgement.application else str(judgement.state)
        )
        return f"{counted}; {what}: {judgement.reason}"


class WaitObserver:
    """Is told of a wait; what is told of is shown, or not."""

    def changed(self, progress: Progress) -> None:
        """The state in words has changed."""

    def looked(self, look: Look, stages: Mapping[str, float]) -> None:
        """There has been a look."""
