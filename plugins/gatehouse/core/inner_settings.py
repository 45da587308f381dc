"""The section `inner` of `gatehouse.yaml`: what discovery cannot know about a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from gatehouse.core.yaml_file import StrictModel


class SilencedCheck(StrictModel):
    """A check of the inner suite that is not run, and why."""

    check: str = Field(description="name or pattern, such as go-test or services/legacy::*")
    reason: str = Field(min_length=10)


class DeclaredInput(StrictModel):
    """Files that decide about no other packages than these."""

    files: list[str] = Field(min_length=1, description="patterns in the syntax of .gitignore, from the root")
    packages: list[str] = Field(description="folders of packages, or patterns of such; empty: none")


class OwnCheck(StrictModel):
    """A command that is a check: a new one of a package, or in place of one that was found."""

    check: str = Field(description="`<manifest>::<name>`, such as services/api/go.mod::contract-tests")
    command: list[str] = Field(min_length=1, description="program and arguments; run in the package's folder")
    phase: Literal["contract", "unit", "integration-local"] = "unit"
    counts: str = Field(
        default="", description="regular expression whose first group is the number of tests that ran"
    )

    @field_validator("check")
    @classmethod
    def _names_a_package(cls, value: str) -> str:
        manifest, separator, name = value.partition("::")
        if not (manifest and separator and name):
            raise ValueError("expected <manifest>::<name>, such as services/api/go.mod::contract-tests")
        return value


class ForbiddenText(StrictModel):
    """Text that no file may have, such as a variable that switches a test mode."""

    pattern: str = Field(min_length=2, description="regular expression, looked for line by line")
    reason: str = Field(min_length=10)
    files: list[str] = Field(default_factory=lambda: ["*"], description="where, in the syntax of .gitignore")


class ForbiddenSettings(StrictModel):
    """What is left of old habits in the checkout, and may only become less."""

    text: list[ForbiddenText] = Field(default_factory=list)
    paths: list[str] = Field(
        default_factory=list, description="files that may not be, in the syntax of .gitignore"
    )
    allow_list: Path = Field(
        default=Path(".ameide/test-contract-allowlist.txt"),
        description="known places, one path a line; may only shrink",
    )


class InnerSettings(StrictModel):
    """The inner suite."""

    silence: list[SilencedCheck] = Field(default_factory=list)
    timeout_seconds: float = Field(default=300.0, gt=0, description="limit for each check")
    checks: list[OwnCheck] = Field(default_factory=list)
    inputs: list[DeclaredInput] = Field(default_factory=list)
    required_tools: list[str] = Field(
        default_factory=list, description="programs that must be there, whether a check needs them or not"
    )
    environment: list[str] = Field(
        default_factory=list,
        description="variables that checks are given besides the usual ones; part of the cache's key",
    )
    integration_names: list[str] = Field(
        default_factory=lambda: ["integration"],
        description="Go's build tags, pytest's markers, folders and source sets of integration tests without a cluster",
    )
    cluster_names: list[str] = Field(
        default_factory=lambda: ["cluster", "e2e"], description="the same of tests that never run here"
    )
    forbidden: ForbiddenSettings = ForbiddenSettings()
    network: bool = Field(default=False, description="checks may reach other machines than this one")
    cache_megabytes: int = Field(default=100, ge=1, description="limit of the cache of passes")
