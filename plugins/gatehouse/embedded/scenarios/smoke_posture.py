"""Workspaces with more power or fewer tools than they should have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gatehouse.embedded.control_plane import push_workspace_image
from gatehouse.embedded.kubernetes.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    DEPLOYMENT,
    NAMESPACE,
)
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems


def _manifests(systems: Systems, kind: str) -> Iterator[dict[str, Any]]:
    for template in systems.database.templates.values():
        for manifest in [*template.active.always, *template.active.started]:
            if manifest["kind"] == kind:
                yield manifest


def _pods(systems: Systems) -> Iterator[dict[str, Any]]:
    for manifest in _manifests(systems, "Deployment"):
        yield manifest["spec"]["template"]["spec"]


@scenario("coder")
def privileged_workspace(systems: Systems) -> None:
    """Templates make privileged containers, as a published one has done since 2025."""
    for pod in _pods(systems):
        pod["containers"][0]["securityContext"] = {"privileged": True}


@scenario("coder")
def docker_socket(systems: Systems) -> None:
    """Templates give workspaces the socket of the node's container runtime."""
    for pod in _pods(systems):
        pod["volumes"].append({"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}})


@scenario("coder")
def secret_in_template(systems: Systems) -> None:
    """Templates hold a token in plain sight, in a variable of the pod."""
    token = "ghp_" + "k3J9sD7fQ2mZ8xW5vB1nL6cR4tY0hG3pA9eU"
    for pod in _pods(systems):
        pod["containers"][0]["env"] = [{"name": "GITHUB_TOKEN", "value": token}]


@scenario("kubernetes")
def secrets_for_everybody(systems: Systems) -> None:
    """Every workspace's service account may read all Secrets of the cluster."""
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]
    systems.store.create(CLUSTER_ROLE, {"metadata": {"name": "read-secrets"}, "rules": rules})
    for template in systems.database.templates.values():
        template.active.always.append(
            {
                "apiVersion": CLUSTER_ROLE_BINDING.api_version,
                "kind": CLUSTER_ROLE_BINDING.name,
                "metadata": {"name": "read-secrets-${workspace_id}"},
                "subjects": [
                    {"kind": "ServiceAccount", "name": "workspace", "namespace": "coder-ws-${workspace_id}"}
                ],
                "roleRef": {"kind": "ClusterRole", "name": "read-secrets"},
            }
        )


@scenario("kubernetes")
def telepresence(systems: Systems) -> None:
    """Somebody has installed Telepresence's traffic manager."""
    systems.store.create(NAMESPACE, {"metadata": {"name": "ambassador"}})
    container = {"name": "traffic-manager", "image": "ghcr.io/telepresenceio/tel2:2.30.0"}
    labels = {"app": "traffic-manager"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    systems.store.create(DEPLOYMENT, {"metadata": {"name": "traffic-manager"}, "spec": spec}, "ambassador")


@scenario("kubernetes")
def egress_open(systems: Systems) -> None:
    """The NetworkPolicy of workspaces lets them connect to everything."""
    for manifest in _manifests(systems, "NetworkPolicy"):
        manifest["spec"]["egress"] = [{}]


@scenario("kubernetes")
def egress_not_enforced(systems: Systems) -> None:
    """Workspaces have their NetworkPolicy, and nothing in the cluster enforces it."""
    systems.network.enforcing = False


@scenario("registry")
def base_image_tool_missing(systems: Systems) -> None:
    """The image of workspaces was built without one of the tools that are promised."""
    push_workspace_image(systems, tools=False)
