"""What the smoke suite's own tests of a workspace and its web editor say of each fault, and that no other is red."""

import re
from dataclasses import dataclass, field

import pytest

from gatehouse.embedded.scenarios import SCENARIOS
from tests.platform.smoke_runs import SmokeRun

WORKSPACE, EDITOR = "suites/smoke/test_workspace.py", "suites/smoke/test_editor.py"

STARTS = "test_it_becomes_ready_within_the_budget_of_each_stage"
GONE = "test_it_is_gone_after_deletion_in_coder_and_in_the_cluster"


@dataclass
class Told:
    """The red tests of a file with words that each says; all of the file are red where the start fails.

    `chosen` limits the run to tests with these words in their names, where the others cannot be touched by the fault.
    """

    red: dict[str, str]
    file: str = WORKSPACE
    start_fails: bool = False
    chosen: str = ""
    settings: dict = field(default_factory=dict)


def not_started(words, **settings):
    """The workspace never becomes ready: the first test says why."""
    return Told({STARTS: words}, start_fails=True, chosen=f"{STARTS} or authenticated", settings=settings)


def editor(words_by_test, **settings):
    return Told(words_by_test, EDITOR, settings={"app_timeout_seconds": 8, **settings})


FAULTS = {
    # builds
    "build-pending": not_started(
        r"has spent its 1 s for the stage queue: place 1 of 1 in the queue; 1 provisioner daemons match, 1 free"
        r"(.|\n)*compare the template's tags",
        budgets={"queue_seconds": 1},
        teardown_timeout_seconds=1,
    ),
    "build-fails": not_started(r"networkpolicies.* already exists(.|\n)*let only one of them own it"),
    "second-workspace-fails": Told(
        {
            "test_a_second_one_can_be_made_while_the_first_is_there": r"the start build failed \(the template makes "
            r"something that somebody else has made(.|\n)*workspaces-egress\" already exists"
        },
        chosen="budget or second or deletion",
    ),
    "rbac-escalation": not_started(
        r"the template makes a Role with more rights than the provisioner has"
        r"(.|\n)*is attempting to grant RBAC permissions not currently held"
    ),
    "storage-quota-exceeded": not_started(r"a quota is used up(.|\n)*exceeded quota: workspaces"),
    "provisioner-offline": not_started(
        "no provisioner daemon can take the build", teardown_timeout_seconds=1
    ),
    # pods
    "workspace-image-rate-limited": not_started(
        r"has spent its 1\.5 s for the stage pull: .*429 Too Many Requests(.|\n)*the registry limits pulls",
        budgets={"pull_seconds": 1.5},
    ),
    "workspace-image-wrong-architecture": not_started(
        r"the workspace's image cannot be pulled: .*no match for platform in manifest"
        r"(.|\n)*publish the image for the architecture of the nodes"
    ),
    "unschedulable": not_started(
        r"has spent its 1 s for the stage wait for a node: .*Insufficient memory\. \(no node has been asked for\)",
        budgets={"node_seconds": 1},
    ),
    # agents
    "agent-never-connects": not_started(
        r"has spent its 1 s for the stage init: (.|\n)*whether the pod reaches the access URL",
        budgets={"init_seconds": 1},
    ),
    "start-script-fails": not_started("start_error(.|\n)*cannot reach the package mirror"),
    "agent-flapping": Told(
        {
            "test_its_agent_is_still_ready_after_a_while": "the agent was ready, and is no longer ready . s later: "
            "disconnected, ready, agent is disconnected"
        },
        chosen="budget or after_a_while",
        settings={"hold_seconds": 30},
    ),
    "agent-outdated": Told(
        {"test_its_agent_has_the_servers_version": r"the agent is v2\.35\.2\+0a1b2c3, the server v2\.36\.4"}
    ),
    "fallback-image": Told(
        {
            "test_its_dev_container_was_built_without_a_fallback": r"Failed to locate devcontainer\.json: .*"
            r"Falling back to the default image",
            "test_it_runs_in_the_image_that_is_meant": "the marker of the image is missing: .* ended with 1",
        }
    ),
    "clone-failed": Told(
        {
            "test_its_dev_container_was_built_without_a_fallback": "Failed to clone repository: authentication",
            "test_it_runs_in_the_image_that_is_meant": "the marker of the image is missing",
            "test_it_holds_the_commit_that_its_branch_points_to_now": "there is no checkout in",
        }
    ),
    "old-clone": Told(
        {
            "test_it_holds_the_commit_that_its_branch_points_to_now": "an existing clone was not updated: .*"
            r"2 commits ahead \(log: The repository already exists!\)"
        },
        chosen="budget or branch or image or deletion",
    ),
    "tool-not-authenticated": Told(
        {
            "test_its_tools_are_authenticated_without_a_human_step": r"gh: .* ended with 1: "
            "You are not logged into any GitHub hosts"
        },
        chosen="budget or tools or image or branch or deletion",
    ),
    # what survives, and what is left
    "volume-not-kept": Told(
        {
            "test_a_file_survives_stop_and_start": "the marker .* did not survive a stop and start: .*No such file"
        },
        chosen="budget or survive or deletion",
    ),
    "pods-leak": Told(
        {GONE: r"objects are still there: (.|\n)*; deployments .*; pods "},
        chosen="budget or deletion",
        settings={"teardown_timeout_seconds": 3},
    ),
    # the web editor
    "editor-other-architecture": editor(
        {
            "test_it_says_that_it_is_healthy": r"code-server is unhealthy, and its health page answers 502(.|\n)*"
            r"the installed .*/\.code-server/lib/node is made for (aarch64|x86_64), and the workspace runs on "
            r"(.|\n)*remove the cache folder .*/\.code-server in the workspace and restart it",
            "test_the_static_assets_that_its_page_names_are_served": "answers 502 .*cached install of another",
            "test_its_websocket_is_upgraded": "is not upgraded through Coder's proxy(.|\n)*502",
            "test_it_can_be_used_in_a_real_browser": "the web editor is blank in a browser",
        },
        app_timeout_seconds=3,
    ),
    "editor-dead": editor(
        {
            "test_it_says_that_it_is_healthy": "answers 502(.|\n)*the editor's process is not running",
            "test_the_static_assets_that_its_page_names_are_served": "answers 502",
            "test_its_websocket_is_upgraded": "is not upgraded",
            "test_it_can_be_used_in_a_real_browser": "blank in a browser.* the page answers 502",
        },
        app_timeout_seconds=3,
    ),
    "editor-unhealthy": editor(
        {
            "test_it_says_that_it_is_healthy": r"health page answers 500 through the proxy: ENOSPC(.|\n)*"
            r"the editor's process \d+ runs, but does not answer"
        }
    ),
    "editor-blank": editor(
        {
            "test_the_static_assets_that_its_page_names_are_served": r"would be blank: \./?_static/out/workbench\.js "
            "answers 404|would be blank: _static/out/workbench.js answers 404",
            "test_it_can_be_used_in_a_real_browser": "the web editor is blank in a browser: .monaco-workbench never",
        },
        app_timeout_seconds=3,
    ),
    "editor-socket-not-upgraded": editor(
        {
            "test_its_websocket_is_upgraded": "the web editor's WebSocket is not upgraded through Coder's proxy",
            "test_it_can_be_used_in_a_real_browser": r"blank in a browser(.|\n)*close with status code 1006",
        },
        app_timeout_seconds=3,
    ),
}

