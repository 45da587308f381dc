"""The one thing that keeps an Application from being ready: the deepest failing object, in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

#: Reasons of a waiting container that do not go away by waiting.
STUCK = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)


#: Reasons of pods that have ended for good; their owners have made others in their place.
ENDED = frozenset(
    {
        *("Completed", "Succeeded", "Evicted", "Shutdown", "NodeShutdown", "NodeAffinity", "NodeLost"),
        *("Terminated", "Preempting", "UnexpectedAdmissionError", "ContainerStatusUnknown"),
    }
)


#: Kinds whose trouble is the cause of others', the first before the second.
ROOT_KINDS = ("HTTPRoute", "GRPCRoute", "Ingress", "SecretStore", "ClusterSecretStore", "ExternalSecret")


def root_rank(kind: str) -> int:
    """How far from being the cause of others' trouble a kind is; the same for all that are not such a cause."""
    return ROOT_KINDS.index(kind) if kind in ROOT_KINDS else len(ROOT_KINDS)


@dataclass(frozen=True)
class Blocker:
    """An object that is not well; `stuck` says that waiting will not help."""

    resource: str
    reason: str
    message: str
    stuck: bool
    node: Object

    def __str__(self) -> str:
        return f"{self.resource}: {self.reason}"


def find_blocker(nodes: list[Object]) -> Blocker | None:
    """Of a resource tree: the worst pod of the newest ReplicaSet, else the worst node of any kind.

    What is left of an older version, what has ended, and what a CronJob runs keep nothing from becoming ready.
    """
    pods = [pod for pod in newest_pods(nodes) if not _of_a_cron_job(pod, nodes)]
    unhealthy = [node for node in nodes if _is_unhealthy(node) and not _is_past(node, nodes)]
    ranked = sorted(
        {node.get("uid") or _named(node): node for node in [*pods, *unhealthy]}.values(),
        key=lambda node: (
            _reason(node) in STUCK,
            not _of_a_job(node),
            _rank(node),
            -root_rank(node["kind"]),
            node["kind"] == "Pod",
        ),
        reverse=True,
    )
    for node in ranked:
        health = node.get("health") or {}
        if not _is_unhealthy(node) and _reason(node) not in STUCK:
            continue
        reason = _reason(node) or health.get("status", "")
        return Blocker(_named(node), reason, health.get("message", ""), reason in STUCK, node)
    return None


def waiting_pod(nodes: list[Object]) -> Object | None:
    """A pod of the newest version that is not well yet, which the health of what owns it need not show."""
    return next((pod for pod in newest_pods(nodes) if _is_unhealthy(pod) and not _of_a_job(pod)), None)


def newest_pods(nodes: list[Object]) -> list[Object]:
    """The pods of a resource tree that are there to stay.

    Left out are those of an older ReplicaSet going away, those that have ended and been replaced, and those of
    Jobs unless they run: what a CronJob once ran, or a hook before the last one, says nothing about the present.
    """
    return [
        node
        for node in nodes
        if node["kind"] == "Pod"
        and _newest(node, nodes)
        and not _has_ended(node)
        and (not _of_a_job(node) or _reason(node) == "Running")
    ]


def lasting_pods(nodes: list[Object]) -> list[Object]:
    """The newest pods but those of Jobs, which end by themselves; those of Jobs where there are no others."""
    newest = newest_pods(nodes)
    return [pod for pod in newest if not _of_a_job(pod)] or newest


def older_pod(nodes: list[Object]) -> Object | None:
    """A pod of an older version that is still there: it can answer requests while it ends."""
    older = (node for node in nodes if node["kind"] == "Pod" and not _newest(node, nodes))
    return next((node for node in older if not _has_ended(node)), None)


def newest_replica_sets(nodes: list[Object]) -> list[str]:
    """The names of the ReplicaSets whose pods are the present ones; a restart or another image makes a new one.

    StatefulSets and DaemonSets have ControllerRevisions in their place.
    """
    return sorted(
        node["name"] for node in nodes if node["kind"] in _VERSIONS and _newest_of_its_owner(node, nodes)
    )


def pods_of(nodes: list[Object], kind: str, name: str) -> list[Object]:
    """The pods below an object of a resource tree, such as a hook's Job."""
    uids = {node.get("uid") for node in nodes if (node["kind"], node["name"]) == (kind, name)}
    return [
        node
        for node in nodes
        if node["kind"] == "Pod" and uids & {parent.get("uid") for parent in node.get("parentRefs") or []}
    ]


