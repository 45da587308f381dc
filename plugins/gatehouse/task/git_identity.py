"""Whether the bot as whom a task pushes may do what it must and no more, by the Git host's own answers.

GitHub's REST API. A repository's `permissions` are the role of the user whose token it is; of an installation token
of an app they say nothing, and of a fine-grained token not what it was limited to. So what can be asked directly is:
git's own answer to who wants to push, and the API's to a pull request of a branch that does not exist.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.task import host_questions
from gatehouse.task.host_questions import Answer, Request
from gatehouse.task.privileges import Privileges
from gatehouse.task.shell import Shell, ask_whole

#: Rules of a ruleset that keep direct pushes out of a branch.
_CLOSING_RULES = {"pull_request", "update"}

_SCP_LIKE = re.compile(r"(?:[^/@]+@)?(?P<host>[^/:]+):(?P<path>(?!//).+)")


@dataclass(frozen=True)
class Place:
    """Where a checkout pushes to. `git` is '' where that is not over HTTP."""

    api: str
    repository: str
    git: str = ""


@dataclass(frozen=True)
class Answers:
    """What the host says to who bears the token."""

    user: Answer
    repository: Answer
    push: Answer | None
    pull_request: Answer
    branch: Answer
    protection: Answer
    rules: Answer


def place_of(remote: str) -> Place | None:
    """Where the API of a remote's host is, as GitHub and GitHub Enterprise have it; None for what is no host."""
    parts = urlsplit(remote)
    if parts.scheme in ("http", "https"):
        host, path, scheme, git = parts.netloc, parts.path, parts.scheme, remote.rstrip("/")
    elif parts.scheme == "ssh":
        host, path, scheme, git = parts.hostname or "", parts.path, "https", ""
    elif match := _SCP_LIKE.fullmatch(remote):
        host, path, scheme, git = match["host"], match["path"], "https", ""
    else:
        return None
    repository = path.strip("/").removesuffix(".git")
    if repository.count("/") != 1 or not host:
        return None
    if host in ("github.com", "ssh.github.com"):
        return Place("https://api.github.com", repository, git)
    if host.endswith(".ghe.com"):
        return Place(f"https://api.{host}", repository, git)
    return Place(f"{scheme}://{host}/api/v3", repository, git)


def examine(shell: Shell, directory: str, allowed_scopes: Sequence[str], deadline: Deadline) -> Privileges:
    """Ask from inside a task, and judge. Raises what the workspace's shell cannot be reached with."""
    what = "asking what the bot may do on the Git host"
    told = ask_whole(shell, host_questions.where_it_pushes(directory), deadline, what).decode()
    found = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    place = place_of(found.get("remote", ""))
    if place is None:
        return Privileges(unverified=(f"the checkout's remote is on no Git host: {found.get('remote')}",))
    if "source" not in found:
        return Privileges(
            unverified=(
                "the workspace has no token to push with: neither GH_TOKEN nor git's helpers give one",
            )
        )

    def ask(requests: Sequence[Request]) -> list[Answer]:
        script = host_questions.asking(found["folder"], requests)
        return host_questions.answers_of(ask_whole(shell, script, deadline, what), requests)

    try:
        answers = _ask_all(place, ask)
    except EnvironmentProblem as error:
        return Privileges(unverified=(f"{error.summary} ({error.seen})",))
    judged = judge(place, answers, allowed_scopes)
    seen = {"host": urlsplit(place.api).netloc, "repository": place.repository, "token_from": found["source"]}
    return Privileges(judged.wrong, judged.unverified, {**seen, **judged.seen})


def _ask_all(place: Place, ask: Callable[[Sequence[Request]], list[Answer]]) -> Answers:
    """Two rounds, as the name of the default branch is in the first one's answers."""
    repo = f"{place.api}/repos/{place.repository}"
    # No branch has this name, so nothing comes of it whatever the answer is.
    nowhere = {"title": "May this be asked?", "head": f"gatehouse-{secrets.token_hex(8)}", "base": "HEAD"}
    first = [
        Request("GET", f"{place.api}/user"),
        Request("GET", repo),
        Request("POST", f"{repo}/pulls", body=json.dumps(nowhere)),
    ]
    if place.git:
        refs = f"{place.git}/info/refs?service=git-receive-pack"
        first.append(Request("GET", refs, basic=True, head_only=True))
    user, repository, pull_request, *push = ask(first)
    branch = quote(str(repository.data.get("default_branch") or "main"), safe="")
    second = [
        Request("GET", f"{repo}/branches/{branch}"),
        Request("GET", f"{repo}/branches/{branch}/protection"),
        Request("GET", f"{repo}/rules/branches/{branch}"),
    ]
    return Answers(user, repository, push[0] if push else None, pull_request, *ask(second))