#: Faults after which all is green, with what must be seen of them all the same.
PASSED_OVER = {
    "scale-from-zero": "budget or deletion",
    "delete-fails-once": "budget or deletion",
}


@pytest.fixture
def run_on(tmp_path, start):
    def run_on(scenario, *arguments, **settings):
        return SmokeRun(start(scenario), tmp_path, *arguments, **settings)

    return run_on


@pytest.mark.parametrize("scenario", FAULTS)
def test_a_fault_is_told_by_the_tests_that_are_about_it_and_by_no_other(run_on, scenario):
    told = FAULTS[scenario]
    run = run_on(scenario, told.file, *(["-k", told.chosen] if told.chosen else []), **told.settings)

    for test, words in told.red.items():
        assert re.search(words, run.failed.get(test, "it is green")), f"{test}: {run.failed.get(test)}"
    if told.start_fails:
        assert set(run.failed) == {test.id.partition("::")[2] for test in run.results.tests.values()}
    else:
        assert set(run.failed) == set(told.red)
    assert run.exit_code == 1


def test_the_wait_for_a_node_is_told_apart_and_is_no_failure(run_on):
    budgets = {"schedule_seconds": 1, "init_seconds": 20}
    settings = {"budgets": budgets, "workspace_timeout_seconds": 20}
    run = run_on("scale-from-zero", WORKSPACE, "-k", "budget", **settings)

    (told,) = [each for each in run.events if each["event"] == "workspace_started"]
    assert run.failed == {}
    assert told["seconds"]["wait for a node"] >= 1
    assert "didn't match Pod's node affinity" in told["waited_for_node"]
    assert "triggered scale-up" in told["waited_for_node"]


