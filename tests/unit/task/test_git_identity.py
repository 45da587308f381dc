"""What a Git host's answers say of a bot: what is too much, what is too little, and what cannot be told."""

import base64
from dataclasses import replace

import pytest

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.task_settings import TaskSettings
from gatehouse.task.git_identity import Answers, Place, judge, place_of
from gatehouse.task.host_questions import Answer, Request, answers_of

PLACE = Place("https://api.github.com", "acme/shop", "https://github.com/acme/shop.git")
SCOPES = TaskSettings(template="task").bot_scopes

WRITER = {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True}
NOT_ACCESSIBLE = Answer(403, words="Resource not accessible by integration")

#: As GitHub answers to the classic token of a user with the role write.
CLASSIC = Answers(
    user=Answer(200, ("repo",), {"login": "shop-bot"}),
    repository=Answer(200, ("repo",), {"default_branch": "main", "permissions": WRITER}),
    push=Answer(200),
    pull_request=Answer(422, words="Validation Failed"),
    branch=Answer(200, data={"name": "main", "protected": True}),
    protection=Answer(404, words="Not Found"),
    rules=Answer(200, data={"items": []}),
)

#: As it answers to a fine-grained token of an administrator, limited to contents and pull requests.
FINE_GRAINED = replace(
    CLASSIC,
    user=Answer(200, None, {"login": "ada"}),
    repository=Answer(200, None, {"default_branch": "main", "permissions": {**WRITER, "admin": True}}),
    protection=Answer(403, words="Resource not accessible by personal access token"),
)

#: As it answers to an installation token, of which `permissions` say nothing.
INSTALLATION = replace(
    CLASSIC,
    user=NOT_ACCESSIBLE,
    repository=Answer(200, None, {"default_branch": "main", "permissions": dict.fromkeys(WRITER, False)}),
    protection=NOT_ACCESSIBLE,
)

RATE_LIMITED = Answer(403, words="API rate limit exceeded for user ID 7.")

UNPROTECTED = Answer(200, data={"name": "main", "protected": False})


@pytest.mark.parametrize("answers", [CLASSIC, FINE_GRAINED, INSTALLATION], ids=["classic", "fine", "app"])
def test_a_bot_with_what_it_needs_is_fine_whatever_kind_of_token_it_has(answers):
    found = judge(PLACE, answers, SCOPES)

    assert (found.wrong, found.unverified) == ((), ())


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (replace(CLASSIC, push=Answer(403, words="denied")), "may not push to acme/shop: 403 denied"),
        (replace(INSTALLATION, pull_request=NOT_ACCESSIBLE), "may not open pull requests: 403 Resource not"),
        (
            replace(CLASSIC, repository=replace(FINE_GRAINED.repository, scopes=("repo",))),
            "shop-bot has the role admin",
        ),
        (replace(FINE_GRAINED, protection=Answer(200)), "the token of ada has the permission Administration"),
        (replace(INSTALLATION, protection=Answer(404, words="Branch not protected")), "Administration"),
        (
            replace(CLASSIC, user=Answer(200, ("repo", "admin:org"), {"login": "shop-bot"})),
            "has the scopes admin:org",
        ),
        (replace(CLASSIC, user=Answer(401, words="Bad credentials")), "does not take the task's token: Bad"),
        (replace(CLASSIC, branch=UNPROTECTED), "the branch main is not protected"),
        (replace(CLASSIC, branch=UNPROTECTED, rules=Answer(404)), "the branch main is not protected"),
        (
            replace(CLASSIC, branch=UNPROTECTED, rules=Answer(200, data={"items": [{"type": "deletion"}]})),
            "the branch main is not protected",
        ),
    ],
)
def test_too_much_and_too_little_is_red_with_the_hosts_words(answers, words):
    found = judge(PLACE, answers, SCOPES)

    assert len(found.wrong) == 1
    assert words in found.wrong[0]


