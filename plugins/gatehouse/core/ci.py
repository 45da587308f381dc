"""What CI systems say in the environment about the branch that a change is to be merged into."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Variables that hold the commit of the target branch, and those that hold the branch's name.
_COMMITS = ("CI_MERGE_REQUEST_DIFF_BASE_SHA",)  # GitLab
_BRANCHES = (
    "GITHUB_BASE_REF",  # GitHub Actions and Gitea
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",  # GitLab
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",  # Azure Pipelines, with refs/heads/
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "CHANGE_TARGET",  # Jenkins
)
_EVENT = "GITHUB_EVENT_PATH"


@dataclass(frozen=True)
class Named:
    """Revisions that all name the branch to merge into, at one time or another; or why there are none."""

    source: str
    revisions: tuple[str, ...] = ()
    problem: str = ""


def named_by_ci(environment: Mapping[str, str]) -> Named | None:
    """What the CI system names; None outside of one, and for a run that is about no merge."""
    revisions = {name: environment[name] for name in _COMMITS if environment.get(name)}
    revisions |= {name: _branch(environment[name]) for name in _BRANCHES if environment.get(name)}
    if path := environment.get(_EVENT):
        try:
            event = json.loads(Path(path).read_text(encoding="utf-8"))
            revisions |= _of_event(event)
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            if not revisions:
                return Named(_EVENT, problem=f"the event of this run cannot be read: {error}")
    if not revisions:
        return None
    return Named(", ".join(revisions), tuple(dict.fromkeys(revisions.values())))


def _branch(name: str) -> str:
    return f"refs/remotes/origin/{name.removeprefix('refs/heads/')}"


def _of_event(event: Any) -> dict[str, str]:
    """The base in an event of GitHub: of a pull request, a merge queue, or a push to the default branch."""
    for kind, base in (
        ("pull_request.base.sha", ((event.get("pull_request") or {}).get("base") or {}).get("sha")),
        ("merge_group.base_sha", (event.get("merge_group") or {}).get("base_sha")),
        ("before", _before(event)),
    ):
        if base:
            return {f"{_EVENT} ({kind})": str(base)}
    return {}


def _before(event: Any) -> str | None:
    """Where the default branch was before a push. Of other branches it says nothing: they are pushed in parts."""
    default = (event.get("repository") or {}).get("default_branch")
    before = event.get("before")
    if not before or not default or event.get("ref") != f"refs/heads/{default}":
        return None
    # A branch that is new, or was forced back, has no before of any use: zeros are no commit, which is then said.
    return str(before)
