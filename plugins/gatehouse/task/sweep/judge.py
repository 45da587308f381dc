"""May it be removed? Decided from what is known of it, without asking anyone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatehouse.coder.ownership import PREFIX, label_value
from gatehouse.core.lease import Holder
from gatehouse.core.ledger import owner
from gatehouse.task.sweep.model import Candidate, Source

#: What `gatehouse baseline` leaves behind on purpose is called so, also in ledgers that do not say it.
CANARY = f"{PREFIX}-canary-"


class Decision(StrEnum):
    """`REFUSE` is for what may be ours without anything that says so: it is never touched, and never passed over."""

    REMOVE = "remove"
    ALONE = "left alone"
    REFUSE = "refused"


@dataclass(frozen=True)
class Judgement:
    """A decision and its reason."""

    decision: Decision
    why: str


def judge(
    candidate: Candidate, now: datetime, *, kinds: Collection[str], coder_url: str, run: str | None = None
) -> Judgement:
    """Decide about one candidate. `run` is the run that whoever sweeps has named."""
    entry = candidate.entry
    if entry.kind not in kinds:
        return _refuse(f"this version knows no {entry.kind!r}: remove it with the version that made it")
    made_on = entry.where.get("coder", coder_url)
    if made_on != coder_url:
        elsewhere = f"it was made on {made_on}; sweep the target that has it"
        return _refuse(elsewhere) if candidate.named else _alone(elsewhere)
    if entry.outlives_run or entry.name.startswith(CANARY):
        if entry.expired(now):
            return _remove("it was left behind on purpose, and its time is over")
        return _alone(f"it was left behind on purpose, until {entry.expires or 'nobody knows when'}")
    if candidate.source is Source.LEDGER:
        return _by_lease(candidate, now)
    return _by_labels(candidate, now, run)


def _by_lease(candidate: Candidate, now: datetime) -> Judgement:
    if candidate.holder is Holder.ALIVE:
        return _alone("its run still lives")
    if candidate.holder is Holder.ENDED:
        return _remove("its run has ended")
    if candidate.entry.expired(now):
        return _remove("its time is over")
    return _alone(
        f"nobody can tell from here whether its run still lives, and its time is not over until "
        f"{candidate.entry.expires}"
    )


def _by_labels(candidate: Candidate, now: datetime, run: str | None) -> Judgement:
    entry = candidate.entry
    if not entry.run or not entry.owner:
        return _refuse("nothing but its name says that a run of ours made it")
    if candidate.source is Source.CODER and not name_agrees(entry.name, entry.run):
        return _refuse(f"its name does not lead back to the run {entry.run} that it says it is of")
    if entry.expired(now):
        return _remove("its time is over")
    if run is not None and same_label(entry.owner, owner()):
        return _remove("you named its run, and it is your own")
    return _alone(
        f"its run may still live, as its time is not over until {entry.expires or 'nobody knows when'}"
    )


def name_agrees(name: str, run: str) -> bool:
    """Whether a workspace of this name can be of the run: the last part of the run's id is in it."""
    return f"-{run.rsplit('-', 1)[-1]}-" in name


def same_label(one: str, other: str) -> bool:
    """Whether two texts are the same as values of labels."""
    return label_value(one) == label_value(other)


def _remove(why: str) -> Judgement:
    return Judgement(Decision.REMOVE, why)


def _alone(why: str) -> Judgement:
    return Judgement(Decision.ALONE, why)


def _refuse(why: str) -> Judgement:
    return Judgement(Decision.REFUSE, why)
