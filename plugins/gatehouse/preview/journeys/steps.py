"""The last steps of a Playwright trace, in words."""

from __future__ import annotations

import json
import re
import zipfile
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: Steps that are shown, at most.
STEPS = 8

#: Bytes of one line of a trace that are read: snapshots of large pages are no steps.
LONGEST_LINE = 1_000_000

#: Calls that say nothing about what a test did.
_SILENT = frozenset(
    {"newPage", "newContext", "close", "waitForEventInfo", "tracingStart", "setExtraHTTPHeaders", "continue"}
)

#: Playwright's inner selectors, and the words of its locators for them.
_SELECTORS = (
    (re.compile(r'internal:role=(\w+)\[name="([^"]*)"[is]\]'), r'\1 "\2"'),
    (re.compile(r"internal:role=(\w+)"), r"\1"),
    (re.compile(r'internal:label="([^"]*)"[is]'), r'label "\1"'),
    (re.compile(r'internal:text="([^"]*)"[is]'), r'text "\1"'),
    (re.compile(r'internal:testid=\[[^=]*="([^"]*)"[is]\]'), r'test id "\1"'),
)


def last_steps(trace: Path) -> list[str]:
    """What was done last, the newest at the end; nothing where the trace cannot be read.

    The format is Playwright's own: JSON lines with `before`, `log` and `after` events (version 8 and later).
    """
    try:
        with zipfile.ZipFile(trace) as archive:
            names = [name for name in archive.namelist() if name.endswith(".trace")]
            return _told(event for name in names for event in _events(archive, name))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return []


def _events(archive: zipfile.ZipFile, name: str) -> Iterable[dict[str, Any]]:
    with archive.open(name) as lines:
        while line := lines.readline(LONGEST_LINE):
            if line.startswith((b'{"type":"before"', b'{"type":"after"')):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # the rest of a line that was too long


def _told(events: Iterable[dict[str, Any]]) -> list[str]:
    """The steps of a trace's events: what was called on what, and what became of it."""
    steps: deque[tuple[str, str]] = deque(maxlen=STEPS)
    ends: dict[str, str] = {}
    for event in events:
        call = str(event.get("callId"))
        if event["type"] == "after":
            error = event.get("error") or {}
            message = str(error.get("message") or (error.get("error") or {}).get("message") or "")
            ends[call] = f": {message.splitlines()[0]}" if message else ""
        elif event.get("method") not in _SILENT and not event.get("parentId"):
            steps.append((call, _step(event)))
    return [text + ends.get(call, ": not ended") for call, text in steps]


def _step(event: dict[str, Any]) -> str:
    """A call in words; what was typed is left out, it may be a secret."""
    parameters = event.get("params") or {}
    what = str(event.get("title") or event.get("apiName") or event.get("method"))
    on = parameters.get("url") or parameters.get("selector") or ""
    for pattern, words in _SELECTORS:
        on = pattern.sub(words, str(on))
    return f"{what} {on}".strip()
