"""Why a container runtime could not pull an image, told from its words."""

from __future__ import annotations

import re
from enum import StrEnum


class PullProblem(StrEnum):
    """Why an image cannot be pulled, as far as the runtime's words tell; the value says what to do about it."""

    MISSING = "check that CI has published the image for this commit"
    RATE_LIMIT = "the registry limits pulls: authenticate the cluster's pulls, use a mirror, or wait"
    AUTHENTICATION = "check the pull secret in this namespace, and that its account may read the image"
    ARCHITECTURE = "publish the image for the architecture of the nodes that pods are scheduled to"
    OTHER = "check that the registry lets the image be pulled"


#: Names of images, addresses and tags: digits in them are no status.
_NAMES_IN_WORDS = re.compile(r"\[manifests [^\]]*\]|\S*/\S*|\S*sha256:\S*")

#: Words of container runtimes and registries, the more telling ones first.
_PULL_WORDS = (
    (PullProblem.RATE_LIMIT, r"toomanyrequests|\b429\b|rate limit"),
    (PullProblem.ARCHITECTURE, r"no match(ing)? (for platform|manifest)|exec format error"),
    (
        PullProblem.AUTHENTICATION,
        r"\b401\b|\b403\b|unauthorized|forbidden|denied|insufficient_scope|no basic auth|authentication required",
    ),
    (PullProblem.MISSING, r"not found|manifest unknown|\b404\b"),
)


def pull_problem(words: str) -> PullProblem:
    """Tell from a runtime's words why it could not pull an image."""
    said = _NAMES_IN_WORDS.sub(" ", words)
    found = (problem for problem, pattern in _PULL_WORDS if re.search(pattern, said, re.IGNORECASE))
    return next(found, PullProblem.OTHER)
