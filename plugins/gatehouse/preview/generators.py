"""Which ApplicationSets should have made Applications for a pull request: read from their generators."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class ExpectedSet:
    """An ApplicationSet that generates for the pull request, or would if `missing_labels` were there.

    `count` is how many Applications it makes for one pull request, at least; `error` is its generator's.
    """

    name: str
    missing_labels: frozenset[str]
    count: int = 1
    error: str = ""


def expected_sets(application_sets: list[Object], repository: str, labels: set[str]) -> list[ExpectedSet]:
    """The sets whose pull-request generator watches `repository` (`owner/name`)."""
    return [
        ExpectedSet(
            application_set["metadata"]["name"],
            frozenset(github.get("labels") or []) - labels,
            count,
            _error(application_set),
        )
        for application_set in application_sets
        for github, count in _pull_request_generators(application_set["spec"].get("generators") or [])
        if f"{github.get('owner')}/{github.get('repo')}".lower() == repository.lower()
    ]


def _pull_request_generators(generators: list[Object]) -> Iterator[tuple[Object, int]]:
    """The pull-request generators, each with the number of Applications it leads to for one pull request.

    In a matrix the lengths of static lists multiply it; what other generators add is not known beforehand.
    """
    for generator in generators:
        if "pullRequest" in generator:
            yield generator["pullRequest"].get("github") or {}, 1
        inner = (generator.get("matrix") or {}).get("generators") or []
        lists = [len(each["list"].get("elements") or []) for each in inner if "list" in each]
        for github, count in _pull_request_generators(inner):
            yield github, count * math.prod(lists)
        yield from _pull_request_generators((generator.get("merge") or {}).get("generators") or [])


def _error(application_set: Object) -> str:
    for condition in (application_set.get("status") or {}).get("conditions") or []:
        if condition["type"] == "ErrorOccurred" and condition["status"] == "True":
            return str(condition.get("message", ""))
    return ""


def owner_set(application: Object) -> str | None:
    """The ApplicationSet that owns an Application."""
    for owner in application["metadata"].get("ownerReferences") or []:
        if owner.get("kind") == "ApplicationSet":
            return str(owner["name"])
    return None
