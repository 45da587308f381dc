"""What exists in a cluster that belongs to a workspace: looked for kind by kind, remembered from look to look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gatehouse.core.errors import (
    GatehouseError,
    NotFound,
    PermissionDenied,
    ServerFault,
    Transient,
    Unreachable,
)
from gatehouse.kube.attribution import (
    WORKSPACE_LABEL,
    Before,
    Belongs,
    Listed,
    Subject,
    attribute,
)
from gatehouse.kube.client import (
    CLAIMS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    JOBS,
    NAMESPACES,
    NETWORK_POLICIES,
    PODS,
    REPLICA_SETS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    STATEFUL_SETS,
    VOLUMES,
    Cluster,
    Kind,
    Object,
)

__all__ = [
    "KINDS",
    "WORKSPACE_LABEL",
    "Found",
    "Inventory",
    "Search",
    "Subject",
    "belonging",
    "list_everything",
    "workspace_inventory",
]

#: Kinds that a workspace's template may make, or that follow from what it makes.
KINDS = (
    NAMESPACES,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    DAEMON_SETS,
    JOBS,
    CRON_JOBS,
    PODS,
    CLAIMS,
    VOLUMES,
    SECRETS,
    CONFIG_MAPS,
    SERVICES,
    SERVICE_ACCOUNTS,
    INGRESSES,
    HTTP_ROUTES,
    NETWORK_POLICIES,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
)

#: Kinds that a cluster need not serve; of all others, a 404 says nothing about what there is.
OPTIONAL = (HTTP_ROUTES,)

#: Failures that may pass by themselves; the server has not said what there is.
PASSING = (Transient, Unreachable, ServerFault)


@dataclass(frozen=True)
class Found:
    """One object that exists. `ending` says that it is being deleted, which is not gone."""

    kind: str
    namespace: str
    name: str
    uid: str
    ending: bool = False
    finalizers: tuple[str, ...] = ()
    #: Who owns it, such as `ReplicaSet coder-1`.
    owners: tuple[str, ...] = ()
    by: Belongs = Belongs.LABEL
    resource: Kind | None = field(default=None, compare=False, repr=False)
    #: The object itself; of most kinds only its metadata.
    item: Object = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        notes = ["terminating"] if self.ending else []
        notes += [f"finalizers: {', '.join(self.finalizers)}"] if self.finalizers else []
        notes += [f"owner: {', '.join(self.owners)}"] if self.owners else []
        return f"{self.kind} {where}" + (f" ({'; '.join(notes)})" if notes else "")


@dataclass(frozen=True)
class Inventory:
    """What was found, and the kinds that could not be looked at with the reason why."""

    found: tuple[Found, ...] = ()
    unverified: dict[str, str] = field(default_factory=dict)
    #: Those of the unverified kinds that may be looked at a moment later.
    passing: frozenset[str] = frozenset()
    #: What is new since the workspace was made, and nobody's that is known: for people to look at.
    new: tuple[str, ...] = ()
    #: Others' objects in namespaces of the workspace: these must not be deleted with it.
    strangers: tuple[Found, ...] = ()


class Search:
    """Looks for what belongs to a workspace, and remembers what it saw: orphans are known by their owners' uids.

    Make it before the create call and call `remember_before`, so that what is new is known, too.
    """

    def __init__(self, cluster: Cluster, subject: Subject) -> None:
        self.subject = subject
        self._cluster = cluster
        self._before: Before | None = None
        self._seen: set[str] = set()

    def remember_before(self) -> None:
        """Note what there is already: none of it can be the workspace's. Kinds that cannot be listed are left out."""
        objects, unverified, _ = list_everything(self._cluster)
        kinds = frozenset(kind.plural for kind in KINDS) - frozenset(unverified)
        self._before = Before(frozenset(item["metadata"]["uid"] for _, item in objects), kinds)

    def look(self) -> Inventory:
        """What there is of the workspace now, by one list call a kind.

        A kind that may not be listed, or for which the server fails, is unverified: not the same as clean.
        """
        objects, unverified, passing = list_everything(self._cluster)
        attribution = attribute(objects, self.subject, before=self._before, seen=self._seen)
        self._seen |= {item["metadata"]["uid"] for _, item, _ in attribution.belonging}
        return Inventory(
            tuple(_found(kind, item, by) for kind, item, by in attribution.belonging),
            unverified,
            passing,
            tuple(str(_found(kind, item, Belongs.NEW)) for kind, item in attribution.new),
            tuple(_found(kind, item, Belongs.NAMESPACE) for kind, item in attribution.strangers),
        )


def workspace_inventory(cluster: Cluster, workspace_id: str) -> Inventory:
    """Everything in the cluster that belongs to a workspace, by one list call a kind (see `Search.look`)."""
    return Search(cluster, Subject(workspace_id)).look()


def belonging(objects: Iterable[Listed], workspace_id: str) -> list[Found]:
    """Of `objects`, those of the workspace: labelled, named, in a namespace of its own, or owned by such."""
    return [_found(*each) for each in attribute(objects, Subject(workspace_id)).belonging]


def list_everything(cluster: Cluster) -> tuple[list[Listed], dict[str, str], frozenset[str]]:
    """Every object of every kind, the kinds that could not be listed, and those of them that may be later."""
    objects: list[Listed] = []
    unverified: dict[str, str] = {}
    passing: set[str] = set()
    for kind in KINDS:
        try:
            # Which claim a volume belongs to is not in its metadata.
            items = cluster.list_all(kind) if kind == VOLUMES else cluster.list_metadata(kind)
        except GatehouseError as error:
            if isinstance(error, NotFound) and kind in OPTIONAL:
                continue  # this cluster does not serve the kind, so there is none of it
            reason = "forbidden" if isinstance(error, PermissionDenied) else error.summary
            unverified[kind.plural] = f"{reason}: {error.seen}" if error.seen else reason
            if isinstance(error, PASSING):
                passing.add(kind.plural)
        else:
            objects += [(kind, item) for item in items]
    return objects, unverified, frozenset(passing)


def _found(kind: Kind, item: Object, by: Belongs) -> Found:
    metadata = item["metadata"]
    return Found(
        kind.plural,
        metadata.get("namespace", ""),
        metadata["name"],
        metadata["uid"],
        bool(metadata.get("deletionTimestamp")),
        tuple(metadata.get("finalizers") or ()),
        tuple(f"{each.get('kind')} {each.get('name')}" for each in metadata.get("ownerReferences") or []),
        by,
        kind,
        item,
    )
