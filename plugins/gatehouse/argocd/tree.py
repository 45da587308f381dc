"""A resource tree in the shape of Argo CD's API, made of live objects: pure functions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from gatehouse.argocd.health import health_of

Object = dict[str, Any]

#: The annotations by which a Deployment and a Rollout of Argo's count their ReplicaSets.
REVISIONS = ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision")


@dataclass(frozen=True)
class Reference:
    """What names an object, whichever it is at the moment; also how an owner is named."""

    group: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Live:
    """An object as the cluster has it. In a list, objects of built-in kinds do not say their type."""

    reference: Reference
    version: str
    item: Object

    @property
    def uid(self) -> str:
        """What tells it from another object of its name."""
        return str(self.item["metadata"]["uid"])


def tree(live: Collection[Live], roots: Collection[Reference]) -> list[Object]:
    """The nodes of `roots` and of all that they own, directly or not.

    A root that is not among `live` may be of a kind that was not read: what names it as its owner belongs to
    the tree, only the root itself is missing.
    """
    chosen = {each.uid: each for each in live if each.reference in roots}
    found = {each.reference for each in chosen.values()}
    unread = set(roots) - found
    while True:
        owned = {
            each.uid: each
            for each in live
            if each.uid not in chosen
            and any(
                owner["uid"] in chosen or _names(owner, each) & unread
                for owner in each.item["metadata"].get("ownerReferences") or []
            )
        }
        if not owned:
            return [_node(each) for each in chosen.values()]
        chosen |= owned


def with_health(application: Object, nodes: list[Object]) -> Object:
    """The Application with the health of its resources filled in, as Argo CD's API does in single reads."""
    known = {_reference(node): node["health"] for node in nodes if "health" in node}
    status = application["status"]
    resources = [
        {**each, "health": known[_reference(each)]} if _reference(each) in known else each
        for each in status.get("resources") or []
    ]
    return {**application, "status": {**status, "resources": resources}}


def _reference(entry: Object) -> Reference:
    """What a node of a tree, or an entry of an Application's `status.resources`, is about."""
    return Reference(
        entry.get("group", ""), entry.get("kind", ""), entry.get("namespace", ""), entry.get("name", "")
    )


def root_references(application: Object) -> list[Reference]:
    """The objects that an Application tracks."""
    return [_reference(each) for each in (application.get("status") or {}).get("resources") or []]


def _names(owner: Object, owned: Live) -> set[Reference]:
    """What an owner may be: in the namespace of what it owns, or in none."""
    group = owner.get("apiVersion", "").rpartition("/")[0]
    return {
        Reference(group, owner.get("kind", ""), namespace, owner.get("name", ""))
        for namespace in (owned.reference.namespace, "")
    }


def _node(live: Live) -> Object:
    metadata, reference = live.item["metadata"], live.reference
    node: Object = {
        "version": live.version,
        "kind": reference.kind,
        "name": reference.name,
        "uid": live.uid,
        "resourceVersion": metadata.get("resourceVersion", ""),
        "createdAt": metadata.get("creationTimestamp", ""),
        "parentRefs": [
            {
                "group": owner.get("apiVersion", "").rpartition("/")[0],
                "kind": owner.get("kind", ""),
                "name": owner.get("name", ""),
                "namespace": reference.namespace,
                "uid": owner["uid"],
            }
            for owner in metadata.get("ownerReferences") or []
        ],
    }
    node |= {"group": reference.group} if reference.group else {}
    node |= {"namespace": reference.namespace} if reference.namespace else {}
    if health := health_of(reference.group, reference.kind, live.item):
        node["health"] = health.as_data()
    if reference.kind == "Pod":
        node["images"] = _images(live.item.get("spec") or {})
        node["info"] = _pod_info(live.item)
    counted = metadata.get("annotations") or {}
    revision = next((counted[each] for each in REVISIONS if each in counted), "")
    if reference.kind == "ReplicaSet" and revision:
        node["info"] = [{"name": "Revision", "value": f"Rev:{revision}"}]
    return node


def _images(spec: Object) -> list[str]:
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return list(dict.fromkeys(each["image"] for each in containers))


def _pod_info(pod: Object) -> list[Object]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    statuses = status.get("containerStatuses") or []
    ready = sum(1 for each in statuses if each.get("ready"))
    restarts = sum(each.get("restartCount", 0) for each in statuses)
    return [
        {"name": "Status Reason", "value": _status_reason(pod["metadata"], spec, status)},
        {"name": "Node", "value": spec.get("nodeName", "")},
        {"name": "Containers", "value": f"{ready}/{len(spec.get('containers') or [])}"},
        *([{"name": "Restart Count", "value": str(restarts)}] if restarts else []),
    ]


def _status_reason(metadata: Object, spec: Object, status: Object) -> str:
    """The word that `kubectl get pods`, and Argo CD after it, shows for a pod's state."""
    statuses = status.get("containerStatuses") or []
    reason = str(status.get("reason") or status.get("phase") or "Pending")
    starting = _init_reason(spec, status)
    if starting:
        reason = starting
    else:
        for each in reversed(statuses):
            reason = _waiting(each) or _ended(each) or reason
        running = any(each.get("ready") and "running" in (each.get("state") or {}) for each in statuses)
        if reason == "Completed" and running:
            reason = "Running"
    if metadata.get("deletionTimestamp"):
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _init_reason(spec: Object, status: Object) -> str:
    """What the first init container that has not ended well is at; empty once all have."""
    lasting = {
        each["name"] for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"
    }
    statuses = status.get("initContainerStatuses") or []
    for number, each in enumerate(statuses):
        ended = (each.get("state") or {}).get("terminated")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if each.get("name") in lasting and each.get("started"):
            continue
        waiting = _waiting(each)
        if waiting == "PodInitializing":
            waiting = ""
        told = waiting or _ended(each)
        return f"Init:{told}" if told else f"Init:{number}/{len(spec.get('initContainers') or statuses)}"
    return ""


def _waiting(container: Object) -> str:
    waiting = (container.get("state") or {}).get("waiting") or {}
    return str(waiting.get("reason", ""))


def _ended(container: Object) -> str:
    ended = (container.get("state") or {}).get("terminated")
    if ended is None:
        return ""
    signal = ended.get("signal")
    return str(
        ended.get("reason") or (f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}")
    )
