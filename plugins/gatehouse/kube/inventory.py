"""What exists in a cluster that belongs to a workspace: by label, by name, by owner chain, by namespace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gatehouse.core.errors import GatehouseError, NotFound, PermissionDenied
from gatehouse.kube.client import (
    CLAIMS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    INGRESSES,
    JOBS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    STATEFUL_SETS,
    VOLUMES,
    Cluster,
    Kind,
    Object,
)

#: Kinds that a workspace's template may make, or that follow from what it makes.
KINDS = (
    NAMESPACES,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    JOBS,
    PODS,
    CLAIMS,
    VOLUMES,
    SECRETS,
    CONFIG_MAPS,
    SERVICES,
    SERVICE_ACCOUNTS,
    INGRESSES,
)

#: Coder's stock templates put the workspace's id on what they make, but not on every pod.
WORKSPACE_LABEL = "com.coder.workspace.id"


@dataclass(frozen=True)
class Found:
    """One object that exists. `ending` says that it is being deleted, which is not gone."""

    kind: str
    namespace: str
    name: str
    uid: str
    ending: bool = False
    finalizers: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        notes = ["terminating"] if self.ending else []
        notes += [f"finalizers: {', '.join(self.finalizers)}"] if self.finalizers else []
        return f"{self.kind} {where}" + (f" ({'; '.join(notes)})" if notes else "")


@dataclass(frozen=True)
class Inventory:
    """What was found, and the kinds that could not be looked at with the reason why."""

    found: tuple[Found, ...] = ()
    unverified: dict[str, str] = field(default_factory=dict)


def workspace_inventory(cluster: Cluster, workspace_id: str) -> Inventory:
    """Everything in the cluster that belongs to a workspace, by one list call a kind.

    A kind that may not be listed, or for which the server fails, is unverified: not the same as clean.
    """
    objects: list[tuple[Kind, Object]] = []
    unverified: dict[str, str] = {}
    for kind in KINDS:
        try:
            objects += [(kind, item) for item in cluster.list_all(kind)]
        except NotFound:
            continue  # this cluster does not serve the kind, so there is none of it
        except GatehouseError as error:
            reason = "forbidden" if isinstance(error, PermissionDenied) else error.summary
            unverified[kind.plural] = f"{reason}: {error.seen}" if error.seen else reason
    return Inventory(tuple(belonging(objects, workspace_id)), unverified)


def belonging(objects: Iterable[tuple[Kind, Object]], workspace_id: str) -> list[Found]:
    """Of `objects`, those of the workspace: labelled, named, in a namespace of its own, or owned by such."""
    everything = list(objects)
    chosen = {
        item["metadata"]["uid"]: (kind, item) for kind, item in everything if _names(item, workspace_id)
    }
    while True:
        owned = {
            item["metadata"]["uid"]: (kind, item)
            for kind, item in everything
            if item["metadata"]["uid"] not in chosen
            and any(owner.get("uid") in chosen for owner in item["metadata"].get("ownerReferences") or [])
        }
        if not owned:
            break
        chosen |= owned
    return [_found(kind, item) for kind, item in chosen.values()]


def _names(item: Object, workspace_id: str) -> bool:
    metadata = item["metadata"]
    claim = item.get("spec", {}).get("claimRef") or {}
    texts = (
        (metadata.get("labels") or {}).get(WORKSPACE_LABEL, ""),
        metadata["name"],
        metadata.get("namespace", ""),
        claim.get("name", ""),
        claim.get("namespace", ""),
    )
    return any(workspace_id in text for text in texts)


def _found(kind: Kind, item: Object) -> Found:
    metadata = item["metadata"]
    return Found(
        kind.plural,
        metadata.get("namespace", ""),
        metadata["name"],
        metadata["uid"],
        bool(metadata.get("deletionTimestamp")),
        tuple(metadata.get("finalizers") or ()),
    )
