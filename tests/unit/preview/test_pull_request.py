import json

import pytest

from gatehouse.core.errors import UsageError, WrongSubject
from gatehouse.github.client import PullRequest
from gatehouse.preview.pull_request import (
    commit_from_environment,
    find_pull_request,
    number_from_environment,
    require_head,
)

HEAD = "0123456789abcdef0123456789abcdef01234567"


def pull(number=7, state="open", head=HEAD):
    return PullRequest.model_validate(
        {
            "number": number,
            "state": state,
            "head": {"ref": "b", "sha": head},
            "base": {"ref": "main", "sha": "f" * 40},
        }
    )


class Host:
    repository = "acme/shop"

    def __init__(self, *pulls):
        self.pulls = {each.number: each for each in pulls}

    def pull_request(self, number):
        return self.pulls[number]

    def open_pull_requests(self):
        return [each for each in self.pulls.values() if each.state == "open"]


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({"GATEHOUSE_PR": "12"}, 12),
        ({"GITHUB_REF": "refs/pull/34/merge"}, 34),
        ({"GATEHOUSE_PR": "12", "GITHUB_REF": "refs/pull/34/merge"}, 12),
        ({"GITHUB_REF": "refs/heads/main"}, None),
        ({}, None),
    ],
)
def test_the_number_comes_from_the_environment(environment, number):
    assert number_from_environment(environment) == number


def test_a_number_that_is_none_is_refused():
    with pytest.raises(UsageError, match="GATEHOUSE_PR is 'seven'"):
        number_from_environment({"GATEHOUSE_PR": "seven"})


def test_the_commit_is_the_heads_and_never_the_merge_commit(tmp_path):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": HEAD}}}))
    actions = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event), "GITHUB_SHA": "f" * 40}

    assert commit_from_environment(actions) == HEAD
    assert commit_from_environment({**actions, "GATEHOUSE_COMMIT": "e" * 40}) == "e" * 40
    assert commit_from_environment({"GITHUB_SHA": "f" * 40}) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pull_request": null}'])
def test_an_event_without_a_head_gives_no_commit(tmp_path, content):
    event = tmp_path / "event.json"
    event.write_text(content)

    assert (
        commit_from_environment({"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event)})
        is None
    )


def test_without_a_number_the_open_one_that_is_checked_out_is_meant():
    host = Host(pull(7), pull(8, head="8" * 40))

    assert find_pull_request(host, None, "8" * 40).number == 8


def test_the_only_open_one_is_meant_when_nothing_says_otherwise():
    assert find_pull_request(Host(pull(7), pull(8, state="closed")), None, None).number == 7


@pytest.mark.parametrize("pulls", [[], [pull(7), pull(8)]])
def test_none_or_several_is_a_question_and_not_a_guess(pulls):
    with pytest.raises(UsageError, match="which pull request") as caught:
        find_pull_request(Host(*pulls), None, None)

    assert "--gate-pr" in caught.value.next_step


@pytest.mark.parametrize("commit", [None, HEAD, HEAD[:7], HEAD[:12]])
def test_the_head_is_what_is_tested(commit):
    assert require_head(pull(), commit) == HEAD


@pytest.mark.parametrize("commit", ["f" * 40, HEAD[:6], HEAD + "0", ""])
def test_any_other_commit_is_the_wrong_subject(commit):
    with pytest.raises(WrongSubject, match="at another commit"):
        require_head(pull(), commit)


def test_a_closed_pull_request_has_no_preview_to_test():
    with pytest.raises(WrongSubject, match="is closed"):
        require_head(pull(state="closed"), HEAD)
