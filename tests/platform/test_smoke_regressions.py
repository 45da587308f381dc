"""Baseline, upgrade, smoke: each regression of an upgrade is found, by the test it is for, and likened to its class."""

import json
import os

import pytest

from gatehouse.embedded.platform import Platform
from tests.platform.conftest import quick
from tests.platform.smoke_runs import ROOT, SmokeRun
from tests.support.forked import run_module

CONTROL_PLANE, IDENTITY, UPGRADE = "control_plane", "identity", "upgrade"


class Run:
    """One run of the suite after an upgrade."""

    def __init__(self, process):
        self.exit_code, self.output = process.exit_code, process.output
        self.table = json.loads((process.bundle / "attachments" / "smoke.json").read_text())

    @property
    def red(self):
        """Red tests by name, each with the class of regressions it is likened to."""
        red = [each for subsystem in self.table["subsystems"] for each in subsystem["red"]]
        return {each["test"].split("::")[-1]: each["regression"] for each in red}

    @property
    def states(self):
        return {each["name"]: each["state"] for each in self.table["subsystems"]}

    def words(self, test):
        red = [each for subsystem in self.table["subsystems"] for each in subsystem["red"]]
        return next(each["words"] for each in red if test in each["test"])


@pytest.fixture
def upgraded(tmp_path):
    """Takes a baseline, upgrades to a state, and runs the suite."""

    def run(*scenarios, suites=(CONTROL_PLANE,), options=(), **settings):
        with Platform(timings=quick()) as platform:
            environment = {**os.environ, **platform.environment()}
            take = ["baseline", tmp_path / "baseline", *(["--no-canaries"] if UPGRADE not in suites else [])]
            run_module("gatehouse.cli", take, ROOT, environment).check_returncode()
            platform.upgrade(scenarios)
            files = [f"suites/smoke/test_{name}.py" for name in suites]
            baseline = f"--gate-baseline={tmp_path / 'baseline'}"
            return Run(SmokeRun(platform, tmp_path, baseline, *files, *options, **settings))

    return run


def test_a_good_upgrade_is_green_and_says_from_which_version_to_which(upgraded):
    run = upgraded(suites=[CONTROL_PLANE, IDENTITY, UPGRADE])

    assert run.exit_code == 0, run.output
    assert set(run.states.values()) == {"works"}
    assert "Coder: v2.36.4+embedded → v2.37.0+embedded" in run.output


@pytest.mark.parametrize(
    ("scenario", "test", "regression"),
    [
        ("replicas-mixed", "test_all_replicas_serve_the_same_version", "mixed-replicas"),
        ("existing-workspaces-refused", "test_the_stopped_canary_starts", "existing-workspaces"),
        ("agents-not-associated", "test_each_template_still_has_an_agent", "agent-association"),
        ("old-agents-disconnected", "test_the_agent_of_the_running_canary_is_still_connected", "old-agents"),
        ("websockets-refused", "test_a_websocket_goes_through_in_both_directions", "websocket"),
        ("relays-unreachable", "test_agents_are_told_of_relays", "relay"),
        ("app-addresses-changed", "test_what_must_not_change_has_not_changed[hostnames]", "app-addresses"),
        ("provisioner-offline", "test_a_provisioner_of_the_servers_version_is_online", "jobs-pending"),
        ("parameters-drifted", "test_what_must_not_change_has_not_changed[templates]", "parameters"),
        ("template-import-failed", "test_the_active_version_of_each_template_was_imported", "unpinned"),
        ("calls-removed", "test_apps_are_served_somewhere", "removed-calls"),
        ("agent-never-connects", "test_the_stopped_canary_starts", "agent-never-connects"),
    ],
)
def test_a_regression_is_found_and_likened_to_its_class(upgraded, tmp_path, scenario, test, regression):
    suite = UPGRADE if "canary" in test or "must_not_change" in test else CONTROL_PLANE
    # Nothing comes of waiting longer for an agent that never connects.
    settings = {"workspace_timeout_seconds": 3} if scenario == "agent-never-connects" else {}
    run = upgraded(scenario, suites=[suite], **settings)

    assert run.exit_code == 1
    found = {name: likened for name, likened in run.red.items() if test in name}
    assert set(found.values()) == {regression}, (run.red, run.output)


def test_a_canary_that_does_not_start_is_left_to_be_looked_at(upgraded, tmp_path):
    run = upgraded("existing-workspaces-refused", suites=[UPGRADE])

    assert "Unexpected Identity Change" in run.words("test_the_stopped_canary_starts")
    record = (tmp_path / "evidence" / "record.jsonl").read_text()
    assert '"transition": "delete"' not in record


def test_a_bad_section_of_the_health_report_is_found_though_it_was_dismissed(upgraded):
    run = upgraded("health-dismissed")

    assert "dismissed" in run.words("test_its_own_health_report_shows_nothing_serious[websocket]")


def test_a_database_that_was_reset_is_found_by_what_is_gone(upgraded):
    run = upgraded("database-reset", suites=[CONTROL_PLANE, IDENTITY])

    assert run.exit_code == 1
    assert set(run.states.values()) <= {"no verdict", "broken"}


def test_what_a_token_may_not_look_at_is_unverified_and_nothing_is_red_for_it(upgraded):
    run = upgraded("token-limited")

    assert run.red == {}
    assert run.states["control plane"] == "unverified"
    assert "unverified: Coder refuses (403)" in run.output


def test_a_migration_that_ends_is_waited_for(upgraded):
    assert upgraded("migration-slow").exit_code == 0


def test_a_sign_in_page_in_coders_place_is_told_as_such(upgraded):
    run = upgraded("proxy-page", options=["-k", "control_plane and process"])

    assert run.exit_code == 1
    assert "other than Coder" in run.output or "sign-in page" in run.output
