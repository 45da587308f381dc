"""Coder and the cluster agree, and what serves is the current rollout, well and quiet."""

import time

import pytest

from gatehouse.coder.api.rights import Right
from gatehouse.core.errors import GatehouseError, NotFound, PermissionDenied, UsageError
from gatehouse.core.problems import require_none
from gatehouse.kube.client import (
    CLAIMS,
    CLUSTER_SECRET_STORES,
    DEPLOYMENTS,
    EVENTS,
    EXTERNAL_SECRETS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    SECRET_STORES,
)
from gatehouse.kube.gateways import matches_any
from gatehouse.kube.log_noise import noise_in
from gatehouse.kube.pod_problems import image_problems, pending_problems, restart_problems
from gatehouse.kube.rollout import owned, rollout_problems, serving_pods
from gatehouse.kube.secret_sources import external_secret_problems, referenced_secrets
from gatehouse.kube.served import list_served
from gatehouse.kube.strays import Look, differs, objects_by_workspace, stray_problems

#: Versions in which older operators serve their kinds.
OLDER = ("v1beta1",)

#: Lines of a log that are asked for: more than a window of a quiet program, less than a noisy one's megabytes.
LOG_LINES = 5000


@pytest.fixture
def listed(cluster):
    """Lists objects; a test that may not look is unverified."""

    def listed(kind, namespace=None):
        try:
            return cluster.list_all(kind, namespace)
        except PermissionDenied as error:
            pytest.skip(f"unverified: the identity may not list {kind.plural} ({error.seen})")

    return listed


@pytest.fixture
def platform_pods(listed, control_plane, smoke_settings):
    """The pods of Coder's own namespace, and of those that are named besides."""
    namespaces = {control_plane["metadata"]["namespace"], *smoke_settings.consistency.namespaces}
    pods = [pod for namespace in sorted(namespaces) for pod in listed(PODS, namespace)]
    return [pod for pod in pods if matches_any(pod["metadata"]["name"], smoke_settings.consistency.pods)]


@pytest.fixture
def coder_pods(listed, control_plane):
    """The pods of all revisions of Coder's Deployment."""
    namespace = control_plane["metadata"]["namespace"]
    sets = owned(listed(REPLICA_SETS, namespace), control_plane)
    pods = listed(PODS, namespace)
    return [pod for replica_set in sets for pod in owned(pods, replica_set)]


# --- Coder's workspaces and the cluster's -----------------------------------------------------------------


def test_every_workspace_in_the_cluster_is_known_to_coder_and_the_other_way_round(
    coder, listed, smoke_settings
):
    settings = smoke_settings.consistency
    if not coder.may({"all": Right("read", "workspace", any_org=True)}).get("all"):
        pytest.skip(
            "unverified: the token may not see everybody's workspaces, so none can be told to be missing"
        )

    def look():
        before = {each.id: each.latest_build.status for each in coder.workspaces()}
        items = [item for kind in (NAMESPACES, DEPLOYMENTS, CLAIMS) for item in listed(kind)]
        # One that was made while the cluster was looked at is known by now.
        after = {each.id: each.latest_build.status for each in coder.workspaces()}
        known = {
            id_: state if before.get(id_) == state else "changing" for id_, state in (before | after).items()
        }
        return Look(known, objects_by_workspace(items, settings.namespace_pattern))

    first = look()
    if not differs(first):
        return
    time.sleep(settings.settle_seconds)
    require_none(stray_problems(first, look()))


# --- what serves ------------------------------------------------------------------------------------------


def test_the_pods_that_serve_coder_are_those_of_its_current_rollout(
    cluster, listed, control_plane, coder_pods, evidence
):
    evidence.attach("coder-pods.json", serving_pods(coder_pods, cluster.server_time()))
    sets = listed(REPLICA_SETS, control_plane["metadata"]["namespace"])

    require_none(rollout_problems(control_plane, sets, coder_pods))


def test_no_container_of_the_platform_was_restarted_a_short_while_ago(cluster, platform_pods, smoke_settings):
    window = smoke_settings.consistency.restart_window_seconds

    require_none(restart_problems(platform_pods, cluster.server_time(), window))


def test_no_pod_of_the_platform_waits_for_a_node_for_long(cluster, platform_pods, smoke_settings):
    budget = smoke_settings.consistency.pending_seconds

    require_none(pending_problems(platform_pods, cluster.server_time(), budget))


def test_every_image_of_the_platform_can_be_pulled_and_run(cluster, platform_pods):
    if not image_problems(platform_pods):
        return
    try:
        events = cluster.list_all(EVENTS)
    except GatehouseError:
        events = []  # they only say why
    require_none(image_problems(platform_pods, events))


def test_coders_recent_logs_are_free_of_noise(cluster, coder_pods, smoke_settings, evidence):
    settings = smoke_settings.consistency
    if not coder_pods:
        pytest.skip("unverified: no pod of Coder's own was found, so there is no log to read")
    problems = []
    for pod in coder_pods:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        for container in pod["spec"]["containers"]:
            try:
                log = cluster.log(
                    namespace,
                    name,
                    container["name"],
                    lines=LOG_LINES,
                    since_seconds=settings.log_window_seconds,
                )
            except PermissionDenied as error:
                pytest.skip(f"unverified: the identity may not read logs in {namespace} ({error.seen})")
            except (UsageError, NotFound):
                continue  # the container has not started, which is another check's business
            found = noise_in(log, settings.log_noise, settings.log_accepted)
            problems += [f"pod {name}, container {container['name']}: {noise}" for noise in found]

    require_none(problems)


def test_every_secret_that_coder_needs_from_a_vault_is_ready(listed, cluster, control_plane):
    namespace = control_plane["metadata"]["namespace"]
    try:
        external = list_served(cluster, EXTERNAL_SECRETS, OLDER, namespace)
    except NotFound:
        pytest.skip("not configured: the cluster has no ExternalSecrets")
    except PermissionDenied as error:
        pytest.skip(f"unverified: the identity may not list ExternalSecrets in {namespace} ({error.seen})")
    stores = []
    for kind, name, where in (
        (SECRET_STORES, "SecretStore", namespace),
        (CLUSTER_SECRET_STORES, "ClusterSecretStore", None),
    ):
        try:
            stores += [{**store, "kind": name} for store in list_served(cluster, kind, OLDER, where)]
        except GatehouseError:
            continue  # they only say why
    names = referenced_secrets({"spec": control_plane["spec"]["template"]["spec"]})

    require_none(external_secret_problems(names, external, stores))
