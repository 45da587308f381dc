"""The smoke suite's checks of the cluster, each against what it is there to find."""

import re

import pytest

from gatehouse.embedded.kubernetes.kinds import VOLUME
from gatehouse.embedded.platform import Platform
from tests.platform.conftest import eventually, objects, quick
from tests.platform.smoke_runs import ROOT, SmokeRun

FILES = {name: f"suites/smoke/test_{name}.py" for name in ("consistency", "edge", "posture", "egress")}


def run_against(scenarios, settled, folder, *tests):
    with Platform(scenarios, timings=quick()) as platform:
        eventually(lambda: settled(platform))
        return SmokeRun(platform, folder, *tests)


def reasons(platform):
    """What the containers beside Coder wait for, and what they last ended with."""
    pods = objects(platform, "api/v1/namespaces/coder/pods")
    statuses = [each for pod in pods for each in pod["status"].get("containerStatuses", [])]
    waiting = {each["state"].get("waiting", {}).get("reason") for each in statuses}
    ended = {each["lastState"].get("terminated", {}).get("reason") for each in statuses}
    conditions = [each for pod in pods for each in pod["status"].get("conditions", [])]
    return waiting | ended | {each.get("reason") for each in conditions}


# --- the platform's own pods ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """One run against a platform with many troubles, none of which is in the way of another."""
    scenarios = [
        "workspace-unknown-to-coder",
        "coder-logs-forbidden",
        "coder-out-of-memory",
        "vault-sealed-later",
        "helper-image-rate-limited",
        "helper-image-wrong-architecture",
        "helper-without-node",
    ]

    def settled(platform):
        external = objects(platform, "apis/external-secrets.io/v1/namespaces/coder/externalsecrets")
        sealed = all(each["status"]["conditions"][0]["status"] == "False" for each in external)
        return sealed and {"ImagePullBackOff", "OOMKilled", "Unschedulable"} <= reasons(platform)

    return run_against(scenarios, settled, tmp_path_factory.mktemp("troubled"), FILES["consistency"])


def test_a_namespace_of_a_workspace_that_coder_does_not_know_is_named(troubled):
    words = troubled.failed["test_every_workspace_in_the_cluster_is_known_to_coder_and_the_other_way_round"]
    assert "Coder has no workspace 5b1e1c55-3f0b-4a51-9f3e-0d6a6d7f2c11" in words


def test_refusals_in_coders_log_are_found_though_all_else_is_well(troubled):
    words = troubled.failed["test_coders_recent_logs_are_free_of_noise"]
    assert "3 times" in words
    assert "cannot list resource" in words


def test_a_container_that_ran_out_of_memory_is_told_with_its_limit(troubled):
    words = troubled.failed["test_no_container_of_the_platform_was_restarted_a_short_while_ago"]
    assert (
        "restarted 4 times; its last run ended with OOMKilled (exit code 137); its memory limit is 4096Mi"
        in words
    )


def test_a_vault_that_was_sealed_later_is_told_in_the_stores_words(troubled):
    words = troubled.failed["test_every_secret_that_coder_needs_from_a_vault_is_ready"]
    assert "Secret coder-db-url: ExternalSecret coder-db-url is not Ready" in words
    assert "Vault is sealed" in words


def test_images_that_cannot_be_pulled_are_told_by_the_kind_of_reason(troubled):
    words = troubled.failed["test_every_image_of_the_platform_can_be_pulled_and_run"]
    assert "the registry limits the rate of pulls" in words
    assert "the image is not there for the node's architecture" in words


def test_a_pod_without_a_node_is_told_with_the_schedulers_reason(troubled):
    words = troubled.failed["test_no_pod_of_the_platform_waits_for_a_node_for_long"]
    assert "pod coder/reconciler-" in words
    assert "didn't match Pod's node affinity/selector" in words


def test_troubles_beside_coder_do_not_redden_its_own_rollout(troubled):
    assert troubled.passed == {"test_the_pods_that_serve_coder_are_those_of_its_current_rollout"}


def test_old_pods_that_keep_a_deployment_available_are_named(tmp_path):
    def settled(platform):
        return "ErrImagePull" in reasons(platform) or "ImagePullBackOff" in reasons(platform)

    run = run_against(["old-pods-of-coder-serve"], settled, tmp_path, FILES["consistency"])

    words = run.failed["test_the_pods_that_serve_coder_are_those_of_its_current_rollout"]
    assert "serves, but is of revision 1" in words
    assert "no pod of the current revision 2" in words


