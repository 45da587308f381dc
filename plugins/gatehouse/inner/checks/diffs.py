"""Unified diffs, by which formatters say what they would change."""

from __future__ import annotations

import re

from gatehouse.inner.checks.parsing import relative, without_control
from gatehouse.inner.model import Check, Finding

_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


def unformatted(check: Check, diff: str, tool: str) -> tuple[Finding, ...]:
    """One finding for each file of a diff, at the first line that would change."""
    findings = []
    path, line = "", 0
    for text in without_control(diff).splitlines():
        if text.startswith("--- "):
            # Some tools put a time behind the name, after a tab; gofmt calls the file as it is now `.orig`.
            path = text[4:].split("\t")[0].removesuffix(".orig")
            line = 0
        elif path and (hunk := _HUNK.match(text)):
            line = int(hunk[1])
        elif path and line and text.startswith(" "):
            line += 1
        elif path and line and text.startswith(("-", "+")) and not text.startswith("+++ "):
            message = f"is not formatted as {tool} does it"
            findings.append(Finding(relative(check, path), message, max(line, 1), rule="format"))
            path = ""
    return tuple(findings)
