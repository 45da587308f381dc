"""A person can get a workspace, work in it, stop and start it, and get rid of it."""

import uuid

import pytest

from gatehouse.coder.devcontainer import fallbacks
from gatehouse.coder.workspaces import delete, wait_for_build
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound
from gatehouse.smoke.canaries import leave_marker, read_marker
from gatehouse.smoke.workspace.hold import require_hold
from gatehouse.smoke.workspace.tools import failures_of
from gatehouse.workspace.checkout import judge_checkout, parse_checkout, questions


def test_it_becomes_ready_within_the_budget_of_each_stage(started, evidence):
    evidence.event("workspace_started", **started.as_data())

    assert started.workspace.agent.ready


def test_it_belongs_to_the_automation_identity_that_made_it(workspace, coder):
    assert workspace.owner_id == coder.user("me").id


def test_a_second_one_can_be_made_while_the_first_is_there(
    workspace, template_under_test, make_workspace, bring_up
):
    second = bring_up(make_workspace(template_under_test).id).workspace

    assert second.id != workspace.id
    assert second.agent.ready


def test_its_dev_container_was_built_without_a_fallback(workspace, coder):
    log = [line.output for line in coder.agent_log(workspace.agent.id)]

    assert not fallbacks(log), f"another image or state than meant: {'; '.join(fallbacks(log))}"


def test_it_runs_in_the_image_that_is_meant(inside, coder_settings):
    if coder_settings.image_marker is None:
        pytest.skip("not configured: no coder.image_marker, so only the log tells which image it runs in")
    printed = inside(coder_settings.image_marker)

    assert printed.ok, (
        f"the marker of the image is missing: `{coder_settings.image_marker}` ended with {printed.exit_code}: "
        f"{printed.last_line or 'it printed nothing'}"
    )


def test_it_holds_the_commit_that_its_branch_points_to_now(workspace, inside, coder, coder_settings):
    agent = workspace.agent
    folder = coder_settings.checkout or agent.expanded_directory or agent.directory
    checkout = parse_checkout(inside(questions(folder)).output)
    log = [line.output for line in coder.agent_log(agent.id)]
    if checkout.problem and coder_settings.checkout is None and not fallbacks(log):
        pytest.skip(
            f"not configured: {checkout.problem}; name a folder as coder.checkout if there should be one"
        )
    verdict = judge_checkout(checkout, coder_settings.checkout_commit, workspace.created_at, log)
    if verdict.right is None:
        pytest.skip(f"unverified: {verdict.words}")

    assert verdict.right, f"{verdict.words}; {verdict.next_step}"


def test_its_agent_has_the_servers_version(workspace, coder, note_version):
    version = coder.build_info().version
    note_version("agent of a new workspace", workspace.agent.version)

    assert workspace.agent.version == version, (
        f"the agent is {workspace.agent.version}, the server {version}: the workspace was started with an old agent"
    )


def test_every_start_script_ended_well(workspace, coder):
    timings = coder.script_timings(workspace.id)

    assert [(each.display_name, each.exit_code) for each in timings if each.exit_code] == []


def test_its_build_and_start_scripts_left_logs(workspace, coder):
    assert coder.build_log(workspace.latest_build.id)
    assert coder.agent_log(workspace.agent.id)


def test_its_terminal_answers_resizes_and_speaks_utf_8(workspace, coder):
    word = uuid.uuid4().hex
    # What is typed comes back, too: only what the shell makes of it is looked for.
    typed = "printf '%s-%s %s \\303\\251 %s.\\n' " + f"{word[:16]} {word[16:]} "
    typed += '"$(stty size)" "$(printf ü | od -An -tx1 | tr -d \' \\n\')"\r'

    with coder.open_terminal(workspace.agent.id, "sh") as terminal:
        terminal.resize(height=33, width=121)
        terminal.send(typed)
        shown = terminal.read_until(f"{word[:16]}-{word[16:]} ", Deadline.after(20))
        shown = terminal.read_until("c3bc.", Deadline.after(5)) if "c3bc." not in shown else shown

    assert f"{word[:16]}-{word[16:]} 33 121 é c3bc." in shown


def test_its_tools_are_authenticated_without_a_human_step(inside, coder_settings):
    if not coder_settings.authenticated_tools:
        pytest.skip("not configured: coder.authenticated_tools names no tool")
    failures = failures_of(coder_settings.authenticated_tools, inside)

    assert not failures, "not authenticated in a new workspace: " + "; ".join(failures)


def test_its_agent_is_still_ready_after_a_while(started, coder, coder_settings):
    require_hold(coder, started, coder_settings.hold_seconds)


@pytest.fixture(scope="module")
def restarted(started, coder, coder_settings, bring_up):
    """The workspace after a stop and a start, and the marker that was left in it before."""
    workspace = started.workspace
    path, word = leave_marker(coder, workspace, coder_settings.persistent_folder)
    before = coder.build_parameters(workspace.latest_build.id)
    coder.create_build(workspace.id, "stop")
    wait_for_build(coder, workspace.id, Deadline.after(coder_settings.teardown_timeout_seconds))
    coder.create_build(workspace.id, "start")
    return bring_up(workspace.id).workspace, path, word, before


def test_a_file_survives_stop_and_start(restarted, coder, coder_settings, in_home):
    workspace, path, word, _ = restarted
    found = read_marker(coder, workspace, path)
    if word not in found and coder_settings.persistent_folder is None and in_home(workspace, path):
        pytest.skip(
            "unverified: the agent's folder is in $HOME, which may be ephemeral; name coder.persistent_folder"
        )

    assert found == word, f"the marker {path} did not survive a stop and start: {found or 'it is empty'}"


def test_its_parameters_survive_stop_and_start(restarted, coder):
    workspace, _, _, before = restarted
    after = {each.name: each.value for each in coder.build_parameters(workspace.latest_build.id)}
    # Values stay out of the message: some are secret.
    changed = [each.name for each in before if after.get(each.name) != each.value]

    assert not changed, f"parameters have another value after a stop and start: {', '.join(changed)}"


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


@pytest.fixture
def in_home(coder):
    """Whether a path of a workspace is in the home folder of its user."""
    from gatehouse.coder.commands import run_in_workspace

    def in_home(workspace, path):
        home = run_in_workspace(coder, workspace.agent.id, 'echo "$HOME"').last_line
        return path.startswith(f"{home}/")

    return in_home