def test_a_deletion_that_fails_once_is_asked_for_again_and_proved(run_on):
    run = run_on("delete-fails-once", WORKSPACE, "-k", "budget or deletion")

    assert run.failed == {}
    assert [each["proof"]["outcome"] for each in run.events if each["event"] == "leak_proof"] == ["clean"]


def test_all_is_well_on_a_happy_platform_with_two_workers(run_on):
    run = run_on("happy", WORKSPACE, EDITOR, "-n2")

    assert run.exit_code == 0, run.output
    assert run.skipped == {}
    (picture,) = run.artifacts("test_it_can_be_used_in_a_real_browser", "web editor.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_each_template_under_test_has_a_workspace_of_its_own(run_on):
    settings = {"templates_under_test": ["code", "task"], "authenticated_tools": None}
    run = run_on("happy", WORKSPACE, "-k", "budget or branch or deletion", **settings)

    assert run.exit_code == 0, run.output
    assert run.passed > {f"{STARTS}[{each}]" for each in ("code", "task")}
    assert len(run.results.tests) == 6


def test_parameters_of_the_settings_are_given_to_templates_that_have_them(run_on):
    parameters = {"ref": "no-such-branch", "unknown": "x"}
    run = run_on("happy", WORKSPACE, "-k", "budget", parameters=parameters)

    assert "no-such-branch" in run.failed[STARTS]


def test_without_a_cluster_the_pods_stages_are_one_and_the_rest_is_judged_all_the_same(run_on):
    budgets = {"schedule_seconds": 0.5, "node_seconds": 0.5, "pull_seconds": 0.5, "init_seconds": 0.5}
    run = run_on("agent-never-connects", WORKSPACE, "-k", "budget", without=["kubernetes"], budgets=budgets)

    assert re.search(
        r"has spent its 2 s for the stage start of the pod: the agent is connecting(.|\n)*"
        r"to have the stages told apart",
        run.failed[STARTS],
    )


def test_what_is_not_configured_is_said_and_not_passed(run_on):
    settings = {"image_marker": None, "authenticated_tools": None}
    run = run_on("happy", WORKSPACE, "-k", "budget or image or tools", **settings)

    assert set(run.skipped) == {
        "test_it_runs_in_the_image_that_is_meant",
        "test_its_tools_are_authenticated_without_a_human_step",
    }
    assert all("not configured: " in each for each in run.skipped.values())


def test_without_a_browser_the_look_at_the_editor_is_unverified(run_on):
    run = run_on("happy", EDITOR, environment={"GATEHOUSE_BROWSER": "/nowhere/chromium"})

    assert run.failed == {}
    assert (
        "unverified: no browser can be started here: " in run.skipped["test_it_can_be_used_in_a_real_browser"]
    )


def test_every_scenario_of_workspaces_is_tried():
    about = {
        name
        for name, scenario in SCENARIOS.items()
        if scenario.apply.__module__.rpartition(".")[2] in ("workspaces", "editors")
    }

    assert about <= {*FAULTS, *PASSED_OVER}
