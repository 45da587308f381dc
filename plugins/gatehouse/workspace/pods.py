"""Finds the pod of a workspace in the cluster, again at each look."""

from __future__ import annotations

from gatehouse.core.errors import PermissionDenied
from gatehouse.kube.client import EVENTS, PODS, Cluster
from gatehouse.kube.inventory import belonging, workspace_inventory
from gatehouse.workspace.stages import PodView, pod_view


class Pods:
    """The pod of one workspace. `unseen` says why it cannot be looked at, '' if it can."""

    def __init__(self, cluster: Cluster | None, workspace_id: str) -> None:
        self._cluster = cluster
        self._workspace = workspace_id
        self._namespaces: set[str] | None = None
        self.unseen = "" if cluster else "the target has no kubernetes section"

    def look(self) -> PodView | None:
        """The view of the pod, or None where the cluster cannot be looked at or has nothing of the workspace."""
        if self._cluster is None or self.unseen:
            return None
        try:
            if not self._namespaces:
                self._namespaces = self._find()
            if not self._namespaces:
                self.unseen = "nothing in the cluster belongs to the workspace"
                return None
            views = [self._view(self._cluster, each) for each in sorted(self._namespaces)]
        except PermissionDenied as error:
            self.unseen = f"{error.summary}: {error.seen}"
            return None
        return next((view for view in views if view.name), views[0])

    def _find(self) -> set[str]:
        """Where the objects are that the build has made, by one look at the whole cluster."""
        assert self._cluster
        found = workspace_inventory(self._cluster, self._workspace)
        return {each.namespace for each in found.found if each.namespace}

    def _view(self, cluster: Cluster, namespace: str) -> PodView:
        pods = cluster.list_all(PODS, namespace)
        own = {each.uid for each in belonging([(PODS, pod) for pod in pods], self._workspace)}
        events = cluster.list_all(EVENTS, namespace)
        return pod_view(
            [pod for pod in pods if pod["metadata"]["uid"] in own],
            [event for event in events if self._is_about(event)],
        )

    def _is_about(self, event: dict[str, object]) -> bool:
        about = event.get("involvedObject")
        return isinstance(about, dict) and self._workspace in f"{about.get('namespace')} {about.get('name')}"
