"""A person can get a workspace, work in it, and get rid of it."""

import time
import uuid

import pytest

from gatehouse.coder.made import template_under_test
from gatehouse.coder.workspaces import delete, wait_for_agent, wait_for_app, wait_for_build
from gatehouse.core.answers import server_words
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound


@pytest.fixture(scope="module")
def workspace(coder, coder_settings, make_workspace):
    """A workspace made from the template under test and brought to ready."""
    made = make_workspace(template_under_test(coder, coder_settings))
    deadline = Deadline.after(coder_settings.workspace_timeout_seconds)
    wait_for_build(coder, made.id, deadline)
    return wait_for_agent(coder, made.id, deadline)


def test_it_is_built_and_its_agent_becomes_ready(workspace):
    assert workspace.agent.ready


def test_its_agent_has_the_servers_version(workspace, coder):
    assert workspace.agent.version == coder.build_info().version


def test_its_agent_is_still_ready_after_a_while(workspace, coder, coder_settings):
    time.sleep(coder_settings.hold_seconds)

    assert coder.workspace(workspace.id).agent.ready


def test_its_build_and_start_scripts_left_logs(workspace, coder):
    assert coder.build_log(workspace.latest_build.id)
    assert coder.agent_log(workspace.agent.id)


def test_every_start_script_ended_well(workspace, coder):
    assert [
        (each.display_name, each.exit_code) for each in coder.script_timings(workspace.id) if each.exit_code
    ] == []


def test_its_terminal_runs_a_command(workspace, coder):
    word = uuid.uuid4().hex

    assert word in coder.terminal(workspace.agent.id, f"echo {word}", str(uuid.uuid4()))


def test_its_editor_answers_through_coders_own_proxy(workspace, coder, coder_settings):
    slug = coder_settings.app
    health = wait_for_app(coder, workspace.id, slug, Deadline.after(coder_settings.app_timeout_seconds))

    answer = coder.app(workspace, slug, "healthz")
    assert answer.status_code == 200, (
        f"the app {slug} is {health}, and its health page answers {answer.status_code} through the proxy: "
        f"{server_words(answer.text)}"
    )
    assert answer.json()["status"] in ("alive", "expired")
    page = coder.app(workspace, slug)
    assert page.status_code == 200
    assert "<html" in page.text


def test_it_is_gone_after_deletion_in_coder_and_in_the_cluster(
    workspace, coder, coder_settings, cluster, evidence
):
    from gatehouse.task.leaks import prove_gone

    deadline = Deadline.after(coder_settings.teardown_timeout_seconds)
    delete(coder, workspace.id, deadline)

    with pytest.raises(NotFound):
        coder.workspace(workspace.id)
    assert coder.find_workspace(workspace.name) is None
    proof = prove_gone(coder, cluster, workspace.id, deadline)
    evidence.event("leak_proof", proof=proof.as_data())
    proof.require_clean()
