"""Reads from the cluster what the tree of an Application is made of.

Only kinds that say something of the wait are read: those with a health of their own, and those through which
pods are owned. Secrets and configuration are not, so that no right to them is needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gatehouse.argocd.tree import Live, Reference, root_references
from gatehouse.core.errors import EnvironmentProblem, NotFound, PermissionDenied
from gatehouse.kube.client import (
    CLAIMS,
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    HTTP_ROUTES,
    INGRESSES,
    JOBS,
    PODS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
    Cluster,
    Kind,
)

Object = dict[str, Any]
Type = tuple[str, str]

POD, REPLICA_SET, JOB = ("", "Pod"), ("apps", "ReplicaSet"), ("batch", "Job")
DEPLOYMENT, STATEFUL_SET, DAEMON_SET = ("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")
CRON_JOB, SERVICE, CLAIM = ("batch", "CronJob"), ("", "Service"), ("", "PersistentVolumeClaim")
SLICE, INGRESS = ("discovery.k8s.io", "EndpointSlice"), ("networking.k8s.io", "Ingress")
ROUTE = ("gateway.networking.k8s.io", "HTTPRoute")

#: The kinds that are read, what is owned before what owns it: an owner read later is there for all it owns.
KINDS: dict[Type, Kind] = {
    POD: PODS,
    SLICE: ENDPOINT_SLICES,
    REPLICA_SET: REPLICA_SETS,
    JOB: JOBS,
    CRON_JOB: CRON_JOBS,
    DEPLOYMENT: DEPLOYMENTS,
    STATEFUL_SET: STATEFUL_SETS,
    DAEMON_SET: DAEMON_SETS,
    ROUTE: HTTP_ROUTES,
    INGRESS: INGRESSES,
    SERVICE: SERVICES,
    CLAIM: CLAIMS,
}

#: What an object of a kind leads to; an operator's object may lead to anything.
OWNED: dict[Type, tuple[Type, ...]] = {
    POD: (),
    REPLICA_SET: (POD,),
    DEPLOYMENT: (REPLICA_SET, POD),
    STATEFUL_SET: (POD,),
    DAEMON_SET: (POD,),
    JOB: (POD,),
    CRON_JOB: (JOB, POD),
    SERVICE: (SLICE,),
    ("argoproj.io", "Rollout"): (REPLICA_SET, POD),
    **dict.fromkeys(
        (
            *(INGRESS, ROUTE, CLAIM, ("", "ConfigMap"), ("", "Secret"), ("", "ServiceAccount")),
            *(("", "Namespace"), ("", "LimitRange"), ("", "ResourceQuota")),
            *(("networking.k8s.io", "NetworkPolicy"), ("policy", "PodDisruptionBudget")),
            *(("autoscaling", "HorizontalPodAutoscaler"), ("argoproj.io", "Application")),
            *(("rbac.authorization.k8s.io", each) for each in ("Role", "RoleBinding")),
            *(("rbac.authorization.k8s.io", each) for each in ("ClusterRole", "ClusterRoleBinding")),
        ),
        (),
    ),
}
ANYTHING = (POD, SLICE, REPLICA_SET, JOB, DEPLOYMENT, STATEFUL_SET, DAEMON_SET, ROUTE, INGRESS)

#: The kinds without which pods, and so what runs, would be missed.
NEEDED = frozenset({POD, REPLICA_SET, JOB, DEPLOYMENT, STATEFUL_SET, DAEMON_SET})

#: How Argo CD names the cluster that it runs in.
IN_CLUSTER = ("https://kubernetes.default.svc", "in-cluster")


def live_objects(cluster: Cluster, application: Object) -> list[Live]:
    """What an Application tracks, and all else of the kinds that this may own, from one cluster.

    Kinds that the API server does not serve are left out, and so are forbidden ones that do not lead to pods.
    Raises `PermissionDenied` with the permission to grant for those that do, and `EnvironmentProblem` for an
    Application that deploys to another cluster.
    """
    _require_this_cluster(cluster, application)
    destination = application["spec"]["destination"].get("namespace", "")
    tracked: dict[Reference, str] = {}
    wanted: set[tuple[Type, str]] = set()
    entries = (application.get("status") or {}).get("resources") or []
    for reference, entry in zip(root_references(application), entries, strict=True):
        tracked[reference] = entry.get("version", "v1")
        for each in OWNED.get((reference.group, reference.kind), ANYTHING):
            if namespace := reference.namespace or destination:
                wanted.add((each, namespace))
    found: dict[Reference, Live] = {}
    for type_ in KINDS:
        for namespace in sorted(space for each, space in wanted if each == type_):
            found |= {each.reference: each for each in _list(cluster, type_, namespace)}
        for reference, version in tracked.items():
            if (reference.group, reference.kind) == type_ and reference not in found:
                found |= {each.reference: each for each in _get(cluster, reference, version)}
    return list(found.values())


def kind_of(reference: Reference, version: str) -> Kind:
    """Where objects like the one named are served. Raises `NotFound` for a kind that is not read."""
    kind = KINDS.get((reference.group, reference.kind))
    if kind is None:
        raise NotFound(f"objects of the kind {reference.kind} are not read from the cluster")
    return replace(kind, path=f"apis/{reference.group}/{version}" if reference.group else f"api/{version}")


def _list(cluster: Cluster, type_: Type, namespace: str) -> list[Live]:
    kind = KINDS[type_]
    try:
        items = cluster.list_all(kind, namespace)
    except NotFound:
        return []
    except PermissionDenied as error:
        if type_ not in NEEDED:
            return []
        raise PermissionDenied(
            f"the {kind.plural} in the namespace {namespace} may not be read, so what runs there is unknown",
            seen=error.seen,
            where=error.where,
            next_step=f"grant this identity the verbs get and list on {kind.plural} in the namespace {namespace}",
        ) from error
    group, name = type_
    version = kind.path.rpartition("/")[2]
    return [
        Live(Reference(group, name, namespace, each["metadata"]["name"]), version, each) for each in items
    ]


def _get(cluster: Cluster, reference: Reference, version: str) -> list[Live]:
    """An object that is tracked, unless it is missing or may not be read; it is then known by its name only."""
    try:
        item = cluster.get(kind_of(reference, version), reference.name, reference.namespace)
    except PermissionDenied:
        return []
    return [Live(reference, version, item)] if item else []


def _require_this_cluster(cluster: Cluster, application: Object) -> None:
    destination = application["spec"].get("destination") or {}
    server, name = destination.get("server", ""), destination.get("name", "")
    if server.rstrip("/") in (*IN_CLUSTER, cluster.server.rstrip("/")) or name in IN_CLUSTER:
        return
    raise EnvironmentProblem(
        f"Application {application['metadata']['name']} deploys to another cluster, which cannot be looked at "
        "through the API of the one that holds the Application",
        expected=f"the destination {IN_CLUSTER[0]}",
        seen=f"the destination {server or name or 'is not set'}",
        where=cluster.server,
        next_step="give the harness a token for Argo CD's API, which reads every cluster that it deploys to",
    )
