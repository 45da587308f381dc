"""What becomes of a task when something around it goes wrong: in which class, with whose words, and what is left."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from gatehouse.coder.client import CoderClient
from gatehouse.core.errors import (
    AuthenticationError,
    Conflict,
    EnvironmentProblem,
    FailureClass,
    InfrastructureError,
    TerminalState,
    UsageError,
    WaitTimeout,
)
from gatehouse.core.ledger import Ledger, outstanding
from gatehouse.core.settings import CoderSettings, Target
from gatehouse.core.task_settings import TaskSettings
from gatehouse.embedded.coder.faults import Instead, Loss
from gatehouse.kube.client import Cluster
from gatehouse.task import launcher as launching
from gatehouse.task.launcher import TaskLauncher
from gatehouse.task.life import perform

BUDGETS = {"start": 20, "provenance": 20, "command": 20, "evidence": 20, "teardown": 20}


def task_of(**changes):
    return TaskSettings.model_validate({"template": "task", "profile": "code", "budgets": BUDGETS} | changes)


@contextmanager
def tasks(platform, folder, *, cluster=True, **budgets):
    """A launcher for a platform, with what it needs; what it leaves is deleted."""
    with (
        CoderClient(platform.urls.coder, platform.credentials.coder) as coder,
        Cluster(platform.kubeconfig) as kubernetes,
    ):
        ledger = Ledger(folder / "ledger.jsonl")
        launcher = TaskLauncher(
            task_of(),
            coder,
            kubernetes if cluster else None,
            ledger,
            "20261122T030000Z-abcdef",
            target=Target(coder=CoderSettings(url=platform.urls.coder, budgets=budgets)),
        )
        yield SimpleNamespace(
            launcher=launcher,
            coder=coder,
            ledger=ledger,
            perform=lambda **changes: perform(launcher, coder, task_of(**changes)),
        )


@pytest.fixture
def happy(platform, tmp_path):
    """A launcher for the shared platform."""
    with tasks(platform, tmp_path) as made:
        yield made


@pytest.fixture
def on(start, tmp_path):
    """A function that performs a task on a platform with scenarios, and gives the report."""

    def on(*scenarios, budgets=None, **changes):
        with tasks(start(*scenarios), tmp_path, **(budgets or {})) as made:
            return made.perform(**changes)

    return on


def wire_faults(platform):
    return platform.call(lambda systems: systems.coder.faults)


# --- create ----------------------------------------------------------------------------------------------


def test_a_lost_answer_to_the_create_call_makes_one_workspace_which_is_deleted(start, tmp_path):
    platform = start()
    wire_faults(platform).losses.append(Loss("POST", r"/api/v2/users/.*/workspaces"))

    with tasks(platform, tmp_path) as made:
        report = made.perform(command="true")

        assert report.outcome == "passed"
        assert [each.name for each in made.coder.own_workspaces("gate")] == []


def test_a_name_that_is_taken_is_refused_and_the_other_workspace_stays(platform, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    with tasks(platform, tmp_path) as mine, tasks(platform, tmp_path / "other") as theirs:
        other = theirs.launcher.begin()
        monkeypatch.setattr(launching, "workspace_name", lambda _suite, _run: other.name)
        report = mine.perform(command="true")

        assert isinstance(report.error, Conflict)
        mine.launcher.destroy_all()
        assert outstanding(mine.ledger.path) == []
        assert theirs.launcher.run(other, ["true"]).ok
        assert theirs.launcher.destroy(other.name).outcome == "clean"


def test_a_quota_that_is_used_up_is_told_with_the_servers_words(on):
    report = on("storage-quota-exceeded", command="true")

    assert isinstance(report.error, TerminalState)
    assert "exceeded quota" in str(report.error)
    assert report.proof.outcome == "clean"


def test_a_template_that_cannot_be_told_what_to_clone_is_refused_before_anything_is_made(start, tmp_path):
    platform = start()
    platform.call(lambda systems: _undeclare(systems, "repository"))
    with tasks(platform, tmp_path) as made:
        report = made.perform(command="true", repository="https://code.example.com/x.git")

    assert isinstance(report.error, UsageError)
    assert "no parameter repository" in report.error.summary
    assert not made.ledger.path.exists()


def _undeclare(systems, name):
    for template in systems.database.templates.values():
        for version in template.versions:
            version.parameters = [each for each in version.parameters if each.name != name]


# --- start -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "budgets", "kind", "words"),
    [
        ("provisioner-offline", {}, InfrastructureError, "no provisioner daemon can take the build"),
        ("build-pending", {"queue_seconds": 0.5}, WaitTimeout, "in the queue"),
        ("build-fails", {}, TerminalState, 'networkpolicies.networking.k8s.io "egress" already exists'),
        ("build-hangs", {"build_seconds": 0.5}, WaitTimeout, "Still creating"),
        ("agent-never-connects", {"init_seconds": 0.5}, WaitTimeout, "agent"),
        ("workspace-image-wrong-architecture", {}, TerminalState, "for the architecture of the nodes"),
    ],
)
def test_a_start_that_fails_says_why_and_leaves_nothing(start, tmp_path, scenario, budgets, kind, words):
    platform = start(scenario)
    with tasks(platform, tmp_path, **budgets) as made:
        report = made.perform(command="touch /tmp/never", budgets=BUDGETS | {"teardown": 3})

    assert isinstance(report.error, kind)
    assert words in str(report.error)
    assert report.command is None


def test_an_agent_that_coder_gave_up_on_and_that_connects_after_all_is_fine(on):
    assert on("agent-late", command="true").outcome == "passed"


def test_a_start_script_that_fails_is_told_with_its_last_lines(on):
    report = on("start-script-fails", command="true", channel="exec")

    assert isinstance(report.error, TerminalState)
    assert "cannot reach the package mirror" in str(report.error)
    assert report.proof.outcome == "clean"


@pytest.mark.parametrize("channel", ["script", "exec", "terminal"])
def test_a_fallback_image_is_untrusted_and_the_workspace_goes_all_the_same(on, channel):
    report = on("fallback-image", command="true", channel=channel)

    assert report.outcome == FailureClass.UNTRUSTED
    assert "Falling back" in str(report.error) or "fall" in str(report.error).lower()
    assert report.proof.outcome == "clean"


def test_another_image_than_the_one_expected_is_untrusted(happy):
    report = happy.perform(command="true", provenance={"image": "registry.example.com/dev:2"})

    assert report.outcome == FailureClass.UNTRUSTED
    assert (
        "the image is registry.preview.localhost/devcontainers/base:1, expected was registry.example.com/dev:2"
        in str(report.error)
    )


def test_a_token_that_ends_before_the_task_does_makes_nothing(happy):
    report = happy.perform(command="true", budgets=BUDGETS | {"command": 10_000_000})

    assert isinstance(report.error, EnvironmentProblem)
    assert "expire" in report.error.summary
    assert not happy.ledger.path.exists()


# --- command ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["script", "exec", "terminal"])
def test_each_channel_tells_streams_and_exit_code(happy, channel):
    report = happy.perform(command="echo out; echo err >&2; exit 9", channel=channel)

    assert (report.command.stdout, report.command.stderr, report.command.exit_code) == (b"out\n", b"err\n", 9)
    assert report.command.channel == channel
    assert report.outcome == FailureClass.PRODUCT
    assert report.proof.outcome == "clean"


def test_without_a_cluster_the_terminal_runs_it_and_leaks_are_unverified(platform, tmp_path):
    with tasks(platform, tmp_path, cluster=False) as made:
        report = made.perform(command="echo done", command_parameter="none")

    assert report.channel == "terminal"
    assert report.command.stdout == b"done\n"
    assert report.proof.outcome == "unverified"
    assert report.outcome == FailureClass.LEAK


def test_streams_that_are_cut_lose_neither_output_nor_exit_code(on):
    report = on("command-stream-cut", command="echo once >> runs; cat runs; seq 1 3; exit 5", channel="exec")

    assert (report.command.stdout, report.command.exit_code) == (b"once\n1\n2\n3\n", 5)


def test_an_exit_code_that_the_server_does_not_tell_is_read_in_the_workspace(on):
    report = on("command-without-status", command="exit 5", channel="exec")

    assert report.command.exit_code == 5
    assert report.command.exit_code_source.startswith("a file in the workspace")


def test_a_pod_that_is_evicted_leaves_the_exit_code_unknown_never_0(on):
    report = on("pod-evicted", command="sleep 60", channel="exec")

    assert report.command.exit_code is None
    assert "Evicted" in report.command.exit_code_source
    assert report.outcome == FailureClass.INFRASTRUCTURE
    assert report.proof.outcome == "clean"


def test_a_template_without_the_script_for_the_command_is_told(on):
    report = on("command-script-missing", command="true", channel="script")

    assert isinstance(report.error, EnvironmentProblem)
    assert "no start script called 'Command'" in report.error.summary
    assert report.proof.outcome == "clean"


def test_a_channel_that_cannot_be_used_makes_nothing(happy):
    report = happy.perform(command="true", channel="script", command_parameter="other")

    assert isinstance(report.error, UsageError)
    assert not happy.ledger.path.exists()


# --- the server, meanwhile -------------------------------------------------------------------------------


def test_a_token_that_is_revoked_in_the_middle_leaves_the_workspace_in_the_ledger(start, tmp_path):
    platform = start()
    with tasks(platform, tmp_path) as made:
        task = made.launcher.start(definition=task_of(channel="exec"))
        refusal = '{"message": "You are signed out or your session has expired."}'
        wire_faults(platform).instead.append(Instead(".*", "/api/v2/.*", 401, refusal))

        assert made.launcher.run(task, ["true"]).ok
        with pytest.raises(AuthenticationError):
            made.launcher.destroy(task.name)
        (entry,) = outstanding(made.ledger.path)
        assert (entry.name, entry.id) == (task.name, task.workspace.id)


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_server_that_refuses_now_and_then_delays_and_changes_nothing(start, tmp_path, status):
    platform = start()
    faults = wire_faults(platform)
    for path in ("/api/v2/workspaces/.*", "/api/v2/templateversions/.*", "/api/v2/workspaceagents/.*"):
        faults.instead.append(Instead("GET", path, status, '{"message": "try again"}', times=1))

    with tasks(platform, tmp_path) as made:
        assert made.perform(command="true").outcome == "passed"


def test_two_runs_at_the_same_time_do_not_touch_each_others_workspaces(platform, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    with tasks(platform, tmp_path / "one") as one, tasks(platform, tmp_path / "other") as other:
        mine, theirs = one.launcher.begin(), other.launcher.begin()

        assert one.launcher.destroy(mine.name).outcome == "clean"
        assert other.launcher.run(theirs, ["true"]).ok
        assert other.launcher.destroy(theirs.name).outcome == "clean"
