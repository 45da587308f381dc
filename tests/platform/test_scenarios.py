"""Each scenario of the embedded platform, and what the harness makes of it."""

import uuid

import httpx
import pytest

from gatehouse.coder import workspaces
from gatehouse.coder.client import CoderClient
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    AuthenticationError,
    InfrastructureError,
    TerminalState,
    WaitTimeout,
    WrongSubject,
)
from gatehouse.core.ledger import Ledger
from gatehouse.embedded.platform import Platform
from gatehouse.embedded.scenarios import SCENARIOS, UnknownScenarioError
from gatehouse.kube.client import Cluster
from gatehouse.task.launcher import TaskLauncher
from tests.platform.conftest import target_of
from tests.platform.previews import prove_preview, refusal


@pytest.fixture
def coder_of():
    clients = []

    def coder_of(platform):
        clients.append(CoderClient(platform.urls.coder, platform.credentials.coder))
        return clients[-1]

    yield coder_of
    for client in clients:
        client.close()


def workspace(coder, seconds=10):
    """A workspace brought to ready, or the error that kept it from it."""
    version = coder.template("task").active_version_id
    made = coder.create_workspace(f"t-{uuid.uuid4().hex[:8]}", template_version_id=version)
    workspaces.wait_for_build(coder, made.id, Deadline.after(20))
    return workspaces.wait_for_agent(coder, made.id, Deadline.after(seconds))


# --- what a preview is proved to be; its faults are told in test_preview_faults -------------------------------


def test_happy_is_proved_to_run_and_serve_the_pull_requests_commit(platform):
    environment = prove_preview(platform)

    assert environment.commit == platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))
    assert environment.proof.outcome == "this commit"
    assert environment.proof.means == ("image digest", "served commit")
    assert len(environment.applications) == 5
    assert set(environment.urls) == {"www", "platform"}


def test_login_broken_is_deployed_all_right(start):
    assert prove_preview(start("login-broken")).proof.outcome == "this commit"


def test_unit_test_fails_changes_what_the_pull_request_holds(start):
    def source(systems):
        return systems.shop.repository.read("prices-with-tax", "services/platform/platform_app/cart.py")

    assert "        PRICES[product]\n" in start("happy").call(source)
    assert "        PRICES[product]\n" not in start("unit-test-fails").call(source)


# --- what becomes of a workspace -----------------------------------------------------------------------


def test_without_a_provisioner_the_wait_for_a_build_ends_at_once(start, coder_of):
    with pytest.raises(InfrastructureError, match="no provisioner daemon can take the build"):
        workspace(coder_of(start("provisioner-offline")))


def test_a_failing_build_is_reported_in_terraforms_words(start, coder_of):
    with pytest.raises(TerminalState) as caught:
        workspace(coder_of(start("build-fails")))
    assert "already exists" in str(caught.value)


def test_a_failing_start_script_is_reported_with_the_end_of_its_log(start, coder_of):
    with pytest.raises(TerminalState) as caught:
        workspace(coder_of(start("start-script-fails")))
    assert "start_error" in str(caught.value)
    assert "cannot reach the package mirror" in str(caught.value)


def test_an_agent_that_never_connects_is_named(start, coder_of):
    with pytest.raises(WaitTimeout) as caught:
        workspace(coder_of(start("agent-never-connects")), seconds=1)
    assert "connecting" in str(caught.value)


def test_a_dead_editor_answers_bad_gateway_in_a_ready_workspace(start, coder_of):
    platform = start("editor-dead")
    coder = coder_of(platform)
    ready = workspace(coder)
    assert coder.app(ready, "code-server").status_code == 502


def test_after_a_database_reset_first_run_set_up_is_open_and_templates_are_gone(start):
    platform = start("database-reset")
    assert httpx.get(f"{platform.urls.coder}/api/v2/users/first").status_code == 404
    with (
        CoderClient(platform.urls.coder, platform.credentials.coder) as coder,
        pytest.raises(AuthenticationError),
    ):
        coder.template("task")


def test_a_leaked_claim_is_found_after_a_delete_that_succeeded(start, coder_of, tmp_path):
    platform = start("claim-leaks")
    target = target_of(platform)
    with Cluster(platform.kubeconfig) as cluster:
        launcher = TaskLauncher(
            target.task,
            coder_of(platform),
            cluster,
            Ledger(tmp_path / "ledger.jsonl"),
            "20260101-000000-test",
        )
        task = launcher.start()
        proof = launcher.destroy(task.name)
    assert proof.outcome == "left"
    assert any("persistentvolumeclaims" in each for each in proof.left)


# --- scenarios themselves ------------------------------------------------------------------------------


def test_scenarios_can_be_combined(start):
    platform = start("unit-test-fails", "base-images")
    assert "base images" in refusal(platform, WrongSubject)


def test_an_unknown_scenario_is_refused_with_the_list():
    with pytest.raises(UnknownScenarioError, match="there are: happy, "):
        Platform(["sunny"]).start()


def test_every_scenario_has_a_line_to_list_and_each_system_a_fault():
    assert all(each.summary and len(each.summary) < 120 for each in SCENARIOS.values())
    assert {each.system for each in SCENARIOS.values()} >= {
        *("code host", "registry", "coder", "kubernetes", "argocd", "ingress")
    }
