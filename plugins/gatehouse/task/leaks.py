"""The proof that nothing is left of a workspace: on Coder's side, in the cluster, and on further planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from gatehouse.coder.client import CoderClient
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    GatehouseError,
    NotFound,
    ServerFault,
    Transient,
    Unreachable,
    WaitTimeout,
)
from gatehouse.core.waiting import wait_until
from gatehouse.kube.client import Cluster
from gatehouse.kube.inventory import Inventory, Search, Subject
from gatehouse.kube.remains import explained
from gatehouse.task.planes import Look
from gatehouse.task.proof import GONE, NEVER_MADE, UNVERIFIED, CoderState, LeakProof, Outcome, decide

__all__ = [
    "CoderState",
    "LeakProof",
    "Outcome",
    "coder_state",
    "decide",
    "prove_gone",
    "prove_never_made",
]

#: Seconds between two looks.
INTERVAL = 0.25

#: Seconds after which what is left, unchanged and with nobody at work on it, is taken for abandoned.
ABANDONED_AFTER = 5.0


def prove_gone(
    coder: CoderClient,
    cluster: Cluster | None,
    workspace_id: str,
    deadline: Deadline,
    *,
    search: Search | None = None,
    planes: Sequence[Look] = (),
) -> LeakProof:
    """Look until nothing is left or the deadline has passed. Terminating is not gone.

    `search` remembers what there was before and during the workspace's life; without one, objects are known by what
    they say themselves. Failures that may pass (429, 5xx, no connection) are asked again until the deadline. Ends
    early when what is left has not changed for `ABANDONED_AFTER` seconds and nobody is at work on it.
    """
    looking = search or (Search(cluster, Subject(workspace_id)) if cluster else None)

    def look() -> tuple[LeakProof, Inventory]:
        inventory = looking.look() if looking else _without_cluster()
        state = coder_state(coder, workspace_id)
        return decide(workspace_id, state, inventory, [plane() for plane in planes]), inventory

    return _settle(look, coder, cluster, f"disappearance of workspace {workspace_id[:8]}", deadline)


def prove_never_made(
    coder: CoderClient, cluster: Cluster | None, name: str, deadline: Deadline, *, planes: Sequence[Look] = ()
) -> LeakProof:
    """As `prove_gone`, of a workspace of which Coder has never heard: only its name is known."""
    looking = Search(cluster, Subject("", name)) if cluster else None

    def look() -> tuple[LeakProof, Inventory]:
        inventory = looking.look() if looking else _without_cluster()
        answers = [plane() for plane in planes]
        return decide(name, CoderState(NEVER_MADE), inventory, answers), inventory

    return _settle(look, coder, cluster, f"absence of workspace {name}", deadline)


def _settle(
    look: Callable[[], tuple[LeakProof, Inventory]],
    coder: CoderClient,
    cluster: Cluster | None,
    what: str,
    deadline: Deadline,
) -> LeakProof:
    """Look until the proof can change no more, and say of what is left why it stays."""
    history: list[tuple[float, LeakProof]] = []
    inventories: list[Inventory] = []

    def observe() -> LeakProof:
        proof, inventory = look()
        inventories[:] = [inventory]
        unchanged = history and history[-1][1] == proof
        history.append((history[-1][0] if unchanged else deadline.elapsed, proof))
        return proof

    def settled(proof: LeakProof) -> bool:
        if proof.outcome is Outcome.LEFT:
            return not proof.ending and deadline.elapsed - history[-1][0] >= ABANDONED_AFTER
        return not proof.passing

    with ExitStack() as stack:
        stack.enter_context(coder.within(deadline))
        if cluster:
            stack.enter_context(cluster.within(deadline))
        try:
            proof = wait_until(
                observe,
                what=what,
                ready=settled,
                describe=lambda proof: f"{proof.outcome}: {', '.join(proof.left) or proof.coder}",
                deadline=deadline,
                interval=INTERVAL,
            )
        except WaitTimeout:
            if not history:
                raise
            proof = history[-1][1]
    return _explain(proof, inventories[-1], cluster, deadline)


def coder_state(coder: CoderClient, workspace_id: str) -> CoderState:
    """`gone` when Coder answers 410 and shows it as deleted when asked to; else the status it has.

    A plain 404 is `unverified`: Coder says that of what the token may not see, too, and after a lost database.
    """
    try:
        return CoderState(coder.workspace(workspace_id).latest_build.status)
    except NotFound:
        pass
    except GatehouseError as error:
        return _unknown(error)
    try:
        status = coder.workspace(workspace_id, include_deleted=True).latest_build.status
    except NotFound:
        return CoderState(UNVERIFIED, "it does not show the deleted workspace to this token")
    except GatehouseError as error:
        return _unknown(error)
    return CoderState(GONE if status == "deleted" else status)


def _unknown(error: GatehouseError) -> CoderState:
    words = f"{error.summary}: {error.seen}" if error.seen else error.summary
    return CoderState(UNVERIFIED, words, isinstance(error, Transient | Unreachable | ServerFault))


def _without_cluster() -> Inventory:
    return Inventory(unverified={"cluster": "the target has no kubernetes section"})


def _explain(
    proof: LeakProof, inventory: Inventory, cluster: Cluster | None, deadline: Deadline
) -> LeakProof:
    """The proof with age and reason of each object that is left."""
    if not inventory.found or cluster is None:
        return proof
    words = dict(
        zip(
            map(str, inventory.found),
            explained(cluster, inventory.found, deadline.clock.now()),
            strict=True,
        )
    )
    return replace(proof, left=tuple(words.get(each, each) for each in proof.left))
