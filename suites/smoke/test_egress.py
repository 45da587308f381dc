"""Workspaces can connect to what they need, and to nothing else."""

import pytest

from gatehouse.core.errors import PermissionDenied
from gatehouse.core.problems import require_none
from gatehouse.edge import probe
from gatehouse.edge.egress import forbidden_problems, missing_problems
from gatehouse.kube.client import NETWORK_POLICIES
from gatehouse.kube.network_policies import egress_of


@pytest.fixture
def policies(cluster, workspace_pod):
    """What the objects let the workspace's pod connect to."""
    namespace = workspace_pod["metadata"]["namespace"]
    try:
        return egress_of(workspace_pod, cluster.list_all(NETWORK_POLICIES, namespace))
    except PermissionDenied as error:
        pytest.skip(f"unverified: the identity may not list NetworkPolicies in {namespace} ({error.seen})")


@pytest.fixture
def connect(ask_inside, smoke_settings):
    """Tries connections from inside the workspace."""

    def connect(places):
        requests = [
            probe.request(f"http://{place}", smoke_settings.egress.timeout_seconds, only_connect=True)
            for place in places
        ]
        return dict(zip(places, ask_inside(requests), strict=True))

    return connect


def test_network_policies_restrict_what_a_workspace_connects_to(policies, smoke_settings, evidence):
    settings = smoke_settings.egress
    evidence.attach(
        "egress.json", {"policies": list(policies.policies), "rules": [vars(each) for each in policies.rules]}
    )
    if settings.open:
        pytest.skip("not configured: outbound traffic is open on purpose (smoke.egress.open)")
    if settings.enforced_elsewhere:
        pytest.skip(
            "not configured: outbound traffic is restricted by other means (smoke.egress.enforced_elsewhere)"
        )

    require_none(policies.openings(settings.open_ports))


def test_a_workspace_can_connect_to_what_it_needs(connect, policies, smoke_settings):
    require_none(missing_problems(connect(smoke_settings.egress.allowed), policies))


def test_a_workspace_cannot_connect_to_what_is_forbidden(connect, policies, smoke_settings):
    settings = smoke_settings.egress
    if settings.open:
        pytest.skip("not configured: outbound traffic is open on purpose (smoke.egress.open)")
    if not settings.forbidden:
        pytest.skip("not configured: no place is forbidden (smoke.egress.forbidden)")

    require_none(forbidden_problems(connect(settings.forbidden), policies))
