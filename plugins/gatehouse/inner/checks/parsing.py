"""Reading findings out of what tools print."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gatehouse.inner.model import Check, Finding

_PLACE = re.compile(
    r"^(?:vet: )?(?P<path>[^\s:][^:\n]*?):(?P<line>\d+)(?::(?P<column>\d+))?:\s*(?P<message>.+)$"
)


def relative(check: Check, path: str) -> str:
    """A path as the tool gave it (absolute, or relative to the package), relative to the checkout's root."""
    absolute = Path(path) if Path(path).is_absolute() else check.package.path / path
    try:
        return absolute.resolve().relative_to(check.package.root.resolve()).as_posix()
    except ValueError:
        return path


def placed_lines(check: Check, text: str) -> tuple[Finding, ...]:
    """The lines of the form `path:line[:column]: message`."""
    matches = (_PLACE.match(line) for line in text.splitlines())
    return tuple(
        Finding(
            relative(check, match["path"].removeprefix("./")),
            match["message"].strip(),
            int(match["line"]),
            int(match["column"]) if match["column"] else None,
        )
        for match in matches
        if match
    )


def json_lines(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects among the lines of a text; other lines are passed over."""
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value