def test_a_ruleset_that_asks_for_pull_requests_protects_a_branch():
    answers = replace(
        CLASSIC, branch=UNPROTECTED, rules=Answer(200, data={"items": [{"type": "pull_request"}]})
    )

    assert judge(PLACE, answers, SCOPES).wrong == ()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (replace(CLASSIC, push=None), "reached over SSH"),
        (replace(CLASSIC, push=Answer(0, words="curl: (28) timed out")), "may push: curl: (28) timed out"),
        (
            replace(CLASSIC, pull_request=Answer(503, words="try later")),
            "pull requests: the host answers 503",
        ),
        (replace(CLASSIC, branch=Answer(502, words="bad gateway")), "is protected: the host answers 502"),
        (replace(CLASSIC, branch=UNPROTECTED, rules=Answer(500)), "whether rules protect the branch main"),
        (replace(INSTALLATION, protection=Answer(500)), "may administer the repository"),
        (replace(INSTALLATION, protection=RATE_LIMITED), "may administer the repository"),
        (replace(CLASSIC, pull_request=RATE_LIMITED), "may open pull requests: the host answers 403"),
        (replace(CLASSIC, repository=Answer(200, ("repo",), {})), "the host names no permissions"),
    ],
)
def test_what_the_host_does_not_tell_is_unverified_and_neither_green_nor_red(answers, words):
    found = judge(PLACE, answers, SCOPES)

    assert found.wrong == ()
    assert len(found.unverified) == 1
    assert words in found.unverified[0]


def test_a_scope_that_the_target_allows_is_fine():
    answers = replace(CLASSIC, user=Answer(200, ("repo", "workflow"), {"login": "shop-bot"}))

    assert judge(PLACE, answers, [*SCOPES, "workflow"]).wrong == ()


@pytest.mark.parametrize(
    ("remote", "place"),
    [
        ("https://github.com/acme/shop.git", PLACE),
        ("https://github.com/acme/shop", replace(PLACE, git="https://github.com/acme/shop")),
        ("git@github.com:acme/shop.git", replace(PLACE, git="")),
        ("ssh://git@github.com/acme/shop.git", replace(PLACE, git="")),
        (
            "http://127.0.0.1:7700/acme/shop.git",
            Place("http://127.0.0.1:7700/api/v3", "acme/shop", "http://127.0.0.1:7700/acme/shop.git"),
        ),
        (
            "https://acme.ghe.com/acme/shop",
            Place("https://api.acme.ghe.com", "acme/shop", "https://acme.ghe.com/acme/shop"),
        ),
        ("/srv/git/shop.git", None),
        ("https://gitlab.example.com/group/sub/shop.git", None),
        ("", None),
    ],
)
def test_the_api_is_found_from_where_the_checkout_pushes_to(remote, place):
    assert place_of(remote) == place


def printed(*raw):
    return b"\n".join(base64.b64encode(each) for each in raw) + b"\n"


def test_answers_are_read_as_curl_shows_them():
    raw = b'HTTP/1.1 200 OK\r\nX-OAuth-Scopes: repo, gist\r\n\r\n{"login": "ada"}'
    answer, silent = answers_of(
        printed(raw, b"curl: (6) Could not resolve host: x"), [Request("GET", "a"), Request("GET", "b")]
    )

    assert answer == Answer(200, ("repo", "gist"), {"login": "ada"}, '{"login": "ada"}')
    assert silent == Answer(0, words="curl: (6) Could not resolve host: x")


def test_a_token_without_any_scope_differs_from_one_that_has_none():
    raw = b"HTTP/1.1 200 OK\r\nX-OAuth-Scopes: \r\n\r\n{}"

    assert answers_of(printed(raw), [Request("GET", "a")])[0].scopes == ()


@pytest.mark.parametrize("output", [b"neither\n", b"", printed(b"one")])
def test_without_a_program_to_ask_with_or_with_too_few_answers_nothing_is_concluded(output):
    with pytest.raises(EnvironmentProblem, match="cannot be asked"):
        answers_of(output, [Request("GET", "a"), Request("GET", "b")])
