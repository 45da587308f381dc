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
    """Of a resource tree: the worst pod of the newest ReplicaSet, else the worst node of any kind."""
    pods = [node for node in nodes if node["kind"] == "Pod" and _newest(node, nodes)]
    unhealthy = [node for node in nodes if _is_unhealthy(node)]
    ranked = sorted(
        {node["uid"]: node for node in [*pods, *unhealthy]}.values(),
        key=lambda node: (_reason(node) in STUCK, _rank(node), node["kind"] == "Pod"),
        reverse=True,
    )
    for node in ranked:
        health = node.get("health") or {}
        if not _is_unhealthy(node) and _reason(node) not in STUCK:
            continue
        where = f"{node['namespace']}/{node['name']}" if node.get("namespace") else node["name"]
        reason = _reason(node) or health.get("status", "")
        return Blocker(f"{node['kind']} {where}", reason, health.get("message", ""), reason in STUCK, node)
    return None


def waiting_pod(nodes: list[Object]) -> Object | None:
    """A pod of the newest version that is not well yet, which the health of what owns it need not show."""
    pods = (node for node in nodes if node["kind"] == "Pod" and _is_unhealthy(node) and _newest(node, nodes))
    return next(pods, None)


def warning(events: list[Object]) -> str:
    """The newest warning among core/v1 events that says more than that there is a back-off."""
    warnings = [event for event in events if event.get("type") == "Warning"]
    telling = [event for event in warnings if event.get("reason") != "BackOff"] or warnings
    newest = max(telling, key=lambda event: event.get("lastTimestamp") or "", default=None)
    return str(newest["message"]) if newest else ""


def _is_unhealthy(node: Object) -> bool:
    """Whether a node says that it is not well; kinds without a check say nothing."""
    return (node.get("health") or {}).get("status") not in (None, "Healthy")


def _newest(pod: Object, nodes: list[Object]) -> bool:
    """Whether a pod belongs to its owner's newest ReplicaSet (highest `Rev:`), so not to one going away."""
    parents = {parent["uid"] for parent in pod.get("parentRefs") or []}
    sets = [node for node in nodes if node["kind"] == "ReplicaSet"]
    own = next((node for node in sets if node.get("uid") in parents), None)
    if own is None:
        return True
    owners = {parent["uid"] for parent in own.get("parentRefs") or []}
    siblings = [node for node in sets if owners & {parent["uid"] for parent in node.get("parentRefs") or []}]
    return _revision(own) == max(map(_revision, siblings))


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
