"""What a gate demands. Read from the base revision of the repository, never from the change under test."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gatehouse.core import yaml_file
from gatehouse.core.checkout import Checkout
from gatehouse.core.errors import GatehouseError
from gatehouse.core.yaml_file import StrictModel


class SuitePolicy(StrictModel):
    """What is demanded of one suite."""

    required: bool = True
    min_executed: int = Field(default=1, ge=1, description="tests that ran and were not skipped, at least")
    allowed_skips: list[str] = Field(
        default_factory=list,
        description="patterns of skip reasons that are accepted; all others close the gate",
    )
    max_flaky: int = Field(default=0, ge=0, description="tests that may pass only after a failed attempt")
    deployment_proof: bool = Field(
        default=False, description="the commit must be proved to run, before and after"
    )
    leak_proof: bool = Field(default=False, description="teardown must be proved, with nothing left")


class Policy(StrictModel):
    """The whole policy file."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    suites: dict[Literal["smoke", "inner", "preview", "task"], SuitePolicy] = Field(min_length=1)
    allow_embedded: bool = False
    max_age_hours: float = Field(default=24.0, gt=0)


def load_policy(path: Path) -> Policy:
    """The policy in a file. Raises `SettingsError` with line and accepted form."""
    return yaml_file.load(path, Policy, "docs/gate.md")


def provenance(path: Path) -> dict[str, Any]:
    """Where a policy came from: path, digest of its bytes, and the commit that is checked out there."""
    try:
        commit = Checkout.find(path.resolve().parent).head
    except GatehouseError:
        commit = None
    return {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "commit": commit}