def test_a_secret_that_the_vault_does_not_have_is_told_for_the_pod_that_cannot_start(tmp_path):
    def settled(platform):
        return "CreateContainerConfigError" in reasons(platform)

    run = run_against(["coder-secret-missing"], settled, tmp_path, FILES["consistency"])

    assert "Secret does not exist" in run.failed["test_every_secret_that_coder_needs_from_a_vault_is_ready"]
    rollout = run.failed["test_the_pods_that_serve_coder_are_those_of_its_current_rollout"]
    assert "availableReplicas is 0, not 1" in rollout
    assert "test_every_image_of_the_platform_can_be_pulled_and_run" in run.passed


# --- the edge ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broken_edge(tmp_path_factory):
    scenarios = [
        "name-unknown-inside",
        "hairpin",
        "nothing-listens",
        "route-missing",
        "alias-without-endpoints",
        "redirect-refused",
    ]
    return run_against(scenarios, lambda _: True, tmp_path_factory.mktemp("edge"), FILES["edge"])


def test_a_name_that_only_the_cluster_does_not_know_is_told_as_such(broken_edge):
    words = broken_edge.failed["test_every_canonical_name_is_reached_from_inside_a_workspace"]
    assert "auth.preview.localhost does not resolve inside the cluster, though it does outside" in words


def test_a_public_address_that_times_out_inside_is_told_as_a_hairpin(broken_edge):
    words = broken_edge.failed["test_every_canonical_name_is_reached_from_inside_a_workspace"]
    assert (
        "sessions.preview.localhost is reached from outside, but connections to 203.0.113.10 time out"
        in words
    )
    assert "(hairpin)" in words


def test_a_name_at_which_nothing_listens_is_told_for_both_sides(broken_edge):
    for side in ("outside", "inside_a_workspace"):
        words = broken_edge.failed[f"test_every_canonical_name_is_reached_from_{side}"]
        assert "shop: nothing listens for shop.preview.localhost" in words


def test_faults_inside_are_not_laid_to_the_outside(broken_edge):
    words = broken_edge.failed["test_every_canonical_name_is_reached_from_outside"]
    assert "identity provider" not in words
    assert "orchestrator" not in words


def test_an_edge_without_a_route_is_told_from_an_application(broken_edge):
    words = broken_edge.failed["test_what_answers_from_outside_is_what_should"]
    assert "answers 404 with an empty page; that is an edge that has no route for the name" in words


def test_a_service_that_selects_nothing_is_named(broken_edge):
    words = broken_edge.failed["test_every_service_beside_coder_leads_to_a_ready_pod"]
    assert "Service coder/auth has no ready endpoint" in words


def test_an_address_that_the_identity_provider_does_not_know_is_told(broken_edge):
    words = broken_edge.failed["test_the_identity_provider_sends_people_back_to_every_name"]
    assert "Invalid parameter: redirect_uri" in words


def test_the_rest_of_a_broken_edge_stays_green(broken_edge):
    assert broken_edge.passed == {
        "test_certificates_seen_from_outside_are_valid_for_their_names_and_for_a_while",
        "test_certificates_seen_from_inside_a_workspace_are_valid_for_their_names",
        "test_websockets_are_upgraded_from_outside",
        "test_websockets_are_upgraded_from_inside_a_workspace",
        "test_gateways_are_programmed_and_have_addresses_and_good_listeners",
    }


def test_a_vendors_own_certificate_is_told_as_such_from_both_sides(tmp_path):
    run = run_against(["vendor-certificate"], lambda _: True, tmp_path, FILES["edge"])

    for name in (
        "test_certificates_seen_from_outside_are_valid_for_their_names_and_for_a_while",
        "test_certificates_seen_from_inside_a_workspace_are_valid_for_their_names",
    ):
        assert "is Azure Front Door's own (it is for *.azurefd.net" in run.failed[name]
    assert not [line for line in run.failed[name].splitlines() if line.startswith("coder: ")]


# --- posture, outbound traffic, base image, orchestrator ----------------------------------------------------


@pytest.fixture(scope="module")
def powerful(tmp_path_factory):
    scenarios = [
        "privileged-workspace",
        "docker-socket",
        "secret-in-template",
        "secrets-for-everybody",
        "telepresence",
        "egress-open",
        "base-image-tool-missing",
        "orchestrator-page-for-api",
    ]
    tests = [f"suites/smoke/test_{each}.py" for each in ("posture", "egress", "base_image", "orchestrator")]
    return run_against(scenarios, lambda _: True, tmp_path_factory.mktemp("powerful"), *tests)


def test_a_privileged_container_and_a_runtimes_socket_are_named(powerful):
    words = powerful.failed["test_a_workspace_has_no_power_over_its_node"]
    assert "container dev is privileged" in words
    assert "volume docker reaches the container runtime's socket (/var/run/docker.sock)" in words


def test_secrets_that_the_pods_own_token_may_read_are_told(powerful):
    words = powerful.failed["test_a_workspaces_service_account_may_not_do_what_is_forbidden"]
    assert "list secrets in every namespace" in words
    assert "create pods in every namespace" not in words


