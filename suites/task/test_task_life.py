"""A task is judged by what it did, what it says of it, what it changed and what it leaves behind."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from gatehouse.core.errors import FailureClass
from gatehouse.core.task_settings import TaskSettings

RESULT = {
    "summary": "Looked at the checkout",
    "tests": [{"command": "git status", "result": "passed", "log": "nothing to commit"}],
    "changed_files": [],
    "risks": [],
}


@pytest.fixture
def task_of(task_settings):
    """A function that gives the target's task with some settings changed."""

    def task_of(**changes):
        return TaskSettings.model_validate({**task_settings.model_dump(exclude_unset=True), **changes})

    return task_of


def says(result):
    return f"mkdir -p .task && printf %s '{json.dumps(result)}' > .task/result.json"


def test_a_failure_leaves_what_a_person_needs_to_take_over(perform_task, task_of):
    report = perform_task(task_of(command="echo half done > idea.txt; echo cannot go on >&2; exit 7"))

    assert report.outcome == FailureClass.PRODUCT
    assert report.command.exit_code == 7
    assert b"idea.txt" in report.handoff["changes.patch"] and b"+half done" in report.handoff["changes.patch"]
    assert b"?? idea.txt" in report.handoff["state.txt"]
    follow_up = report.handoff["followup.md"].decode()
    assert "exit code 7" in follow_up and "cannot go on" in follow_up and "git apply" in follow_up
    assert report.proof.outcome == "clean"


def test_what_a_command_says_of_itself_must_be_whole_and_true(perform_task, task_of):
    asked = {"result": {"opens_pull_request": True}}
    good = {**RESULT, "pr_url": "https://code.example.com/acme/shop/pull/8"}

    assert perform_task(task_of(command=says(good), **asked)).outcome == "passed"
    silent = perform_task(task_of(command="true", **asked))
    assert "no such file" in silent.error.summary
    without_request = perform_task(task_of(command=says(RESULT), **asked))
    assert without_request.error.summary == "the task succeeded without a pull request"


def test_a_change_that_the_profile_may_not_make_is_red(perform_task, task_of):
    command = "mkdir -p gitops && echo image: latest > gitops/app.yaml && git add . && git commit -qm try"
    identity = {"GIT_AUTHOR_NAME": "bot", "GIT_AUTHOR_EMAIL": "bot@example.com"}
    identity |= {"GIT_COMMITTER_NAME": "bot", "GIT_COMMITTER_EMAIL": "bot@example.com"}
    report = perform_task(task_of(command=command, environment=identity, guard_rails=True))

    assert report.command.ok
    assert report.outcome == FailureClass.GUARD_RAIL
    assert "gitops/app.yaml" in report.error.summary


def test_tasks_that_run_at_the_same_time_do_not_meet(make_launcher):
    with make_launcher() as one, make_launcher() as other:
        first, second = one.begin(), other.begin()
        assert first.name != second.name
        one.run(first, ["sh", "-c", "echo mine > mine"])

        assert one.destroy(first.name).outcome == "clean"
        assert other.run(second, ["ls"]).ok
        assert not other.run(second, ["cat", "mine"]).ok


def test_a_task_has_an_end_even_if_nobody_deletes_it(launcher):
    task = launcher.start()

    deadline = task.workspace.latest_build.deadline
    assert datetime.now(UTC) < deadline <= datetime.now(UTC) + timedelta(seconds=task.definition.time_to_live)


def test_a_workspace_without_a_secret_that_the_task_needs_runs_nothing(perform_task, task_of):
    report = perform_task(task_of(command="touch /tmp/it-ran", secrets=["GATEHOUSE_NOT_THERE"]))

    assert report.outcome == FailureClass.ENVIRONMENT
    assert "lacks what the task needs: GATEHOUSE_NOT_THERE" in report.error.summary


def test_a_checkout_of_another_commit_runs_nothing(perform_task, task_of):
    report = perform_task(task_of(command="touch /tmp/it-ran", commit="0123456789abcdef"))

    assert report.outcome == FailureClass.UNTRUSTED
    assert "wanted is 0123456789ab" in report.error.summary
