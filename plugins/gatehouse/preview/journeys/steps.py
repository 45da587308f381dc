"""The last steps of a Playwright trace, in words."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
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

_OF_THE_RUNNER = "test.trace"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

#: Playwright's inner selectors, and the words of its locators for them.
_SELECTORS = (
    (re.compile(r'internal:role=(\w+)\[name="([^"]*)"[is]\]'), r'\1 "\2"'),
    (re.compile(r"internal:role=(\w+)"), r"\1"),
    (re.compile(r'internal:label="([^"]*)"[is]'), r'label "\1"'),
    (re.compile(r'internal:text="([^"]*)"[is]'), r'text "\1"'),
    (re.compile(r'internal:testid=\[[^=]*="([^"]*)"[is]\]'), r'test id "\1"'),
)


def last_steps(*traces: Path) -> list[str]:
    """What was done last in all contexts, the newest at the end; nothing of a trace that cannot be read.

    The format is Playwright's own: JSON lines with `before`, `log` and `after` events (version 8 and later).
    """
    try:
        return _told(event for number, trace in enumerate(traces) for event in _all_events(number, trace))
    except (AttributeError, TypeError, ValueError):  # another format: Playwright does not promise this one
        return []


def _all_events(number: int, trace: Path) -> Iterable[dict[str, Any]]:
    """The events of all parts of a trace; ids of calls are its own."""
    try:
        with zipfile.ZipFile(trace) as archive:
            names = [name for name in archive.namelist() if name.endswith(".trace")]
            # Playwright Test's own file has the same calls once more, with its fixtures and hooks.
            for name in [name for name in names if name != _OF_THE_RUNNER] or names:
                for event in _events(archive, name):
                    yield {**event, "callId": f"{number} {event.get('callId')}"}
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
        return


def _events(archive: zipfile.ZipFile, name: str) -> Iterable[dict[str, Any]]:
    with archive.open(name) as lines:
        while line := lines.readline(LONGEST_LINE):
            if line.startswith((b'{"type":"before"', b'{"type":"after"')):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # the beginning of a line that is too long


def _told(events: Iterable[dict[str, Any]]) -> list[str]:
    """The steps of a trace's events: what was called on what, and what became of it."""
    steps: list[tuple[float, int, str, str]] = []
    ends: dict[str, str] = {}
    for number, event in enumerate(events):
        call = str(event.get("callId"))
        if event["type"] == "after":
            ends[call] = _end(event)
        elif event.get("method") not in _SILENT and not event.get("parentId"):
            steps.append((float(event.get("startTime") or 0), number, call, _step(event)))
            if len(steps) > 2 * STEPS:
                steps = _newest(steps)
    return [text + ends.get(call, ": not ended") for *_, call, text in _newest(steps)]


def _newest(steps: list[tuple[float, int, str, str]]) -> list[tuple[float, int, str, str]]:
    """The last of them: a trace can have several parts, each in order of time by itself."""
    return sorted(steps)[-STEPS:]


def _end(event: dict[str, Any]) -> str:
    """What became of a call, if it did not simply work."""
    error = event.get("error") or {}
    inner = error.get("error") or {}
    message = str(error.get("message") or inner.get("message") or "").strip()
    return f": {_COLOUR.sub('', message.splitlines()[0])}" if message else ""


def _step(event: dict[str, Any]) -> str:
    """A call in words; what was typed is left out, it may be a secret."""
    parameters = event.get("params") or {}
    what = str(event.get("title") or event.get("apiName") or event.get("method"))
    on = parameters.get("url") or parameters.get("selector") or ""
    for pattern, words in _SELECTORS:
        on = pattern.sub(words, str(on))
    return f"{what} {on}".strip()
