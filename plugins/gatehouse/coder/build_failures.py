"""What the words of a failed workspace build mean: whose mistake it usually is, and what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class BuildFailure:
    """A usual cause of a failed build."""

    cause: str
    next_step: str


#: The more telling ones first; words of Kubernetes' API server, of Terraform and of Coder.
_FAILURES = (
    (
        r"attempting to grant RBAC permissions not currently held",
        BuildFailure(
            "the template makes a Role with more rights than the provisioner has",
            "take from the template's Role what the provisioner's service account may not do itself, or let the "
            "cluster's own automation make it",
        ),
    ),
    (
        r"insufficient quota|exceeded quota",
        BuildFailure(
            "a quota is used up",
            "delete workspaces or volumes that nobody uses, or raise the quota that the words name",
        ),
    ),
    (
        r"already exists",
        BuildFailure(
            "the template makes something that somebody else has made: another workspace, or the cluster's automation",
            "let only one of them own it: give it a name of the workspace's own in the template, or take it out",
        ),
    ),
    (
        r"is forbidden: User |forbidden: user ",
        BuildFailure(
            "the provisioner may not do in the cluster what the template asks for",
            "give the provisioner's service account the right that the words name",
        ),
    ),
    (
        r"Unexpected Identity Change",
        BuildFailure(
            "a provider refuses the state of a workspace that existed before",
            "pin the provider's version in the template, or use one with the correction",
        ),
    ),
    (
        r"Failed to query available provider|could not connect to registry|registry\.terraform\.io",
        BuildFailure(
            "Terraform cannot fetch a provider or module",
            "let the provisioner reach the registry, or put a mirror into its configuration",
        ),
    ),
    (
        r"MISSING_TEMPLATE_PARAMETER|REQUIRED_TEMPLATE_VARIABLES|missing parameter",
        BuildFailure(
            "the template has a parameter without a value",
            "name it below coder.parameters in gatehouse.yaml, or give it a default",
        ),
    ),
)


def build_failure_of(words: str) -> BuildFailure:
    """The usual cause of a build that failed with these words."""
    for pattern, failure in _FAILURES:
        if re.search(pattern, words, re.IGNORECASE):
            return failure
    return BuildFailure(
        "", "read the provisioner's error above; template, quota and cluster rights are the usual causes"
    )
