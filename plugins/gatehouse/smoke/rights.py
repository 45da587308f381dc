"""Which checks of the smoke suite each credential allows: a table, and a question that changes nothing.

Sources: Coder's authorization check (POST /api/v2/authcheck), the scopes that tokens can be limited to (GET
/api/v2/auth/scopes), its roles, and what v2.30.0 answers to tokens of each; Kubernetes' SelfSubjectAccessReview.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatehouse.coder.api.rights import SEE_TEMPLATES, SEE_USERS, Right
from gatehouse.coder.client import CoderClient
from gatehouse.core.errors import GatehouseError
from gatehouse.kube.client import Cluster
from gatehouse.kube.inventory import KINDS


@dataclass(frozen=True)
class Need:
    """What one group of checks needs to be allowed: all of `rights`. `remedy` is how to come by them."""

    checks: str
    rights: tuple[Right, ...]
    remedy: str


_OWNER = (
    "use a token without scopes of a user with the role Owner: no scope that can be asked for covers this"
)

#: Asked of the token that looks at the deployment (`coder.owner_token`, else `coder.token`).
OWNER_NEEDS = (
    Need("health report, WebSocket round trip", (Right("read", "debug_info"),), _OWNER),
    Need(
        "configuration, OIDC issuer",
        (Right("read", "deployment_config"),),
        "use a token without scopes of a user with the role Auditor or Owner",
    ),
    Need(
        "users that must be there",
        (SEE_USERS,),
        "use a token of a user with the role Auditor or Owner, without scopes or, where Coder has it, with user:read",
    ),
    # The list of daemons is kept from whoever may not see jobs, although there is a right to read daemons.
    Need("provisioner daemons, queue of jobs", (Right("read", "provisioner_jobs", any_org=True),), _OWNER),
)


def _own(action: str) -> Right:
    return Right(action, "workspace", owner="me", any_org=True)


_ORDINARY = "use a token without scopes, or with {} besides"

#: Asked of the ordinary user's token (`coder.token`).
USER_NEEDS = (
    Need("templates", (SEE_TEMPLATES,), _ORDINARY.format("template:read")),
    Need(
        "making workspaces",
        # It is made as of a member of an organization, whom the token must be able to see.
        (_own("create"), Right("read", "organization_member", owner="me", any_org=True)),
        "use a token without scopes: coder:workspaces.create was too little before the spring of 2026 "
        "(coder issue 22537)",
    ),
    Need("start and stop", (_own("update"),), _ORDINARY.format("coder:workspaces.operate")),
    Need("deleting them", (_own("delete"),), _ORDINARY.format("coder:workspaces.delete")),
    Need("terminal", (_own("ssh"),), _ORDINARY.format("coder:workspaces.access")),
    Need("web editor", (_own("application_connect"),), _ORDINARY.format("coder:workspaces.access")),
)

#: Checks of the smoke suite by what they need to be allowed in the cluster: verb, resource, group of the API.
CLUSTER_NEEDS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "proof that nothing is left": tuple(("list", kind.plural, kind.group) for kind in KINDS),
    "looking from inside a workspace": (
        ("get", "pods", ""),
        ("get", "pods/exec", ""),
        ("create", "pods/exec", ""),
    ),
    "logs of pods": (("get", "pods/log", ""),),
    "events": (("list", "events", ""),),
    "Pod Security levels": (("get", "namespaces", ""),),
    "network policies": (("list", "networkpolicies", "networking.k8s.io"),),
    "Gateways": (("list", "gateways", "gateway.networking.k8s.io"),),
    "endpoints of Services": (("list", "endpointslices", "discovery.k8s.io"),),
    "secrets from vaults": tuple(
        ("list", resource, "external-secrets.io")
        for resource in ("externalsecrets", "secretstores", "clustersecretstores")
    ),
    "custom resources": (("get", "customresourcedefinitions", "apiextensions.k8s.io"),),
}


def missing_rights(client: CoderClient, needs: tuple[Need, ...]) -> list[Need]:
    """The needs that the token does not cover. Raises as the client does."""
    asked = {f"{right.resource}:{right.action}": right for need in needs for right in need.rights}
    answers = client.may(asked)
    return [
        need
        for need in needs
        if not all(answers.get(f"{right.resource}:{right.action}") for right in need.rights)
    ]


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
