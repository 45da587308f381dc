"""Unified diffs, by which formatters say what they would change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatehouse.inner.checks.parsing import relative, without_control
from gatehouse.inner.model import Check, Finding

_HUNK = re.compile(r"@@ -(\d+)")


def unformatted(check: Check, diff: str, message: str, rule: str = "format") -> tuple[Finding, ...]:
    """One finding for each file of a diff, at the first line of the file as it is that would change."""
    return tuple(
        Finding(relative(check, path), message, line, rule=rule) for path, line in _first_changes(diff)
    )


def _first_changes(diff: str) -> Iterator[tuple[str, int]]:
    """Each file with the first line that changes.

    Only `---` and `+++` one after the other begin a file: alone they may be a line of it, such as a comment of SQL.
    """
    path, line, before = "", 0, ""
    for text in without_control(diff).split("\n"):
        if text.startswith("+++ ") and before.startswith("--- "):
            # Some tools put a time behind the name, after a tab; Terraform compares a folder `old` with one `new`.
            path = text[4:].split("\t")[0].rstrip()
            path = path.removeprefix("new/") if before.startswith("--- old/") else path
            line = 0
        elif path and (hunk := _HUNK.match(text)):
            line = int(hunk[1])
        elif line and text.startswith(("-", "+")):
            yield path, line
            path, line = "", 0
        elif line:
            line += 1
        elif path and text.startswith("+"):  # of a file that is empty
            yield path, 1
            path = ""
        before = text
