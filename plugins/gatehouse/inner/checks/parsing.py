"""Reading findings out of what tools print."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from gatehouse.inner.discover import VENDORED
from gatehouse.inner.model import Check, ChildTest, Finding, Parsed

#: Characters of a message that are kept.
MESSAGE_LIMIT = 300

#: The line that says what is wrong, as most runtimes print it.
ERROR = re.compile(
    r"^\W*(?:Uncaught )?(?P<message>[A-Z]\w*(?:Error|Exception)\b.*|Error: .*|error: .*)$", re.MULTILINE
)

Place = tuple[str, int, int | None]

#: Also as pytest writes an escape character into XML, which cannot hold one.
_CONTROL = re.compile(
    r"(?:\x1b|#x1B)\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]"
)
_PLACE = re.compile(
    r"^(?:vet: )?(?P<path>[^\s:][^:\n]*?):(?P<line>\d+)(?::(?P<column>\d+))?:\s*(?P<message>.+)$"
)
_FRAMES = (
    re.compile(r'^(?:E)?\s*File "(?P<path>[^"]+)", line (?P<line>\d+)(?P<column>)'),
    re.compile(r"\((?P<path>[^()]+?):(?P<line>\d+)(?::(?P<column>\d+))?\)"),
    re.compile(r"^\s*(?:at (?:async )?)?(?P<path>(?:file://)?[^:\n]+):(?P<line>\d+)(?::(?P<column>\d+))?"),
    re.compile(r"(?P<path>[^\s:()'\"]+\.\w+):(?P<line>\d+)(?::(?P<column>\d+))?"),
)


def without_control(text: str) -> str:
    """The text without terminal control sequences and control characters; line ends and tabs stay."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def short(message: str, otherwise: str = "failed") -> str:
    """A message on one line, cut after `MESSAGE_LIMIT` characters; `otherwise` where it says nothing."""
    return " ".join(without_control(message).split())[:MESSAGE_LIMIT] or otherwise


def relative(check: Check, path: str) -> str:
    """A path as the tool gave it (absolute, or relative to the package), relative to the checkout's root."""
    if path.startswith("file://"):
        path = unquote(path.removeprefix("file://"))
    absolute = Path(path) if Path(path).is_absolute() else check.package.path / path
    try:
        return absolute.resolve().relative_to(check.package.root.resolve()).as_posix()
    except ValueError:
        return path


def placed_lines(check: Check, text: str) -> tuple[Finding, ...]:
    """The lines of the form `path:line[:column]: message`."""
    matches = (_PLACE.match(line) for line in without_control(text).splitlines())
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


def places(text: str) -> Iterator[Place]:
    """Everything in a stack trace that looks like a place, in its order, as the tool wrote it."""
    for line in without_control(text).splitlines():
        for pattern in _FRAMES:
            for match in pattern.finditer(line):
                yield (
                    match["path"].strip(),
                    int(match["line"]),
                    int(match["column"]) if match["column"] else None,
                )


def own_place(check: Check, candidates: Iterable[Place]) -> Place | None:
    """The first of `candidates` that is a file of the package, else of the checkout; vendored ones never are."""
    elsewhere = None
    folder = f"{check.package.folder}/" if check.package.folder else ""
    for path, line, column in candidates:
        found = relative(check, path)
        if VENDORED & set(found.split("/")) or not _is_file(check.package.root, found):
            continue
        if found.startswith(folder):
            return found, line, column
        elsewhere = elsewhere or (found, line, column)
    return elsewhere


def first_error(check: Check, text: str) -> Iterator[Finding]:
    """The first line that names an error, at the first place in the package from there on, else anywhere.

    Of a file that cannot be parsed, Node tells the place just before the error; the stack after it is of who loads it.
    """
    text = without_control(text)
    if error := ERROR.search(text):
        before = (
            "\n".join(text[: error.start()].splitlines()[-6:]) if "SyntaxError" in error["message"] else ""
        )
        place = (
            own_place(check, places(before))
            or own_place(check, places(text[error.start() :]))
            or own_place(check, places(text))
        )
        if place:
            yield Finding(place[0], short(error["message"]), place[1], place[2])


def _is_file(root: Path, path: str) -> bool:
    if Path(path).is_absolute():
        return False
    try:
        return (root / path).is_file()
    except (OSError, ValueError):  # too long, or not a name at all
        return False


def listing(check: Check, count: int, parsed: Parsed) -> Parsed:
    """What a runner listed without running it; that it lists nothing is a finding, as a listing expects something."""
    findings = parsed.findings
    if not count and not findings and not parsed.missing:
        message = "the test runner lists no test, although there are test files"
        findings = (Finding(check.package.manifest, message, rule="listing"),)
    return Parsed(findings, listed=count, missing=parsed.missing)


def unique(tests: Iterable[ChildTest]) -> tuple[ChildTest, ...]:
    """The tests with a number behind each id that was there before."""
    seen: Counter[str] = Counter()
    found = []
    for test in tests:
        seen[test.id] += 1
        found.append(test if seen[test.id] == 1 else replace(test, id=f"{test.id} ({seen[test.id]})"))
    return tuple(found)


def text_of(path: str | Path) -> str:
    """The text of a file, whatever its encoding; empty where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - read thousands of times
            return file.read()
    except OSError:
        return ""


def taken(path: Path) -> str:
    """The text of a report, which is deleted; empty when the runner wrote none."""
    try:
        return text_of(path)
    finally:
        path.unlink(missing_ok=True)


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
