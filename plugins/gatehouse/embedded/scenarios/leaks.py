"""What goes wrong when workspaces are deleted: what stays, why it stays, and who does not let anyone look."""

from __future__ import annotations

import copy

from gatehouse.embedded.coder.faults import Instead
from gatehouse.embedded.kubernetes.access import rule
from gatehouse.embedded.kubernetes.faults import Refusal
from gatehouse.embedded.kubernetes.kinds import Object
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems

#: Finalizers of things that do not run here, so that nobody ever takes them away.
BACKUP, AUDIT = "backup.example.com/protect", "audit.example.com/record"

#: The namespace that all workspaces share, beside those of their own.
SHARED = "coder"


# --- what a delete leaves behind ---------------------------------------------------------------------------


@scenario("coder")
def delete_fails_twice(systems: Systems) -> None:
    """The first two delete builds of all fail, each later one succeeds."""
    systems.provisioner.faults.errors["delete"] = (
        "the server was unable to return a response in the time allotted"
    )
    systems.provisioner.faults.failures["delete"] = 2


@scenario("coder")
def delete_always_fails(systems: Systems) -> None:
    """Every delete build fails."""
    systems.provisioner.faults.errors["delete"] = (
        "the server was unable to return a response in the time allotted"
    )


@scenario("kubernetes")
def volume_retained(systems: Systems) -> None:
    """Workspaces' claims are of another storage class, which keeps volumes: they stay, released, after a delete."""
    systems.controllers.reclaim_policies["kept"] = "Retain"
    systems.provisioner.faults.does_not_wait = True
    for claim in _manifests(systems, "PersistentVolumeClaim"):
        claim["spec"]["storageClassName"] = "kept"


@scenario("kubernetes")
def secret_leaks(systems: Systems) -> None:
    """Templates make a Secret in Coder's own namespace, which a delete leaves behind."""
    _add(systems, "v1", "Secret", {"name": "agent-${workspace_name}", "namespace": SHARED})
    systems.provisioner.faults.leaves_behind = {f"Secret/{SHARED}"}


@scenario("kubernetes")
def unlabelled_secret_leaks(systems: Systems) -> None:
    """As secret-leaks, but the Secret has no label: only its name says whose it is."""
    _add(systems, "v1", "Secret", {"name": "agent-${workspace_name}", "namespace": SHARED}, labelled=False)
    systems.provisioner.faults.leaves_behind = {f"Secret/{SHARED}"}


@scenario("kubernetes")
def service_account_leaks(systems: Systems) -> None:
    """Deleting a workspace succeeds, but leaves its service account and with it its namespace behind."""
    systems.provisioner.faults.leaves_behind = {"ServiceAccount"}


@scenario("kubernetes")
def cluster_role_leaks(systems: Systems) -> None:
    """Templates make a ClusterRole and its binding, which are left behind while the namespace goes."""
    name = {"name": "workspace-${workspace_id}"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", **name}
    _add(systems, "rbac.authorization.k8s.io/v1", "ClusterRole", name, rules=[])
    _add(systems, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name, roleRef=role, subjects=[])
    systems.provisioner.faults.leaves_behind = {"ClusterRole", "ClusterRoleBinding"}


@scenario("kubernetes")
def claim_finalizer_stuck(systems: Systems) -> None:
    """A finalizer on workspaces' claims is never taken away, and the delete does not wait for it."""
    systems.provisioner.faults.does_not_wait = True
    for claim in _manifests(systems, "PersistentVolumeClaim"):
        claim["metadata"]["finalizers"] = [BACKUP]


@scenario("kubernetes")
def namespace_finalizer_stuck(systems: Systems) -> None:
    """A finalizer on workspaces' namespaces is never taken away, and the delete does not wait for it."""
    systems.provisioner.faults.does_not_wait = True
    for namespace in _manifests(systems, "Namespace"):
        namespace["metadata"]["finalizers"] = [AUDIT]


# --- who does not let anyone look --------------------------------------------------------------------------


@scenario("kubernetes")
def namespaces_forbidden(systems: Systems) -> None:
    """The harness may not list namespaces."""
    for identity in systems.kubernetes.tokens.values():
        identity.denials = (*identity.denials, rule("list", "namespaces"))


@scenario("kubernetes")
def overloaded_during_deletes(systems: Systems) -> None:
    """From the first delete on, Kubernetes and Coder answer some requests with 429, 500 and 503."""

    async def overload() -> None:
        await steps.until(systems, lambda: _deleting(systems))
        systems.kubernetes.faults.refusals = [
            Refusal("GET", "/api/v1/(pods|secrets)", 429, "too many requests, please try again later", 2),
            Refusal(
                "GET", "/api/v1/namespaces", 503, "the server is currently unable to handle the request", 2
            ),
            Refusal("GET", "/apis/apps/v1/deployments", 500, "etcdserver: request timed out", 2),
        ]
        words = '{"message": "Internal error fetching workspace."}'
        systems.coder.faults.instead += [
            Instead("GET", "/api/v2/workspaces/[^/]+", status, words, times=2) for status in (502, 500)
        ]

    systems.background.append(overload())


def _deleting(systems: Systems) -> bool:
    return any(build.transition == "delete" for _, build in systems.database.builds())


def _manifests(systems: Systems, kind: str) -> list[Object]:
    """The manifests of a kind that templates make once for each workspace."""
    templates = systems.database.templates.values()
    return [each for template in templates for each in template.active.always if each["kind"] == kind]


def _add(
    systems: Systems, version: str, kind: str, metadata: Object, *, labelled: bool = True, **rest: object
) -> None:
    """Have templates make one more object, labelled as the others are."""
    for template in systems.database.templates.values():
        own = template.active.always[0]["metadata"]
        said = {key: copy.deepcopy(own[key]) for key in ("labels", "annotations") if labelled and key in own}
        manifest = {"apiVersion": version, "kind": kind, "metadata": {**metadata, **said}, **rest}
        template.active.always.append(manifest)
