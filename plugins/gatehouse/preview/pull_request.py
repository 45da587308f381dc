"""Which pull request and commit a run is about: from options, the CI's variables, the checkout, the code host."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gatehouse.core.errors import UsageError, WrongSubject

if TYPE_CHECKING:
    from gatehouse.github.client import GitHubClient, PullRequest

PR_VARIABLE = "GATEHOUSE_PR"
COMMIT_VARIABLE = "GATEHOUSE_COMMIT"


def number_from_environment(environment: Mapping[str, str] = os.environ) -> int | None:
    """`GATEHOUSE_PR`, else the number in GitHub Actions' `GITHUB_REF` (refs/pull/N/merge)."""
    value = environment.get(PR_VARIABLE, "").strip()
    if value:
        if not value.isdigit() or int(value) == 0:
            raise UsageError(f"{PR_VARIABLE} is {value!r}", expected="the number of a pull request")
        return int(value)
    match = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", environment.get("GITHUB_REF", ""))
    return int(match[1]) if match else None


def commit_from_environment(environment: Mapping[str, str] = os.environ) -> str | None:
    """`GATEHOUSE_COMMIT`, else the head commit in GitHub Actions' event.

    Never `GITHUB_SHA`: for pull requests it is a merge commit that no preview is ever made of.
    """
    if value := environment.get(COMMIT_VARIABLE, "").strip():
        return value
    path = environment.get("GITHUB_EVENT_PATH")
    if not path or not environment.get("GITHUB_EVENT_NAME", "").startswith("pull_request"):
        return None
    try:
        event = json.loads(Path(path).read_text())
        return str(event["pull_request"]["head"]["sha"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_pull_request(github: GitHubClient, number: int | None, checkout_head: str | None) -> PullRequest:
    """The pull request asked for, else the open one whose head is checked out, else the only open one.

    Raises `UsageError` when that leaves none or several.
    """
    if number is not None:
        return github.pull_request(number)
    open_ones = github.open_pull_requests()
    at_head = [pull for pull in open_ones if pull.head.sha == checkout_head]
    if len(at_head) == 1:
        return at_head[0]
    if len(open_ones) == 1:
        return open_ones[0]
    listed = ", ".join(f"{pull.number} ({pull.title})" for pull in open_ones[:10]) or "none is open"
    raise UsageError(
        f"which pull request of {github.repository} is to be tested?",
        seen=f"open pull requests: {listed}",
        next_step=f"name it with --gate-pr N or {PR_VARIABLE}",
    )


def require_head(pull: PullRequest, commit: str | None) -> str:
    """The full SHA to test: the pull request's head, which must be the commit asked for, if one was.

    Raises `WrongSubject` for a closed pull request, another commit, or a short SHA that fits no head.
    """
    head = pull.head.sha
    if pull.state != "open":
        raise WrongSubject(
            f"pull request {pull.number} is {pull.state}: its preview is going or gone",
            expected="an open pull request",
            seen=f"state {pull.state}, head {head}",
            next_step="reopen it, or leave this run: there is nothing to be tested",
        )
    if commit is None or commit == head:
        return head
    if len(commit) < len(head) and len(commit) >= 7 and head.startswith(commit):
        return head
    raise WrongSubject(
        f"pull request {pull.number} is at another commit than the one to be tested",
        expected=commit,
        seen=f"head is {head}",
        next_step="a newer commit was pushed, or a merge commit was given: test the head commit "
        "(github.event.pull_request.head.sha)",
    )
