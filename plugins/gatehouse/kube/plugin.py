"""Fixtures for tests that look into the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import pytest

from gatehouse.run import required_run

if TYPE_CHECKING:
    from gatehouse.core.command_result import CommandResult
    from gatehouse.core.smoke_settings import SmokeSettings
    from gatehouse.kube.client import Cluster, Object


class HasId(Protocol):
    """A workspace, as far as this slice knows one."""

    @property
    def id(self) -> str:
        """Its id."""
        ...


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The target's cluster. Where it cannot be looked at the test is skipped as unverified, which the gate can judge.

    Raises `EnvironmentProblem` where credentials are there but cannot be used.
    """
    from gatehouse.kube.client import connect

    settings = required_run(pytestconfig).target.kubernetes
    connection = connect(settings)
    if connection is None:
        lacking = (
            "the target has no kubernetes section"
            if settings is None
            else "there is no kubeconfig and no service account here"
        )
        pytest.skip(f"unverified: {lacking}, so the cluster cannot be looked at")
    with connection:
        yield connection


@pytest.fixture(scope="session")
def workspace_pod(cluster: Cluster, ready_workspace: HasId) -> Object:
    """The pod of the shared workspace, by its owners: stock templates give the pods of all the same labels.

    Skips as unverified where pods may not be listed.
    """
    from gatehouse.core.errors import InfrastructureError
    from gatehouse.kube.client import PODS
    from gatehouse.kube.inventory import workspace_inventory

    inventory = workspace_inventory(cluster, ready_workspace.id)
    pods = [each for each in inventory.found if each.kind == PODS.plural and not each.ending]
    if not pods and PODS.plural in inventory.unverified:
        pytest.skip(f"unverified: the workspace's pod cannot be found ({inventory.unverified[PODS.plural]})")
    pod = cluster.get(PODS, pods[0].name, pods[0].namespace) if len(pods) == 1 else None
    if pod is None:
        raise InfrastructureError(
            "the pod of the workspace could not be told",
            expected="exactly one pod that belongs to it",
            seen=", ".join(map(str, pods)) or "none",
        )
    return pod


@pytest.fixture(scope="session")
def run_in_workspace(
    cluster: Cluster, workspace_pod: Object, smoke_settings: SmokeSettings
) -> Callable[..., CommandResult]:
    """Runs a command in the shared workspace's container: its words, a limit in seconds, and standard input.

    Skips as unverified where commands in pods may not be run.
    """
    from gatehouse.core.deadline import Deadline
    from gatehouse.core.errors import PermissionDenied
    from gatehouse.kube.exec import run_in_pod

    metadata = workspace_pod["metadata"]

    def run(argv: Sequence[str], seconds: float | None = None, stdin: bytes = b"") -> CommandResult:
        deadline = Deadline.after(seconds or smoke_settings.workspace.timeout_seconds)
        try:
            return run_in_pod(
                cluster,
                metadata["namespace"],
                metadata["name"],
                argv,
                deadline,
                container=smoke_settings.workspace.container,
                stdin=stdin,
            )
        except PermissionDenied as error:
            pytest.skip(f"unverified: no command may be run in the workspace's pod ({error.seen})")

    return run


@pytest.fixture(scope="session")
def control_plane(cluster: Cluster, smoke_settings: SmokeSettings) -> Object:
    """Coder's own Deployment: the one that is named, else the one labelled as Coder's chart does.

    Skips as unverified where it cannot be told: not found is not unhealthy.
    """
    from gatehouse.core.errors import PermissionDenied
    from gatehouse.kube.client import DEPLOYMENTS

    named = smoke_settings.control_plane
    try:
        if named.deployment:
            found = cluster.list_all(DEPLOYMENTS, named.namespace, fields=f"metadata.name={named.deployment}")
        else:
            found = cluster.list_all(DEPLOYMENTS, named.namespace, labels="app.kubernetes.io/name=coder")
    except PermissionDenied as error:
        pytest.skip(f"unverified: the identity may not list Deployments ({error.seen})")
    if len(found) != 1:
        names = ", ".join(f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in found)
        pytest.skip(
            f"unverified: Coder's own Deployment cannot be told (found: {names or 'none'}); name it as "
            "smoke.control_plane.deployment"
        )
    return found[0]
