"""What a task may do is told from inside, and what is too much is red: with whose words, and of which token."""

from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from gatehouse.core.deadline import SYSTEM_CLOCK, Deadline
from gatehouse.core.smoke_settings import SmokeSettings
from gatehouse.embedded.coder.faults import Instead
from gatehouse.kube.client import Cluster
from gatehouse.task import git_identity, host_questions, token_traces
from gatehouse.task.privileges import service_account_rights
from gatehouse.task.readable_texts import readable_texts
from tests.platform.test_task_faults import task_of, tasks

POSTURE = SmokeSettings().posture


def deadline():
    return Deadline.after(30, SYSTEM_CLOCK)


@pytest.fixture
def task_on(start, tmp_path):
    """A function that starts a task on a platform with scenarios; gives what is needed to ask about it."""
    with ExitStack() as stack:

        def task_on(*scenarios, channel="exec"):
            platform = start(*scenarios)
            made = stack.enter_context(tasks(platform, tmp_path))
            cluster = stack.enter_context(Cluster(platform.kubeconfig))
            stack.callback(made.launcher.destroy_all)
            task = made.launcher.start(definition=task_of(channel=channel))
            return SimpleNamespace(platform=platform, coder=made.coder, cluster=cluster, task=task)

        yield task_on


def identity(one):
    task = one.task
    return git_identity.examine(task.shell, task.directory, task.definition.bot_scopes, deadline())


def traces(one):
    texts, unread = readable_texts(one.coder, one.cluster, one.task, POSTURE.known_secret_variables)
    assert unread == []
    found = {name: token_traces.look(one.task.shell, text, [], deadline()) for name, text in texts.items()}
    return token_traces.judge(found)


# --- all is as it should be ------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["exec", "terminal"])
def test_a_task_with_no_more_than_it_needs_is_told_so_over_each_way_in(task_on, channel):
    one = task_on(channel=channel)

    rights = service_account_rights(one.task.shell, POSTURE.forbidden_rights, deadline())
    assert (rights.wrong, rights.unverified) == ((), ())
    assert "list secrets in every namespace" in rights.seen["asked"]
    bot = identity(one)
    assert (bot.wrong, bot.unverified) == ((), ())
    assert (bot.seen["login"], bot.seen["scopes"], bot.seen["token_from"]) == (
        "task-bot",
        ["repo"],
        "GH_TOKEN",
    )
    found = traces(one)
    assert (found.wrong, found.unverified) == ((), ())
    assert {"GH_TOKEN", "service account"} <= set(found.seen["tokens"])
    assert len(found.seen["texts"]) == 4


def test_without_curl_python_asks_and_hears_the_same(task_on, monkeypatch):
    one = task_on()
    monkeypatch.setattr(host_questions, "CURL", "no-such-program")
    bot = identity(one)

    assert (bot.wrong, bot.unverified) == ((), ())
    assert (bot.seen["login"], bot.seen["scopes"]) == ("task-bot", ["repo"])


def test_no_answer_holds_the_token(task_on):
    one = task_on()
    token = one.platform.credentials.bot

    assert token not in repr(identity(one))
    assert token not in repr(traces(one))


def test_a_task_can_push_a_branch_of_its_own_and_not_the_default_branch(task_on):
    task = task_on().task
    commit = "git -c user.name=b -c user.email=b@example.com commit -q --allow-empty -m try"

    def push(branch):
        script = f"cd -- {task.directory} && {commit} && git push -q origin HEAD:refs/heads/{branch}"
        return task.shell.ask(script, deadline())

    assert push("agent/try").exit_code == 0
    refused = push("main")
    assert refused.exit_code != 0
    assert "GH006: Protected branch update failed for refs/heads/main" in refused.words


# --- the bot ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("bot-is-admin", "task-bot has the role admin in the repository"),
        ("bot-scopes-too-wide", "the token of task-bot has the scopes workflow, delete_repo"),
        (
            "bot-may-not-push",
            "the bot may not push to acme/shop: 403 Write access to repository not granted.",
        ),
        ("bot-token-revoked", "the Git host does not take the task's token: Bad credentials"),
        ("default-branch-unprotected", "the branch main is not protected"),
    ],
)
def test_a_bot_with_too_much_or_too_little_is_red(task_on, scenario, words):
    found = identity(task_on(scenario))

    assert words in found.wrong[0]
    assert found.unverified == ()


def test_a_bot_that_may_not_push_may_not_open_pull_requests_either(task_on):
    found = identity(task_on("bot-may-not-push"))

    assert any("may not open pull requests: 403 Resource not accessible" in each for each in found.wrong)


# --- its tokens ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "wrong"),
    [
        ("bot-token-in-log", "the value of GH_TOKEN stands in the agent's log"),
        ("bot-token-in-template", "the value of GH_TOKEN stands in the template's source"),
    ],
)
def test_a_token_that_stands_where_others_read_is_red_and_named_without_its_value(task_on, scenario, wrong):
    one = task_on(scenario)
    found = traces(one)

    assert found.wrong == (wrong,)
    assert one.platform.credentials.bot not in repr(found)


def test_a_text_larger_than_one_question_is_searched_to_its_end(task_on):
    one = task_on()
    noise = bytes(range(256)) * 16 + b"".join(f"{number * 7919}\n".encode() for number in range(100_000))
    text = noise + f"token {one.platform.credentials.bot}\n".encode()

    assert token_traces.look(one.task.shell, text, [], deadline()).held == ("GH_TOKEN",)
    assert token_traces.look(one.task.shell, noise, [], deadline()).held == ()


def test_a_secret_of_the_tasks_own_is_looked_for_and_one_that_is_too_short_is_unverified(task_on):
    one = task_on()
    found = token_traces.look(one.task.shell, b"what is credential.helper", ["GIT_CONFIG_KEY_0"], deadline())
    short = token_traces.look(one.task.shell, b"1", ["GIT_CONFIG_COUNT"], deadline())

    assert found.held == ("GIT_CONFIG_KEY_0",)
    assert short.short == ("GIT_CONFIG_COUNT",)
    assert token_traces.judge({"a text": short}).unverified == (
        "the value of GIT_CONFIG_COUNT is too short to be looked for",
    )


# --- the service account ---------------------------------------------------------------------------------


def test_a_service_account_that_may_list_secrets_is_red(task_on):
    one = task_on("secrets-for-everybody")
    found = service_account_rights(one.task.shell, POSTURE.forbidden_rights, deadline())

    assert "with the token in the task's pod one may list secrets in every namespace" in found.wrong


# --- what cannot be told ---------------------------------------------------------------------------------


def test_a_template_that_may_not_be_read_is_unverified_with_the_servers_words(task_on):
    one = task_on()
    refusal = '{"message": "Forbidden: you may not read files."}'
    wire = one.platform.call(lambda systems: systems.coder.faults)
    wire.instead.append(Instead("GET", "/api/v2/files/.*", 403, refusal))
    _, unread = readable_texts(one.coder, one.cluster, one.task, POSTURE.known_secret_variables)

    assert len(unread) == 1
    assert "the template's source" in unread[0]
    assert "you may not read files" in unread[0]