def test_telepresence_is_found(powerful):
    words = powerful.failed["test_the_cluster_has_no_telepresence"]
    assert "Deployment ambassador/traffic-manager is Telepresence's traffic manager" in words


def test_a_secret_in_the_pods_variables_is_named_and_never_shown(powerful):
    words = powerful.failed["test_no_secret_stands_in_the_specification_of_a_workspaces_pod"]
    assert "GITHUB_TOKEN holds a token of GitHub" in words
    assert "k3J9sD7fQ2mZ8xW5vB1nL6cR4tY0hG3pA9eU" not in powerful.output


def test_an_open_policy_is_told_by_the_objects_and_by_a_connection(powerful):
    objects_say = powerful.failed["test_network_policies_restrict_what_a_workspace_connects_to"]
    assert "NetworkPolicy egress allows every address on every port" in objects_say
    connections_say = powerful.failed["test_a_workspace_cannot_connect_to_what_is_forbidden"]
    assert "and a rule of egress allows it" in connections_say


def test_each_tool_that_is_not_there_is_a_line(powerful):
    words = powerful.failed["test_every_tool_is_there_in_the_version_that_is_promised"]
    assert "mise: not there: `mise --version`" in words
    assert "git: " not in words


def test_a_page_in_place_of_the_api_is_told(powerful):
    words = powerful.failed["test_its_api_is_answered_by_the_api_and_not_by_the_edges_page"]
    assert "/api/v1/sessions: 200 (text/html" in words


def test_nothing_else_is_red_for_these_faults(powerful):
    assert len(powerful.failed) == 8
    assert powerful.skipped == {}


def test_a_policy_that_nobody_enforces_is_told_in_words_of_its_own(tmp_path):
    run = run_against(["egress-not-enforced"], lambda _: True, tmp_path, FILES["egress"])

    assert set(run.failed) == {"test_a_workspace_cannot_connect_to_what_is_forbidden"}
    words = run.failed["test_a_workspace_cannot_connect_to_what_is_forbidden"]
    assert "though egress forbids it: nothing in this cluster enforces NetworkPolicies" in words


# --- the suite on a platform that is well -------------------------------------------------------------------


def test_on_a_platform_that_is_well_every_check_of_the_cluster_passes(platform, tmp_path):
    names = ("edge", "consistency", "posture", "egress", "base_image", "orchestrator")
    run = SmokeRun(platform, tmp_path, *(f"suites/smoke/test_{name}.py" for name in names))

    assert run.failed == {}, run.output
    assert run.skipped == {}
    assert len(run.passed) > 30
    assert platform.call(workspaces_of_the_suite) == []


def workspaces_of_the_suite(systems):
    live = [each.name for each in systems.database.workspaces.values() if not each.deleted]
    return [name for name in live if name.startswith("gate-smoke-")]


def test_the_examples_of_the_documentation_work_as_they_are(start, tmp_path):
    def leave_a_volume(systems):
        claim = {"namespace": "coder-ws-old", "name": "home", "uid": "gone"}
        spec = {"claimRef": claim, "persistentVolumeReclaimPolicy": "Retain", "capacity": {}}
        systems.store.create(
            VOLUME, {"metadata": {"name": "pvc-old"}, "spec": spec, "status": {"phase": "Bound"}}
        )

    platform = start("happy")
    platform.call(leave_a_volume)
    folder = tmp_path / "suites" / "smoke"
    folder.mkdir(parents=True)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    keycloak, disks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "smoke.md").read_text(), re.DOTALL)
    realm = platform.call(lambda systems: systems.identity.issuer) + "/.well-known/openid-configuration"
    (folder / "test_keycloak.py").write_text(keycloak.replace("https://auth.example.com/realms/shop", realm))
    (folder / "test_disks.py").write_text(disks)

    run = SmokeRun(platform, tmp_path, cwd=tmp_path)

    assert run.passed == {"test_the_realm_is_reachable_from_workspaces"}, run.output
    assert (
        "pvc-old is left of coder-ws-old/home" in run.failed["test_no_volume_is_left_of_a_claim_that_is_gone"]
    )


def test_from_a_runner_without_a_cluster_the_rest_stays_unverified(platform, tmp_path):
    files = (FILES[name] for name in ("edge", "consistency", "posture"))
    run = SmokeRun(platform, tmp_path, *files, without=["kubernetes"])

    assert run.failed == {}, run.output
    assert "test_every_canonical_name_is_reached_from_outside" in run.passed
    assert [words for words in run.skipped.values() if not words.startswith("unverified: ")] == []
    assert "test_a_workspace_has_no_power_over_its_node" in run.skipped
