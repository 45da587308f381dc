"""Findings of the inner suite as workflow commands, which GitHub Actions shows beside the code."""

from __future__ import annotations

from typing import Any

from gatehouse.evidence.results import BAD, RunResults

#: How many GitHub shows of one step.
LIMIT = 10


def github_annotations(results: RunResults) -> list[str]:
    """The first findings of red checks, one command each."""
    return [
        _command(test.id, finding)
        for test in results.tests.values()
        if test.status in BAD
        for finding in test.findings
    ][:LIMIT]


def _command(check: str, finding: dict[str, Any]) -> str:
    where = {
        "file": finding["path"],
        "line": finding.get("line"),
        "col": finding.get("column"),
        "title": check,
    }
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in where.items() if value)
    rule = f"{finding['rule']}: " if finding.get("rule") else ""
    return f"::error {properties}::{_data(rule + str(finding['message']))}"


def _data(text: str) -> str:
    """Text that cannot begin another command (documented escapes of workflow commands)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
