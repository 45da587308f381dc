"""What Playwright Test said: the events of our reporter, folded into listed tests and their attempts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@dataclass(frozen=True)
class ListedTest:
    """A test as Playwright lists it; `name` is ours, and unique in its project. `key` is Playwright's own id."""

    key: str
    name: str
    spec: Path
    file: Path
    line: int
    project: str


@dataclass(frozen=True)
class ReportedError:
    """An error in Playwright's words, without colours."""

    message: str
    stack: str = ""
    snippet: str = ""
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """`file:line`, or nothing."""
        return f"{self.file}:{self.line}" if self.file else ""


@dataclass(frozen=True)
class Attempt:
    """One attempt of a test. `retry` counts from 0; `journey` is what happened in the browser beside the test."""

    key: str
    retry: int
    retries: int
    status: str
    expected: str
    seconds: float
    worker: int
    shard: int
    errors: tuple[ReportedError, ...]
    annotations: tuple[tuple[str, str], ...]
    attachments: tuple[dict[str, str], ...]
    journey: dict[str, Any]
    stdout: str = ""
    stderr: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether Playwright counts it as well."""
        return self.status == self.expected

    @property
    def did_not_run(self) -> bool:
        """Whether it was left out because of something else, and nobody asked for that."""
        return self.status == "skipped" and self.expected != "skipped"


@dataclass
class ShardEvents:
    """What one process has told so far."""

    begun: bool = False
    ended: str = ""
    web_server: bool = False
    version: str = ""
    running: set[tuple[str, int]] = field(default_factory=set)
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    errors: list[ReportedError] = field(default_factory=list)
    tests: list[ListedTest] = field(default_factory=list)

    def add(self, event: dict[str, Any], root: Path) -> None:
        """Take up one event. `root` is the folder that names of spec files are relative to."""
        match event["event"]:
            case "begin":
                self.begun, self.version = True, str(event["version"])
                self.web_server = bool(event["web_server"])
                self.tests = listed(event["tests"], root)
            case "test_begin":
                self.running.add((event["id"], event["retry"]))
            case "test_end":
                self.running.discard((event["id"], event["retry"]))
                attempt = _attempt(event)
                self.attempts.setdefault(attempt.key, []).append(attempt)
            case "error":
                self.errors.append(_error(event))
            case "end":
                self.ended = str(event["status"])


class Follower:
    """Reads a file of events as it grows; a last line that is not whole yet is left for the next time."""

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._root = root
        self._offset = 0
        self.events = ShardEvents()

    def read(self) -> ShardEvents:
        """Everything told so far."""
        if self._path.is_file():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                fresh = file.read()
            whole = fresh[: fresh.rfind(b"\n") + 1]
            self._offset += len(whole)
            for line in whole.splitlines():
                try:
                    self.events.add(json.loads(line), self._root)
                except (ValueError, KeyError, TypeError):
                    words = f"{self._path.name} holds a line that is not the reporter's: {line[:80]!r}"
                    self.events.errors.append(ReportedError(words))
        return self.events


def listed(tests: Iterable[dict[str, Any]], root: Path) -> list[ListedTest]:
    """Tests with names that are stable and unique: `spec > describe > title [project]`, numbered if repeated."""
    found: list[ListedTest] = []
    seen: set[str] = set()
    for test in tests:
        spec = Path(test["spec"])
        parts = [os.path.relpath(spec, root), *(_plain(title) for title in test["titles"] if title.strip())]
        project = _plain(test["project"])
        name, suffix = " > ".join(parts), f" [{project}]" if project else ""
        number, count = "", 1
        while name + number + suffix in seen:
            count += 1
            number = f" #{count}"
        seen.add(name + number + suffix)
        found.append(
            ListedTest(
                key=test["id"],
                name=f"{name}{number}{suffix}",
                spec=spec,
                file=Path(test["file"]),
                line=int(test["line"]),
                project=str(test["project"]),
            )
        )
    return found


def without_colours(text: str) -> str:
    """Text as a terminal shows it."""
    return _ANSI.sub("", text)


def _plain(title: str) -> str:
    """A title on one line; `::` is what parts ids are split at."""
    return re.sub(r"\s+", " ", without_colours(title)).strip().replace("::", ": :")


def _attempt(event: dict[str, Any]) -> Attempt:
    return Attempt(
        key=event["id"],
        retry=event["retry"],
        retries=event["retries"],
        status=event["status"],
        expected=event["expected"],
        seconds=max(event["seconds"], 0.0),
        worker=event["worker"],
        shard=event["shard"],
        errors=tuple(_error(each) for each in event["errors"]),
        annotations=tuple(
            (str(each.get("type", "")), str(each.get("description") or "")) for each in event["annotations"]
        ),
        attachments=tuple(event["attachments"]),
        journey=event["journey"],
        stdout=without_colours(event["stdout"]),
        stderr=without_colours(event["stderr"]),
    )


def _error(data: dict[str, Any]) -> ReportedError:
    return ReportedError(
        message=without_colours(data["message"]).strip(),
        stack=without_colours(data["stack"]),
        snippet=without_colours(data["snippet"]),
        file=data["file"],
        line=data["line"],
    )