def judge(place: Place, answers: Answers, allowed_scopes: Sequence[str]) -> Privileges:
    """What the bot lacks, what it has too much of, and what the host did not tell."""
    scopes = answers.user.scopes if answers.user.scopes is not None else answers.repository.scopes
    login = str(answers.user.data.get("login") or "the bot")
    permissions = answers.repository.data.get("permissions") or {}
    seen = {
        "login": login,
        "scopes": None if scopes is None else list(scopes),
        "permissions": permissions,
        "default_branch": answers.repository.data.get("default_branch"),
        "protected": answers.branch.data.get("protected"),
    }
    refused = next((each for each in (answers.user, answers.repository) if each.status == 401), None)
    if refused:
        return Privileges((f"the Git host does not take the task's token: {refused.words}",), (), seen)
    wrong: list[str] = []
    unverified: list[str] = []
    _judge_push(place, answers.push, wrong, unverified)
    _judge_pull_request(answers.pull_request, wrong, unverified)
    _judge_administration(answers, login, permissions, scopes, wrong, unverified)
    excess = [each for each in scopes or () if each not in allowed_scopes]
    if excess:
        wrong.append(f"the token of {login} has the scopes {', '.join(excess)}, which no task needs")
    _judge_default_branch(answers, wrong, unverified)
    return Privileges(tuple(wrong), tuple(unverified), seen)


def _judge_push(place: Place, push: Answer | None, wrong: list[str], unverified: list[str]) -> None:
    if push is None:
        unverified.append("whether the bot may push: its remote is reached over SSH, with a key")
    elif _refused(push):
        wrong.append(f"the bot may not push to {place.repository}: {push.status} {push.words}".rstrip())
    elif push.status != 200:
        unverified.append(f"whether the bot may push: {_words(push)}")


def _judge_pull_request(answer: Answer, wrong: list[str], unverified: list[str]) -> None:
    """422 is said only to who may open one: what was asked for has a branch that does not exist."""
    if _refused(answer):
        wrong.append(f"the bot may not open pull requests: {answer.status} {answer.words}".rstrip())
    elif answer.status != 422:
        unverified.append(f"whether the bot may open pull requests: {_words(answer)}")


def _judge_administration(
    answers: Answers,
    login: str,
    permissions: dict[str, bool],
    scopes: Sequence[str] | None,
    wrong: list[str],
    unverified: list[str],
) -> None:
    """A classic token has its user's whole role. Others are asked for what takes the permission Administration."""
    role = next((role for role in ("admin", "maintain") if permissions.get(role)), "")
    if answers.repository.status != 200:
        unverified.append(f"the bot's role in the repository: {_words(answers.repository)}")
    elif scopes is not None:
        if role:
            wrong.append(
                f"{login} has the role {role} in the repository; branches and pull requests take write"
            )
        elif "push" not in permissions:
            unverified.append("the bot's role in the repository: the host names no permissions")
    elif answers.protection.status == 200 or "not protected" in answers.protection.words.lower():
        wrong.append(
            f"the token of {login} has the permission Administration: it may read the branch protection"
        )
    elif not _refused(answers.protection):
        unverified.append(f"whether the bot may administer the repository: {_words(answers.protection)}")


def _judge_default_branch(answers: Answers, wrong: list[str], unverified: list[str]) -> None:
    """Protected by a branch protection or a ruleset; hosts without rulesets answer 404 there."""
    branch = answers.branch.data.get("name") or "default branch"
    if answers.branch.status != 200 or "protected" not in answers.branch.data:
        unverified.append(f"whether the default branch is protected: {_words(answers.branch)}")
    elif answers.branch.data["protected"]:
        return
    elif answers.rules.status not in (200, 404):
        unverified.append(f"whether rules protect the branch {branch}: {_words(answers.rules)}")
    elif not any(each.get("type") in _CLOSING_RULES for each in answers.rules.data.get("items") or ()):
        wrong.append(f"the branch {branch} is not protected: what a task pushes to it, nobody has to review")


def _refused(answer: Answer) -> bool:
    """Whether it is for want of rights that the host says no: of too many requests it says so with 403, too."""
    return answer.status in (401, 403, 404) and "rate limit" not in answer.words.lower()


def _words(answer: Answer) -> str:
    return f"the host answers {answer.status} ({answer.words})" if answer.status else answer.words
