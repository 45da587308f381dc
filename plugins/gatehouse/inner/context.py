"""A few lines of source around a finding, quoted as data."""

from __future__ import annotations

from pathlib import Path

from gatehouse.inner.model import Finding

#: Lines before and after the one a finding is about.
AROUND = 1

#: Characters of a line that are shown, and bytes of a file that are read for it.
WIDTH = 160
FILE_LIMIT = 2 << 20


def source_lines(root: Path, finding: Finding) -> list[str]:
    """The lines around the finding's, each with its number, its own marked; empty where there is nothing to show."""
    if finding.line is None:
        return []
    path = root / finding.path
    try:
        if not path.is_file() or path.stat().st_size > FILE_LIMIT:
            return []
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    if not 0 < finding.line <= len(lines):
        return []
    first = max(finding.line - AROUND, 1)
    return [
        f"{'>' if number == finding.line else ' '} {number} | {_printable(lines[number - 1])}"
        for number in range(first, min(finding.line + AROUND, len(lines)) + 1)
    ]


def _printable(line: str) -> str:
    """A line without what a terminal would act on; tabs become spaces."""
    return "".join(each if each.isprintable() else " " for each in line.expandtabs(4))[:WIDTH].rstrip()
