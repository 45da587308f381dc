"""Which ApplicationSets should have made Applications for a pull request: read from their generators."""

from __future__ import annotations

import itertools
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

#: The longest branch that Argo CD makes a part of a name of.
SLUG_LENGTH = 50

#: A placeholder of a template, in Go's syntax (`{{.number}}`) or the older one (`{{number}}`).
_PLACEHOLDER = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")


@dataclass(frozen=True)
class ExpectedSet:
    """An ApplicationSet that generates for the pull request, or would if `missing_labels` were there.

    `count` is how many Applications it makes for one pull request, at least. `project` is that of its
    Applications, empty where the template does not tell it. `application_name` fits their names: None if the
    template names nothing of the pull request; `example` is like them, with `*` for what is not known.
    `filtered` says that the generator's filters leave the pull request out. `poll` is how often (seconds) it
    looks at the code host without a webhook. `rolling` says that it syncs its Applications itself, step by step.
    `error` is its generator's, since `error_since`.
    """

    name: str
    missing_labels: frozenset[str]
    count: int = 1
    project: str = ""
    application_name: re.Pattern[str] | None = field(default=None, compare=False)
    example: str = "*"
    poll: float = DEFAULT_POLL
    error: str = ""
    error_since: datetime | None = None
    filtered: bool = False
    rolling: bool = False

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
    project = _filled(str((template.get("spec") or {}).get("project") or ""), pull)
    name = str((template.get("metadata") or {}).get("name") or "")
    return ExpectedSet(
        application_set["metadata"]["name"],
        frozenset((generator.get("github") or {}).get("labels") or []) - pull.label_names,
        count,
        project="" if _PLACEHOLDER.search(project) else project,
        application_name=_name_pattern(name, pull),
        example=_PLACEHOLDER.sub("*", _filled(name, pull)),
        poll=float(generator.get("requeueAfterSeconds") or DEFAULT_POLL),
        error=error,
        error_since=since,
        rolling=(application_set["spec"].get("strategy") or {}).get("type") == "RollingSync",
        filtered=not _passes(generator.get("filters") or [], pull),
    )


def _repository(generator: Object) -> str:
    github = generator.get("github") or {}
    return f"{github.get('owner')}/{github.get('repo')}"


def _passes(filters: list[Object], pull: PullRequest) -> bool:
    """Whether a generator takes the pull request: all that one of its filters names must match, anywhere."""
    values = {
        "branchMatch": pull.head.ref,
        "targetBranchMatch": pull.base.ref,
        "titleMatch": pull.title,
    }
    return not filters or any(
        all(_matches(each[key], value) for key, value in values.items() if each.get(key)) for each in filters
    )


def _matches(expression: str, value: str) -> bool:
    try:
        return re.search(expression, value) is not None
    except re.error:  # Go's syntax differs a little; a set that may generate is waited for
        return True


def _pull_request_generators(generators: list[Object]) -> Iterator[tuple[Object, int]]:
    """The pull-request generators, each with the number of Applications it leads to for one pull request, at least.

    In a matrix the lengths of static lists multiply it; what other generators add, and what a selector leaves of
    it all, is not known beforehand. What is merged with the first generator makes no further Applications.
    """
    for generator in generators:
        if "pullRequest" in generator:
            yield generator["pullRequest"], 1
        inner = (generator.get("matrix") or {}).get("generators") or []
        lists = math.prod(_elements(each) for each in inner if "list" in each)
        for found, count in _pull_request_generators(inner):
            yield found, min(count * lists, 1) if generator.get("selector") else count * lists
        merged = _pull_request_generators((generator.get("merge") or {}).get("generators") or [])
        yield from itertools.islice(merged, 1)


def _elements(generator: Object) -> int:
    """How many elements a list generator has, at least: those that are made of a text are not known beforehand."""
    elements = generator["list"].get("elements") or []
    unknown = generator["list"].get("elementsYaml") or generator.get("selector")
    return 1 if unknown else len(elements)


def _parameters(pull: PullRequest) -> dict[str, str]:
    """What the pull-request generator gives to templates, as far as it identifies the pull request."""
    return {
        "number": str(pull.number),
        "branch": pull.head.ref,
        "branch_slug": _slug(pull.head.ref),
        "head_sha": pull.head.sha,
        "head_short_sha": pull.head.sha[:8],
        "head_short_sha_7": pull.head.sha[:7],
    }


def _slug(branch: str) -> str:
    """A branch as Argo CD makes a name of it: at most 50 characters, cut after a whole word."""
    slug = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")
    if len(slug) <= SLUG_LENGTH:
        return slug
    end = slug.rfind("-", 0, SLUG_LENGTH + 1)
    return slug[: end if end >= 0 else SLUG_LENGTH]


def _filled(template: str, pull: PullRequest) -> str:
    """A template with the pull request's parameters filled in; other placeholders stay."""
    own = _parameters(pull)
    return _PLACEHOLDER.sub(lambda match: own.get(match[1].removeprefix("."), match[0]), template)


def _name_pattern(template: str, pull: PullRequest) -> re.Pattern[str] | None:
    """An expression that fits the names a template makes for the pull request; None if nothing in it is its own.

    Parameters of the pull-request generator are filled in; whatever else a name is made of may be anything.
    """
    own = _parameters(pull)
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
