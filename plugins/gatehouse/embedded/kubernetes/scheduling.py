"""Why no node fits a pod, in the scheduler's words."""

from __future__ import annotations

from gatehouse.embedded.kubernetes.kinds import NODE, Object
from gatehouse.embedded.kubernetes.store import ObjectStore


def no_fitting_node(store: ObjectStore, pod: Object | None) -> str:
    """What the scheduler says when no node has the labels that a pod asks for; empty when one has."""
    wanted = pod["spec"].get("nodeSelector", {}) if pod else {}
    nodes = store.select(NODE)
    for node in nodes:
        labels = node["metadata"].get("labels", {})
        if all(labels.get(name) == value for name, value in wanted.items()):
            return ""
    count = len(nodes)
    return (
        f"0/{count} nodes are available: {count} node(s) didn't match Pod's node affinity/selector. "
        f"preemption: 0/{count} nodes are available: {count} Preemption is not helpful for scheduling."
    )
