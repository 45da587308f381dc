"""Which ApplicationSets should have made Applications for a pull request: read from their generators."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gatehouse.argocd.judge import parse_time
from gatehouse.github.client import PullRequest

Object = dict[str, Any]

#: What Argo CD uses when a generator does not set `requeueAfterSeconds`.
DEFAULT_POLL = 1800.0

#: A placeholder of a template, in Go's syntax (`{{.number}}`) or the older one (`{{number}}`).
_PLACEHOLDER = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")


@dataclass(frozen=True)
class ExpectedSet:
    """An ApplicationSet that generates for the pull request, or would if `missing_labels` were there.

    `count` is how many Applications it makes for one pull request, at least. `project` is that of its
    Applications, and `name` fits their names, as far as they can be told from the template: None if it
    names nothing of the pull request. `poll` is how often (seconds) it looks at the code host without a webhook.
    `error` is its generator's, since `error_since`.
    """

    name: str
    missing_labels: frozenset[str]
    count: int = 1
    project: str = ""
    application_name: re.Pattern[str] | None = field(default=None, compare=False)
    poll: float = DEFAULT_POLL
    error: str = ""
    error_since: datetime | None = None

    def makes(self, application: Object) -> bool:
        """Whether an Application is one that this set made for the pull request."""
        name = self.application_name
        return owner_set(application) == self.name and bool(name and name.fullmatch(_name(application)))


def expected_sets(application_sets: list[Object], repository: str, pull: PullRequest) -> list[ExpectedSet]:
    """The sets whose pull-request generator watches `repository` (`owner/name`)."""
    return [
        _expected(application_set, generator, count, pull)
        for application_set in application_sets
        for generator, count in _pull_request_generators(application_set["spec"].get("generators") or [])
        if _repository(generator).lower() == repository.lower()
    ]


def _expected(application_set: Object, generator: Object, count: int, pull: PullRequest) -> ExpectedSet:
    template = application_set["spec"].get("template") or {}
    error, since = _error(application_set)
    return ExpectedSet(
        application_set["metadata"]["name"],
        frozenset((generator.get("github") or {}).get("labels") or []) - pull.label_names,
        count,
        project=str((template.get("spec") or {}).get("project") or ""),
        application_name=_name_pattern(str((template.get("metadata") or {}).get("name") or ""), pull),
        poll=float(generator.get("requeueAfterSeconds") or DEFAULT_POLL),
        error=error,
        error_since=since,
    )


def _repository(generator: Object) -> str:
    github = generator.get("github") or {}
    return f"{github.get('owner')}/{github.get('repo')}"


def _pull_request_generators(generators: list[Object]) -> Iterator[tuple[Object, int]]:
    """The pull-request generators, each with the number of Applications it leads to for one pull request.

    In a matrix the lengths of static lists multiply it; what other generators add is not known beforehand.
    """
    for generator in generators:
        if "pullRequest" in generator:
            yield generator["pullRequest"], 1
        inner = (generator.get("matrix") or {}).get("generators") or []
        lists = [len(each["list"].get("elements") or []) for each in inner if "list" in each]
        for found, count in _pull_request_generators(inner):
            yield found, count * math.prod(lists)
        yield from _pull_request_generators((generator.get("merge") or {}).get("generators") or [])


def _name_pattern(template: str, pull: PullRequest) -> re.Pattern[str] | None:
    """An expression that fits the names a template makes for the pull request; None if nothing in it is its own.

    Parameters of the pull-request generator are filled in; whatever else a name is made of may be anything.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", pull.head.ref.lower())[:50].strip("-")
    own = {
        "number": str(pull.number),
        "branch": pull.head.ref,
        "branch_slug": slug,
        "head_sha": pull.head.sha,
        "head_short_sha": pull.head.sha[:8],
        "head_short_sha_7": pull.head.sha[:7],
    }
    parts, end, told = [], 0, False
    for match in _PLACEHOLDER.finditer(template):
        value = own.get(match[1].removeprefix("."))
        told = told or value is not None
        parts += [re.escape(template[end : match.start()]), re.escape(value) if value else ".+"]
        end = match.end()
    return re.compile("".join(parts) + re.escape(template[end:])) if told else None


def _error(application_set: Object) -> tuple[str, datetime | None]:
    for condition in (application_set.get("status") or {}).get("conditions") or []:
        if condition["type"] == "ErrorOccurred" and condition["status"] == "True":
            return str(condition.get("message", "")), parse_time(condition.get("lastTransitionTime"))
    return "", None


def owner_set(application: Object) -> str | None:
    """The ApplicationSet that owns an Application."""
    for owner in application["metadata"].get("ownerReferences") or []:
        if owner.get("kind") == "ApplicationSet":
            return str(owner["name"])
    return None


def _name(application: Object) -> str:
    return str(application["metadata"]["name"])
