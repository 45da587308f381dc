"""What a gate demands. Read from the base revision of the repository, never from the change under test."""

from __future__ import annotations

import fnmatch
import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from gatehouse.core import yaml_file
from gatehouse.core.checkout import Checkout
from gatehouse.core.errors import GatehouseError
from gatehouse.core.yaml_file import StrictModel

#: Where a suite can run. From inside a pod of the cluster more can be looked at; from outside, the edge is real.
Place = Literal["outside", "inside"]

#: How the reason of a test begins that could not look.
UNVERIFIED = "unverified: "


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
    run_from: list[Place] = Field(
        default_factory=list,
        description="where the suite must have run, one bundle for each: outside and inside the cluster; default: "
        "one bundle, from anywhere",
    )

    @model_validator(mode="after")
    def _places_do_not_contradict(self) -> SuitePolicy:
        if len(set(self.run_from)) != len(self.run_from):
            raise ValueError(f"run_from names a place twice: {', '.join(self.run_from)}")
        leave = [each for each in self.allowed_skips if fnmatch.fnmatchcase(UNVERIFIED, each)]
        if len(self.run_from) > 1 and leave:
            raise ValueError(
                f"allowed_skips has {leave[0]!r}, by which a test that was verified at no place would pass, but "
                "run_from demands that one of the places verifies it; take the pattern out"
            )
        return self


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
