"""What a task's command says that it has done: summary, tests, pull request, changed files, risks."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gatehouse.core.errors import ProductFailure


class ReportedTest(BaseModel):
    """One thing that the command has checked, and how."""

    model_config = ConfigDict(extra="ignore")

    command: str = Field(min_length=1)
    result: Literal["passed", "failed", "skipped"]
    #: The lines that matter.
    log: str = ""


class TaskResult(BaseModel):
    """The file of a task's result; what else is in it is kept and not judged."""

    model_config = ConfigDict(extra="ignore")

    summary: str = Field(min_length=1)
    tests: list[ReportedTest]
    pr_url: str | None = None
    changed_files: list[str] = []
    risks: list[str] = []


def read_result(content: bytes, path: str) -> TaskResult:
    """The result in a JSON file. Raises `ProductFailure` naming the field that is wrong."""
    try:
        return TaskResult.model_validate(json.loads(content))
    except (ValueError, RecursionError) as error:  # a ValidationError is a ValueError, too
        seen = str(error)
        if isinstance(error, ValidationError):
            seen = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg'].lower()}"
                for fault in error.errors()[:3]
            )
        raise ProductFailure(
            f"the task's result {path} is not what was agreed",
            expected="JSON with summary, tests (each with command and result), and where they apply pr_url, "
            "changed_files, risks",
            seen=seen,
            next_step="correct what the command writes; the form is described in docs/task.md",
        ) from None


def require_consistent(result: TaskResult, *, succeeded: bool, opens_pull_request: bool, path: str) -> None:
    """Raise `ProductFailure` where the result contradicts the exit code, or names no pull request."""
    failed = [each.command for each in result.tests if each.result == "failed"]
    if not succeeded:
        return
    if failed:
        raise ProductFailure(
            "the command ended with 0, but says itself that a test failed",
            seen="; ".join(failed),
            where=path,
            next_step="have the command end with another exit code when its tests fail",
        )
    if opens_pull_request and not (result.pr_url or "").startswith(("https://", "http://")):
        raise ProductFailure(
            "the task succeeded without a pull request",
            expected="pr_url in the result",
            seen=repr(result.pr_url),
            where=path,
            next_step="have the command push its branch, open the pull request and write its URL",
        )
