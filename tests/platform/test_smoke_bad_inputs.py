"""What an SRE sees of a Coder that is there and yet not to be asked: silence, limits, clocks, missing rights."""

import time

import pytest
import yaml

from tests.platform.smoke_runs import SmokeRun

CONTROL_PLANE, IDENTITY = "suites/smoke/test_control_plane.py", "suites/smoke/test_identity.py"
CONSISTENCY, WORKSPACE = "suites/smoke/test_consistency.py", "suites/smoke/test_workspace.py"


@pytest.fixture
def suite_on(start, tmp_path):
    def suite_on(scenario, *arguments):
        return SmokeRun(start(scenario), tmp_path, *arguments)

    return suite_on


def states(run):
    """The state of each subsystem in the table."""
    rows = [line.split("  ") for line in (run.bundle / "attachments" / "smoke.txt").read_text().splitlines()]
    return {row[0]: next(each for each in row[1:] if each).strip() for row in rows if len(row) > 1 and row[0]}


# --- no answer -------------------------------------------------------------------------------------------


def test_a_server_that_is_down_is_told_once_with_its_address_and_likened_to_nothing(platform, tmp_path):
    """A port that nobody listens at, in place of the deployment."""
    settings = yaml.safe_load(platform.configuration_file.read_text())
    settings["targets"]["embedded"]["coder"]["url"] = "http://127.0.0.1:9"

    class Down:
        configuration_file = tmp_path / "gatehouse.yaml"

    Down.configuration_file.write_text(yaml.safe_dump(settings))
    run = SmokeRun(Down, tmp_path, CONTROL_PLANE, "-k", "process or database or websocket")

    assert run.passed == set()
    assert run.exit_code == 1
    assert states(run) == {"control plane": "broken"}
    table = (run.bundle / "attachments" / "smoke.txt").read_text()
    assert table.count("nothing listens at 127.0.0.1, port 9") == 1
    assert "and 5 more" in table
    assert "like:" not in table


def test_a_slow_server_is_no_broken_one(suite_on):
    run = suite_on(
        "coder-slow", CONTROL_PLANE, "-k", "process or database_has or templates or websocket or apps"
    )

    assert run.exit_code == 0, run.output


# --- limits ----------------------------------------------------------------------------------------------


def test_a_rate_limit_in_the_middle_is_waited_for_once_and_the_suite_goes_on(suite_on):
    began = time.monotonic()
    run = suite_on("rate-limit-reached", CONTROL_PLANE, IDENTITY)

    assert run.exit_code == 0, run.output
    assert time.monotonic() - began < 60


def test_a_rate_limit_that_never_ends_is_no_verdict_in_the_servers_own_words(suite_on):
    run = suite_on("rate-limit-for-ever", CONTROL_PLANE, IDENTITY)

    assert run.exit_code == 1
    assert set(states(run).values()) == {"no verdict"}
    assert all(
        "You've been rate limited for sending too many requests!" in words for words in run.failed.values()
    )
    assert "raise CODER_API_RATE_LIMIT" in run.output
    assert "like:" not in run.output


# --- clocks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scenario", "words"), [("clocks-ahead", "ahead of"), ("clocks-behind", "behind")])
def test_a_clock_that_is_an_hour_off_is_told_and_turns_nothing_red_or_green(suite_on, scenario, words):
    run = suite_on(scenario, CONTROL_PLANE, IDENTITY, CONSISTENCY)

    assert run.exit_code == 0, run.output
    assert f"clock: Coder's is 1:00:00 {words} this machine's" in run.output


@pytest.mark.parametrize("clocks", ["clocks-ahead", "clocks-behind"])
def test_what_happened_within_the_last_hour_is_found_by_the_clusters_own_clock(start, tmp_path, clocks):
    platform = start("coder-out-of-memory", clocks)
    run = SmokeRun(platform, tmp_path, CONSISTENCY, "-k", "restarted")

    words = run.failed["test_no_container_of_the_platform_was_restarted_a_short_while_ago"]
    assert "OOMKilled" in words


# --- rights ----------------------------------------------------------------------------------------------


def test_a_token_that_has_expired_is_no_verdict_and_says_how_to_make_another(suite_on):
    run = suite_on("token-expired", IDENTITY)

    assert run.exit_code == 1
    assert states(run) == {"identity": "no verdict"}
    assert "the Coder token has expired" in run.failed["test_the_token_belongs_to_an_active_user"]
    assert "first error (environment)" in run.output
    assert "like:" not in run.output


def test_what_a_token_with_few_scopes_may_not_see_is_unverified_and_nothing_is_red(suite_on):
    run = suite_on("token-scoped", CONTROL_PLANE, IDENTITY)

    assert run.failed == {}
    assert states(run)["control plane"] == "unverified"
    assert "test_the_process_answers" in run.passed
    assert run.skipped["test_a_websocket_goes_through_in_both_directions"].startswith("unverified: ")


def test_without_half_of_the_rights_the_other_half_is_judged_and_the_rest_is_unverified(suite_on):
    run = suite_on("half-of-the-rights", CONTROL_PLANE, CONSISTENCY)

    assert run.failed == {}
    assert states(run) == {"control plane": "unverified", "consistency": "unverified"}
    refused = {test for test, reason in run.skipped.items() if reason.startswith("unverified: ")}
    assert "test_coders_recent_logs_are_free_of_noise" in refused
    assert "test_no_container_of_the_platform_was_restarted_a_short_while_ago" in refused
    assert "test_there_are_templates" in run.passed
    assert "forbidden" in run.output
