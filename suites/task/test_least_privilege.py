"""A task may do what it is for and no more, and its tokens stand nowhere: shown from inside."""

import json

import pytest

from gatehouse.core.deadline import Deadline
from gatehouse.core.problems import require_none
from gatehouse.run import required_run
from gatehouse.task import git_identity, privileges, token_traces
from gatehouse.task.readable_texts import readable_texts
from gatehouse.task.report import command_data

pytestmark = pytest.mark.xdist_group("task privileges")

#: Seconds for what one test asks inside.
BUDGET = 120


@pytest.fixture
def deadline(shared_launcher):
    return Deadline.after(BUDGET, shared_launcher.clock)


@pytest.fixture
def require(evidence):
    """A function that fails with what is wrong, else skips with what could not be told."""

    def require(found):
        evidence.attach("privileges.json", found.seen)
        require_none(found.wrong)
        if found.unverified:
            pytest.skip(f"unverified: {'; '.join(found.unverified)}")

    return require


@pytest.fixture
def traces(task, deadline):
    """A function that looks inside for the values of tokens in texts by their names."""

    def traces(texts):
        names = task.definition.secrets
        looked = {
            name: token_traces.look(task.shell, text, names, deadline, directory=task.directory)
            for name, text in texts.items()
        }
        found = token_traces.judge(looked, names)
        if not (found.wrong or found.unverified or found.seen["tokens"]):
            pytest.skip("not configured: the workspace has no tokens to look for (task.secrets)")
        return found

    return traces


def test_a_tasks_service_account_may_not_do_what_is_forbidden(task, smoke_settings, deadline, require):
    forbidden = smoke_settings.posture.forbidden_rights

    require(privileges.service_account_rights(task.shell, forbidden, deadline))


def test_a_tasks_bot_may_push_branches_and_open_pull_requests_and_no_more(task, deadline, require):
    require(git_identity.examine(task.shell, task.directory, task.definition.bot_scopes, deadline))


def test_no_token_of_a_task_stands_in_its_logs_its_template_or_its_pod(
    task, coder, task_cluster, smoke_settings, traces, require
):
    texts, unread = readable_texts(coder, task_cluster, task, smoke_settings.posture.known_secret_variables)
    found = traces(texts)

    require(privileges.Privileges(found.wrong, (*found.unverified, *unread), found.seen))


def test_no_token_of_a_task_reaches_the_evidence_of_a_command_that_prints_its_environment(
    shared_launcher, task, evidence, traces, require, pytestconfig
):
    result = shared_launcher.run(task, ["env"])
    assert result.ok
    evidence.attach("environment.txt", result.stdout.decode(errors="replace"))
    evidence.attach("command.json", json.dumps(command_data(result)))

    written = sorted(required_run(pytestconfig).attachments().iterdir())
    require(traces({"the evidence": b"\n".join(path.read_bytes() for path in written if path.is_file())}))
