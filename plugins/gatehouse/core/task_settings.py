"""What an automation task is: the target's `task` section, and a file of its own (`*.task.yaml`)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gatehouse.core.yaml_file import StrictModel

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _variable(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not the name of an environment variable")
    return value


def _profile(value: str) -> str:
    if not _PROFILE.fullmatch(value):
        raise ValueError(f"{value!r} is not a profile: letters, digits, '.', '_' and '-'")
    return value


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or not value.strip():
        raise ValueError(f"{value!r} is not a path inside the checkout")
    return value


def _commit(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{7,64}", value):
        raise ValueError(f"{value!r} is not a commit: 7 to 64 hexadecimal digits")
    return value


Variable = Annotated[str, AfterValidator(_variable)]
ProfileName = Annotated[str, AfterValidator(_profile)]
PathInside = Annotated[str, AfterValidator(_inside)]
Commit = Annotated[str, AfterValidator(_commit)]


class TaskBudgets(StrictModel):
    """Seconds that each phase may take. What a start may take in each of its stages is `coder.budgets`."""

    start: float = Field(default=1800.0, gt=0, description="from the create call until the agent is ready")
    provenance: float = Field(default=60.0, gt=0, description="to look at what is really there")
    command: float = Field(default=600.0, gt=0)
    evidence: float = Field(
        default=120.0, gt=0, description="to copy out, and to note what a person must know"
    )
    teardown: float = Field(default=600.0, gt=0, description="from the delete call to the proof")

    @property
    def total(self) -> float:
        """Seconds of all phases."""
        return self.start + self.provenance + self.command + self.evidence + self.teardown


class EvidenceFile(StrictModel):
    """A file, or files by a pattern such as `reports/*.xml`, that the command leaves in the checkout."""

    path: PathInside
    required: bool = True
    max_bytes: int = Field(default=4 * 1024 * 1024, gt=0, description="of one file")


class TaskResultContract(StrictModel):
    """The file in which the command says what it has done: summary, tests, pull request, changed files, risks."""

    path: PathInside = ".task/result.json"
    opens_pull_request: bool = Field(default=False, description="a success must name its pull request")


class ProvenanceSettings(StrictModel):
    """What the workspace must really be."""

    image: str | None = Field(
        default=None, description="of the pod's container; a digest is compared with imageID"
    )
    marker: str | None = Field(
        default=None, description="shell command that only succeeds in the intended image"
    )
    instructions: bool = Field(
        default=True, description="with a profile: its AGENTS.md must be beside the checkout"
    )


class TaskSettings(StrictModel):
    """One automation task. Of the target's section, a task's own file may override everything."""

    template: str
    template_version: str | None = Field(default=None, description="its name; default: the active one")
    parameters: dict[str, str] = Field(default_factory=dict, description="rich parameters of the template")
    repository: str | None = Field(default=None, description="URL to clone; default: the template's")
    ref: str | None = Field(default=None, description="branch, tag or commit; default: the template's")
    commit: Commit | None = Field(default=None, description="that must be checked out, or its beginning")
    clone: Literal["template", "full", "shallow", "blobless"] = Field(
        default="template", description="who clones: the template itself, or the launcher in this way"
    )
    profile: ProfileName | None = Field(default=None, description="agent profile: /workspaces/<profile>/repo")
    directory: str | None = Field(
        default=None, description="of the checkout; default: the profile's, else the agent's"
    )
    command: str | list[str] = Field(
        default="true", description="text for sh, or a program and its arguments"
    )
    environment: dict[Variable, str] = Field(default_factory=dict, description="not for secrets: it is shown")
    secrets: list[Variable] = Field(
        default_factory=list,
        description="names of variables that the workspace must have; their values stay there",
    )
    channel: Literal["auto", "script", "exec", "terminal"] = "auto"
    command_script: str = Field(default="Command", description="name of the start script that runs it")
    command_parameter: str = Field(
        default="gatehouse_command", description="rich parameter that the template's start script runs"
    )
    evidence: list[EvidenceFile] = Field(default_factory=list)
    evidence_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="of all files together")
    result: TaskResultContract | None = None
    guard_rails: bool = Field(
        default=False, description="judge what the command has changed by the base's policy"
    )
    provenance: ProvenanceSettings = ProvenanceSettings()
    budgets: TaskBudgets = TaskBudgets()
    bot_scopes: list[str] = Field(
        default=["repo", "public_repo", "repo:status", "read:org", "read:user", "user:email"],
        description="OAuth scopes that the token may have with which a task pushes; fine-grained ones have none",
    )
    planes: list[str] = Field(
        default_factory=list,
        description="functions that look for what else a task may leave, as `module:function`",
    )
    ttl_seconds: float | None = Field(
        default=None,
        ge=60,
        lt=30 * 86400,
        description="then Coder stops it; default: all budgets and 30 minutes",
    )

    @model_validator(mode="after")
    def _consistent(self) -> TaskSettings:
        if self.ttl_seconds is not None and self.ttl_seconds <= self.budgets.total:
            raise ValueError(
                f"ttl_seconds ({self.ttl_seconds:g}) must be more than all budgets together ({self.budgets.total:g}), "
                "or Coder would stop the workspace under the task"
            )
        if self.clone != "template" and not self.repository:
            raise ValueError(f"clone: {self.clone} needs a repository")
        if shared := set(self.environment) & set(self.secrets):
            raise ValueError(f"{', '.join(sorted(shared))}: both in environment and in secrets")
        return self

    @property
    def argv(self) -> list[str]:
        """The program and its arguments."""
        return ["sh", "-c", self.command] if isinstance(self.command, str) else list(self.command)

    @property
    def time_to_live(self) -> float:
        """Seconds after which Coder stops the workspace by itself."""
        return self.ttl_seconds if self.ttl_seconds is not None else self.budgets.total + TTL_MARGIN


#: Seconds that a workspace may live longer than all budgets, so that Coder never stops it under a task.
TTL_MARGIN = 1800.0
