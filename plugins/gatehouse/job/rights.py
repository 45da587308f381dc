"""What whoever starts a Job must be allowed to do in its namespace."""

from __future__ import annotations

from gatehouse.core.errors import PermissionDenied
from gatehouse.kube.client import Cluster

#: Verb, resource and API group; deploy/setup/launcher.yaml has a Role with just these.
LAUNCHER_RIGHTS = (
    ("create", "jobs", "batch"),
    ("get", "jobs", "batch"),
    ("delete", "jobs", "batch"),
    ("create", "configmaps", ""),
    ("list", "pods", ""),
    ("list", "events", ""),
    ("get", "pods/log", ""),
    ("get", "pods/exec", ""),
    ("create", "pods/exec", ""),
)


def require_rights(cluster: Cluster, namespace: str) -> None:
    """Ask for every right before anything is made: a Job that could not be collected or deleted is worse than none.

    Raises `PermissionDenied` with all that is missing.
    """
    missing = [
        f"{verb} {resource}{f'.{group}' if group else ''}"
        for verb, resource, group in LAUNCHER_RIGHTS
        if not cluster.may(verb, resource, namespace, group=group)
    ]
    if missing:
        raise PermissionDenied(
            f"a Job cannot be run in the namespace {namespace} by this identity",
            expected="the rights of the Role gatehouse-launcher",
            seen=f"not allowed: {', '.join(missing)}",
            where=cluster.server,
            next_step="bind the Role gatehouse-launcher to it (deploy/setup/launcher.yaml)",
        )
