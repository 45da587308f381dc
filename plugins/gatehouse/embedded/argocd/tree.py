"""The resource tree of an Application: what it tracks, and all that these objects own."""

from __future__ import annotations

from gatehouse.embedded.argocd.health import health_of
from gatehouse.embedded.argocd.manifests import tracked_by
from gatehouse.embedded.kubernetes.controllers import REVISION
from gatehouse.embedded.kubernetes.kinds import Kind, Object
from gatehouse.embedded.kubernetes.store import ObjectStore


def resource_tree(store: ObjectStore, application: str) -> Object:
    """`{nodes, orphanedNodes, hosts}` as the API gives it."""
    everything = [pair for pair in store.everything() if pair[0].name not in ("Event", "Application")]
    chosen = {
        item["metadata"]["uid"]: (kind, item)
        for kind, item in everything
        if tracked_by(item) == application and not item["metadata"].get("ownerReferences")
    }
    while True:
        owned = {
            item["metadata"]["uid"]: (kind, item)
            for kind, item in everything
            if item["metadata"]["uid"] not in chosen
            and any(owner["uid"] in chosen for owner in item["metadata"].get("ownerReferences", []))
        }
        if not owned:
            break
        chosen |= owned
    return {"nodes": [_node(kind, item) for kind, item in chosen.values()], "orphanedNodes": [], "hosts": []}


def _node(kind: Kind, item: Object) -> Object:
    metadata = item["metadata"]
    node: Object = {
        "version": kind.version,
        "kind": kind.name,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
        "createdAt": metadata["creationTimestamp"],
        "parentRefs": [
            {
                "group": owner["apiVersion"].rpartition("/")[0],
                "kind": owner["kind"],
                "name": owner["name"],
                "namespace": metadata.get("namespace", ""),
                "uid": owner["uid"],
            }
            for owner in metadata.get("ownerReferences", [])
        ],
    }
    if kind.group:
        node["group"] = kind.group
    if kind.namespaced:
        node["namespace"] = metadata["namespace"]
    if health := health_of(item):
        node["health"] = {"status": health[0]} | ({"message": health[1]} if health[1] else {})
    if kind.name == "Pod":
        node["images"] = [container["image"] for container in item["spec"]["containers"]]
        node["info"] = _pod_info(item)
    if kind.name == "ReplicaSet":
        node["info"] = [{"name": "Revision", "value": f"Rev:{metadata['annotations'].get(REVISION, '0')}"}]
    return node


def _pod_info(pod: Object) -> list[Object]:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    reason = pod.get("status", {}).get("phase", "Pending")
    for status in statuses:
        for state in ("waiting", "terminated"):
            reason = status["state"].get(state, {}).get("reason", reason)
    ready = sum(1 for status in statuses if status["ready"])
    restarts = sum(status["restartCount"] for status in statuses)
    return [
        {"name": "Status Reason", "value": reason},
        {"name": "Node", "value": pod["spec"].get("nodeName", "")},
        {"name": "Containers", "value": f"{ready}/{len(pod['spec']['containers'])}"},
        *([{"name": "Restart Count", "value": str(restarts)}] if restarts else []),
    ]