#: Kinds that stand for one version of what owns them.
_VERSIONS = ("ReplicaSet", "ControllerRevision")

#: Reasons of warnings that say less than others about the same object.
_LESS_TELLING = ("BackOff", "FailedToRetrieveImagePullSecret")


def warning(events: list[Object]) -> str:
    """The newest warning among core/v1 events that says more than that there is a back-off.

    A pull secret that is missing is added to it: pods of public images do without, so by itself it says little.
    """
    warnings = [event for event in events if event.get("type") == "Warning"]
    telling = [event for event in warnings if event.get("reason") not in _LESS_TELLING] or warnings
    newest = max(telling, key=lambda event: event.get("lastTimestamp") or "", default=None)
    if newest is None:
        return ""
    secret = next((each for each in warnings if each.get("reason") == _LESS_TELLING[1]), newest)
    added = f"; {secret['message']}" if secret is not newest else ""
    return f"{newest['message']}{added}"


def _named(node: Object) -> str:
    where = f"{node['namespace']}/{node['name']}" if node.get("namespace") else node["name"]
    return f"{node['kind']} {where}"


def _is_unhealthy(node: Object) -> bool:
    """Whether a node says that it is not well; kinds without a check say nothing."""
    return (node.get("health") or {}).get("status") not in (None, "Healthy")


def _of_a_job(pod: Object) -> bool:
    return any(parent.get("kind") == "Job" for parent in pod.get("parentRefs") or [])


def _of_a_cron_job(pod: Object, nodes: list[Object]) -> bool:
    jobs = {parent.get("uid") for parent in pod.get("parentRefs") or [] if parent.get("kind") == "Job"}
    return any(
        node.get("uid") in jobs
        and any(each.get("kind") == "CronJob" for each in node.get("parentRefs") or [])
        for node in nodes
    )


def _is_past(node: Object, nodes: list[Object]) -> bool:
    """Whether a node that is not well belongs to an older version, to a CronJob, or has ended and been replaced."""
    if node["kind"] == "ReplicaSet":
        return not _newest_of_its_owner(node, nodes)
    if node["kind"] == "Job":
        return any(parent.get("kind") == "CronJob" for parent in node.get("parentRefs") or [])
    if node["kind"] != "Pod":
        return False
    return (
        not _newest(node, nodes) or _of_a_cron_job(node, nodes) or (_has_ended(node) and not _of_a_job(node))
    )


def _has_ended(pod: Object) -> bool:
    """Whether a pod has ended for good. One of a ReplicaSet that failed stays, without counting for anything.

    Its containers' reason hides the pod's own (`Evicted`); but only of a failed pod does health quote how they ended.
    """
    reason, health = _reason(pod), pod.get("health") or {}
    of_a_set = any(parent.get("kind") == "ReplicaSet" for parent in pod.get("parentRefs") or [])
    failed = health.get("status") == "Degraded" and bool(health.get("message"))
    return (
        reason in ENDED
        or reason.startswith("OutOf")
        or (of_a_set and failed and reason in ("Error", "OOMKilled"))
    )


def _newest(pod: Object, nodes: list[Object]) -> bool:
    """Whether a pod belongs to its owner's newest ReplicaSet (highest `Rev:`), so not to one going away."""
    parents = {parent.get("uid") for parent in pod.get("parentRefs") or []}
    sets = [node for node in nodes if node["kind"] == "ReplicaSet"]
    own = next((node for node in sets if node.get("uid") in parents), None)
    return own is None or _newest_of_its_owner(own, nodes)


def _newest_of_its_owner(own: Object, nodes: list[Object]) -> bool:
    owners = {parent.get("uid") for parent in own.get("parentRefs") or []}
    siblings = [
        node
        for node in nodes
        if node["kind"] in _VERSIONS
        and owners & {parent.get("uid") for parent in node.get("parentRefs") or []}
    ]
    return _revision(own) == max(map(_revision, siblings), default=0)


def _revision(node: Object) -> int:
    value = _info(node, "Revision").removeprefix("Rev:")
    return int(value) if value.isdigit() else 0


def _reason(node: Object) -> str:
    return _info(node, "Status Reason")


def _info(node: Object, name: str) -> str:
    return next((str(each["value"]) for each in node.get("info") or [] if each["name"] == name), "")


def _rank(node: Object) -> int:
    order = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")
    status = (node.get("health") or {}).get("status", "Healthy")
    return order.index(status) if status in order else 0
