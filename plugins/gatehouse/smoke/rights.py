"""Which checks of the smoke suite each credential allows: a table, and a question that changes nothing.

Sources: Coder's scopes of tokens (`resource:action`, GET /api/v2/auth/scopes) and its authorization check (POST
/api/v2/authcheck); Kubernetes' SelfSubjectAccessReview.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatehouse.coder.api.identity import Right
from gatehouse.coder.client import CoderClient
from gatehouse.core.errors import GatehouseError
from gatehouse.kube.client import Cluster


@dataclass(frozen=True)
class Need:
    """What one group of checks needs to be allowed. `scope` is what to give a token for it."""

    checks: str
    right: Right
    scope: str


#: Asked of the token that looks at the deployment (`coder.owner_token`, else `coder.token`).
OWNER_NEEDS = (
    Need("health report, WebSocket round trip", Right("read", "debug_info"), "debug_info:read"),
    Need("configuration, OIDC issuer", Right("read", "deployment_config"), "deployment_config:read"),
    Need("users that must be there", Right("read", "user"), "user:read"),
    Need("provisioner daemons", Right("read", "provisioner_daemon", any_org=True), "provisioner_daemon:read"),
    Need("queue of jobs", Right("read", "provisioner_jobs", any_org=True), "provisioner_jobs:read"),
)

#: Asked of the ordinary user's token (`coder.token`).
USER_NEEDS = (
    Need("templates", Right("read", "template", any_org=True), "template:read"),
    Need(
        "making workspaces", Right("create", "workspace", owner="me", any_org=True), "coder:workspaces.create"
    ),
    Need(
        "start and stop", Right("update", "workspace", owner="me", any_org=True), "coder:workspaces.operate"
    ),
    Need("deleting them", Right("delete", "workspace", owner="me", any_org=True), "coder:workspaces.delete"),
    Need("terminal", Right("ssh", "workspace", owner="me", any_org=True), "coder:workspaces.access"),
    Need(
        "web editor",
        Right("application_connect", "workspace", owner="me", any_org=True),
        "coder:workspaces.access",
    ),
)

#: Checks of the smoke suite by what they need to be allowed in the cluster: verb, resource, group of the API.
CLUSTER_NEEDS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "proof that nothing is left": tuple(
        ("list", resource, group)
        for resource, group in (
            ("namespaces", ""),
            ("pods", ""),
            ("persistentvolumeclaims", ""),
            ("persistentvolumes", ""),
            ("secrets", ""),
            ("deployments", "apps"),
            ("replicasets", "apps"),
        )
    ),
    "looking from inside a workspace": (("get", "pods/exec", ""), ("create", "pods/exec", "")),
    "logs of pods": (("get", "pods/log", ""),),
    "events": (("list", "events", ""),),
    "network policies": (("list", "networkpolicies", "networking.k8s.io"),),
}


def missing_rights(client: CoderClient, needs: tuple[Need, ...]) -> list[Need]:
    """The needs that the token does not cover. Raises as the client does."""
    answers = client.may({need.checks: need.right for need in needs})
    return [need for need in needs if not answers.get(need.checks)]


def missing_in_cluster(cluster: Cluster) -> dict[str, list[str]]:
    """What is not allowed in the cluster, by the checks that need it; empty lists are left out."""
    missing: dict[str, list[str]] = {}
    for checks, wanted in CLUSTER_NEEDS.items():
        refused = [
            f"{verb} {resource}{f'.{group}' if group else ''}"
            for verb, resource, group in wanted
            if not _may(cluster, verb, resource, group)
        ]
        if refused:
            missing[checks] = refused
    return missing


def _may(cluster: Cluster, verb: str, resource: str, group: str) -> bool:
    try:
        return cluster.may(verb, resource, group=group)
    except GatehouseError:
        return False
