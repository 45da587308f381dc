"""What a proof says: the verdict on what was found on all planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from gatehouse.core.errors import LeakFound
from gatehouse.kube.inventory import Inventory
from gatehouse.kube.remains import goes_by_itself
from gatehouse.task.planes import Answer

#: Of what is new and nobody's, so much goes into the proof.
MOST_NEW = 20

#: What Coder says of a workspace that is gone, and what stands for not knowing.
GONE = "gone"
NEVER_MADE = "never made"
UNVERIFIED = "unverified"


class Outcome(StrEnum):
    """`UNVERIFIED` means that somebody refused to let us look: not a pass."""

    CLEAN = "clean"
    LEFT = "left"
    UNVERIFIED = "unverified"


@dataclass(frozen=True)
class CoderState:
    """What Coder says of a workspace; `reason` is why nobody knows, `passing` that a moment later somebody may."""

    status: str
    reason: str = ""
    passing: bool = False

    @property
    def is_left(self) -> bool:
        """Whether Coder still has it."""
        return self.status not in (GONE, NEVER_MADE, UNVERIFIED)


@dataclass(frozen=True)
class LeakProof:
    """What was found on all planes, and what could not be looked at."""

    workspace: str
    outcome: Outcome
    coder: str
    left: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    #: Whether something of what is left is being deleted, or will be by somebody.
    ending: bool = False
    #: Whether something of what nobody could look at may be looked at a moment later.
    passing: bool = False
    #: New since the workspace was made and nobody's that is known: never a leak, for people to look at.
    new: tuple[str, ...] = ()
    #: The answers of further planes, in a word each.
    planes: Mapping[str, str] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, as it is written into the record."""
        data = asdict(self)
        del data["passing"]
        return {**data, "outcome": self.outcome.value}  # workers send only plain values

    def require_clean(self) -> None:
        """Raise `LeakFound` unless the workspace is proved gone on all planes."""
        if self.outcome is Outcome.LEFT:
            raise LeakFound(
                f"the workspace {self.workspace} was deleted, but {len(self.left)} of its objects are still there: "
                f"{self.left[0]}",
                expected="nothing left in Coder and in the cluster",
                seen="; ".join(self.left),
                next_step="delete what is listed, and find out why the template's destroy did not",
            )
        if self.outcome is Outcome.UNVERIFIED:
            raise LeakFound(
                f"nobody could verify that the workspace {self.workspace} left nothing behind",
                expected="permission to list every kind of object a workspace may make",
                seen="; ".join(self.unverified),
                next_step="grant the list verb on these kinds to the identity that runs the suite",
            )


def decide(
    workspace: str, coder: CoderState, inventory: Inventory, planes: Sequence[Answer] = ()
) -> LeakProof:
    """The verdict on all planes: what is left outweighs what could not be verified."""
    left = [f"Coder workspace ({coder.status})"] if coder.is_left else []
    left += map(str, inventory.found)
    unverified = [f"workspaces in Coder: {coder.reason}"] if coder.status == UNVERIFIED else []
    unverified += [f"{kind}: {reason}" for kind, reason in inventory.unverified.items()]
    for plane in planes:
        left += [f"{plane.plane}: {each}" for each in plane.left]
        unverified += [f"{plane.plane}: {plane.unverified}"] if plane.unverified else []
    present = frozenset(each.uid for each in inventory.found)
    return LeakProof(
        workspace,
        Outcome.LEFT if left else Outcome.UNVERIFIED if unverified else Outcome.CLEAN,
        coder.status,
        tuple(left),
        tuple(unverified),
        ending=coder.is_left or any(goes_by_itself(each, present) for each in inventory.found),
        passing=coder.passing or bool(inventory.passing),
        new=_shown(inventory.new),
        planes={plane.plane: plane.outcome for plane in planes},
    )


def _shown(new: Sequence[str]) -> tuple[str, ...]:
    if len(new) <= MOST_NEW:
        return tuple(new)
    return (*new[:MOST_NEW], f"and {len(new) - MOST_NEW} more")
