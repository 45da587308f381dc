"""Findings of the inner suite as SARIF 2.1.0, which editors and code hosts read."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from gatehouse import __version__
from gatehouse.evidence.results import BAD, RunResults

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(results: RunResults) -> dict[str, Any]:
    """The document: one result for each finding of a red check; its rule is the check with the tool's own rule."""
    found = [
        (f"{test.id.rpartition('::')[2]}/{finding.get('rule') or 'finding'}", finding)
        for test in results.tests.values()
        if test.status in BAD
        for finding in test.findings
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "gatehouse",
                        "version": __version__,
                        "rules": [{"id": rule} for rule in sorted({rule for rule, _ in found})],
                    }
                },
                "results": [_result(rule, finding) for rule, finding in found],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }


def _result(rule: str, finding: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(str(finding["path"]), errors="surrogateescape")}
    }
    if finding.get("line"):
        place["region"] = {"startLine": max(int(finding["line"]), 1)}
        if finding.get("column"):
            place["region"]["startColumn"] = max(int(finding["column"]), 1)
    return {
        "ruleId": rule,
        "level": "error",
        "message": {"text": str(finding["message"])},
        "locations": [{"physicalLocation": place}],
    }
