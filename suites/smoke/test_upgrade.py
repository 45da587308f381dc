"""The platform survived its upgrade, also for workspaces that existed before."""

import pytest

from gatehouse.coder.workspaces import delete, wait_for_build
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound
from gatehouse.smoke.canaries import find_canary, read_marker
from gatehouse.smoke.differences import JUDGES, Judgement


@pytest.mark.parametrize("section", JUDGES)
def test_what_must_not_change_has_not_changed(section, differences_in, baseline, coder, note_version):
    found = differences_in(section)
    if section == "deployment":
        note_version("Coder", coder.build_info().version, baseline.version)

    broken = [str(each) for each in found if each.judgement is Judgement.BROKEN]
    assert not broken, "; ".join(broken)
    unverified = [each.why for each in found if each.judgement is Judgement.UNVERIFIED]
    if unverified:
        pytest.skip(f"unverified: {section}: {'; '.join(unverified)}")


@pytest.fixture(scope="module")
def running_canary(baseline, coder):
    return the_canary(baseline, coder, "running")


@pytest.fixture(scope="module")
def stopped_canary(baseline, coder):
    return the_canary(baseline, coder, "stopped")


def the_canary(baseline, coder, expect):
    canary = next((each for each in baseline.canaries if each.expect == expect), None)
    if canary is None:
        pytest.skip(
            f"unverified: the baseline has no {expect} canary (it was taken with --no-canaries, or was cut off)"
        )
    return canary, find_canary(coder, canary)


def test_the_running_canary_never_stopped(running_canary, coder):
    canary, workspace = running_canary
    build = workspace.latest_build
    if build.transition == "stop" and canary.stops_at and canary.stops_at < coder.server_time():
        pytest.skip(
            f"unverified: the running canary's time was over at {canary.stops_at}, so Coder stopped it"
        )

    assert (build.transition, build.status) == ("start", "running"), (
        f"the running canary {canary.name} is {build.status}: {build.reason or 'no reason given'}"
    )


def test_the_agent_of_the_running_canary_is_still_connected(running_canary, coder, note_version):
    canary, _ = running_canary
    agent = find_canary(coder, canary).agent
    note_version("agent of the running canary", agent.version)

    assert agent.ready, (
        f"the agent of the running canary {canary.name} is {agent.status}, {agent.lifecycle_state}"
    )


@pytest.fixture(scope="module")
def connected_canary(running_canary):
    canary, workspace = running_canary
    if workspace.agent is None or not workspace.agent.ready:
        pytest.skip(
            "unverified: the agent of the running canary is not connected, so nobody can look into it"
        )
    return canary, workspace


def test_the_terminal_and_the_files_of_the_running_canary_are_still_there(connected_canary, coder):
    canary, workspace = connected_canary

    assert read_marker(coder, workspace, canary.marker_path) == canary.marker


def test_the_web_editor_of_the_running_canary_still_answers(connected_canary, coder, coder_settings):
    _, workspace = connected_canary
    if workspace.agent.app(coder_settings.app) is None:
        pytest.skip(f"not configured: the template has no app {coder_settings.app}")

    assert coder.app(workspace, coder_settings.app, "healthz").status_code == 200


@pytest.fixture(scope="module")
def started_canary(stopped_canary, coder, bring_up):
    """The canary that was stopped, started. It stays as it is where that fails, to be looked at."""
    canary, _ = stopped_canary
    coder.create_build(canary.id, "start")
    return canary, bring_up(canary.id).workspace


def test_the_stopped_canary_starts(started_canary):
    _, workspace = started_canary

    assert workspace.agent.ready


def test_the_stopped_canary_still_has_its_files(started_canary, coder):
    canary, workspace = started_canary

    assert read_marker(coder, workspace, canary.marker_path) == canary.marker


@pytest.fixture(scope="module")
def restarted_canary(started_canary, coder, coder_settings, bring_up):
    canary, _ = started_canary
    coder.create_build(canary.id, "stop")
    wait_for_build(coder, canary.id, Deadline.after(coder_settings.teardown_timeout_seconds))
    coder.create_build(canary.id, "start")
    return canary, bring_up(canary.id).workspace


def test_the_stopped_canary_restarts(restarted_canary):
    _, workspace = restarted_canary

    assert workspace.agent.ready


def test_the_stopped_canary_can_be_deleted(restarted_canary, coder, coder_settings):
    canary, _ = restarted_canary
    delete(coder, canary.id, Deadline.after(coder_settings.teardown_timeout_seconds))

    with pytest.raises(NotFound):
        coder.workspace(canary.id)


def test_nothing_is_left_of_the_canary_in_the_cluster(
    restarted_canary, coder, cluster, coder_settings, evidence
):
    from gatehouse.task.leaks import prove_gone

    canary, _ = restarted_canary
    proof = prove_gone(coder, cluster, canary.id, Deadline.after(coder_settings.teardown_timeout_seconds))
    evidence.event("leak_proof", proof=proof.as_data())
    proof.require_clean()
