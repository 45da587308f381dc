"""The proof that nothing is left of a workspace: on Coder's side and in the cluster."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gatehouse.coder.client import CoderClient
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import GatehouseError, LeakFound, NotFound, WaitTimeout
from gatehouse.core.waiting import wait_until
from gatehouse.kube.client import Cluster
from gatehouse.kube.inventory import Inventory, workspace_inventory

#: Seconds between two looks.
INTERVAL = 0.25

#: Seconds after which what is left, unchanged and not terminating, is taken for abandoned.
ABANDONED_AFTER = 5.0


class Outcome(StrEnum):
    """`UNVERIFIED` means that somebody refused to let us look: not a pass."""

    CLEAN = "clean"
    LEFT = "left"
    UNVERIFIED = "unverified"


@dataclass(frozen=True)
class LeakProof:
    """What was found on both planes, and what could not be looked at."""

    workspace: str
    outcome: Outcome
    coder: str
    left: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    #: Whether something of what is left is being deleted.
    ending: bool = False

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, as it is written into the record."""
        return {**asdict(self), "outcome": self.outcome.value}  # workers send only plain values

    def require_clean(self) -> None:
        """Raise `LeakFound` unless the workspace is proved gone on both planes."""
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


def prove_gone(
    coder: CoderClient, cluster: Cluster | None, workspace_id: str, deadline: Deadline
) -> LeakProof:
    """Look until nothing is left or the deadline has passed. Terminating is not gone.

    Ends early when what is left has not changed for `ABANDONED_AFTER` seconds and nothing of it is
    being deleted: then nobody is cleaning up any more.
    """
    seen: list[tuple[float, LeakProof]] = []

    def look() -> LeakProof:
        proof = decide(workspace_id, coder_state(coder, workspace_id), inventory(cluster, workspace_id))
        unchanged = seen and seen[-1][1] == proof
        seen.append((seen[-1][0] if unchanged else deadline.elapsed, proof))
        return proof

    def settled(proof: LeakProof) -> bool:
        lasting = deadline.elapsed - seen[-1][0] >= ABANDONED_AFTER
        return proof.outcome is not Outcome.LEFT or (lasting and not proof.ending)

    try:
        return wait_until(
            look,
            what=f"disappearance of workspace {workspace_id[:8]}",
            ready=settled,
            describe=lambda proof: f"{proof.outcome}: {', '.join(proof.left) or proof.coder}",
            deadline=deadline,
            interval=INTERVAL,
        )
    except WaitTimeout:
        if seen:
            return seen[-1][1]
        raise


def decide(workspace_id: str, coder: str, inventory: Inventory) -> LeakProof:
    """The verdict on both planes: what is left outweighs what could not be verified."""
    left = [str(found) for found in inventory.found]
    if coder not in ("gone", "unverified"):
        left.insert(0, f"Coder workspace ({coder})")
    unverified = [f"{kind}: {reason}" for kind, reason in inventory.unverified.items()]
    if coder == "unverified":
        unverified.insert(0, "workspaces in Coder: it does not show the deleted workspace to this token")
    outcome = Outcome.LEFT if left else Outcome.UNVERIFIED if unverified else Outcome.CLEAN
    ending = coder not in ("gone", "unverified") or any(found.ending for found in inventory.found)
    return LeakProof(workspace_id, outcome, coder, tuple(left), tuple(unverified), ending)


def coder_state(coder: CoderClient, workspace_id: str) -> str:
    """`gone` when Coder answers 410 and shows it as deleted when asked to; else the status it has.

    A plain 404 is `unverified`: Coder says that of what the token may not see, too, and after a lost database.
    """
    try:
        return coder.workspace(workspace_id).latest_build.status
    except NotFound:
        pass
    except GatehouseError:
        return "unverified"
    try:
        status = coder.workspace(workspace_id, include_deleted=True).latest_build.status
    except GatehouseError:
        return "unverified"
    return "gone" if status == "deleted" else status


def inventory(cluster: Cluster | None, workspace_id: str) -> Inventory:
    """What the cluster has of a workspace; all of it unverified without a cluster to ask."""
    if cluster is None:
        return Inventory(unverified={"cluster": "the target has no kubernetes section"})
    return workspace_inventory(cluster, workspace_id)
