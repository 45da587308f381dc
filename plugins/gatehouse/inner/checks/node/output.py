"""What tools of the Node ecosystem print or write: compilers, linters, formatters, and scripts in general."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.node.package import absent_dependency
from gatehouse.inner.checks.parsing import (
    ERROR,
    first_error,
    own_place,
    placed_lines,
    places,
    relative,
    short,
    taken,
    without_control,
)
from gatehouse.inner.checks.tap import UNFINISHED, is_tap, read_tap
from gatehouse.inner.model import Check, Finding, Parsed

_TSC = re.compile(
    r"^(?P<path>[^\s(][^(\n]*)\((?P<line>\d+),(?P<column>\d+)\): error (?P<rule>TS\d+): (?P<message>.+)$",
    re.MULTILINE,
)
_TSC_PRETTY = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):(?P<column>\d+) - error (?P<rule>TS\d+): (?P<message>.+)$",
    re.MULTILINE,
)
_TSC_GLOBAL = re.compile(r"^error (?P<rule>TS\d+): (?P<message>.+)$", re.MULTILINE)
_PRETTIER_ERROR = re.compile(
    r"^\[error\] (?P<path>.+?): (?P<message>\w*Error: .+?) \((?P<line>\d+):(?P<column>\d+)\)$", re.MULTILINE
)
_PRETTIER_WARNING = re.compile(r"^\[warn\] (?P<path>.+)$", re.MULTILINE)
_STYLISH = re.compile(r"^ +(?P<line>\d+):(?P<column>\d+) +error +(?P<message>.+?)(?:  +(?P<rule>\S+))?$")
_JEST_OR_VITEST = r"^\s*Tests:?\s+(?P<counts>.*\d+ (?:passed|failed|total|skipped|todo).*)$"
_NODE = r"^[#\u2139] pass +(?P<passed>\d+)(?:\n[#\u2139] skip +\d+)?(?:\n[#\u2139] fail +(?P<failed>\d+))?"
_MOCHA = r"^\s*(?P<passed>\d+) passing\b(?:.*\n+\s*(?:\d+ pending\n+\s*)?(?P<failed>\d+) failing)?"
_AVA = r"^\s*(?P<passed>\d+) tests? passed$"
_COUNTS = tuple(re.compile(pattern, re.MULTILINE) for pattern in (_JEST_OR_VITEST, _NODE, _MOCHA, _AVA))
_BULLET = re.compile(
    r"^ +\u25cf (?P<title>.+)\n\s*\n +(?P<message>\S.*)(?P<rest>(?:\n(?! +\u25cf ).*)*)", re.MULTILINE
)
_NONE = re.compile(r"^(?:No tests found|No test files found|No test suite found)\b", re.MULTILINE)


def read_tsc(check: Check, done: Completed) -> Parsed:
    """The text of tsc with `--pretty false`: `path(1,2): error TS1234: message`."""
    text = without_control(done.stdout + "\n" + done.stderr)
    findings = tuple(_tsc(check, text))
    return Parsed(findings, missing=absent_dependency(check, text))


def _tsc(check: Check, text: str) -> Iterator[Finding]:
    for pattern in (_TSC, _TSC_PRETTY):
        for match in pattern.finditer(text):
            yield _placed(check, match)
    for match in _TSC_GLOBAL.finditer(text):
        yield Finding(check.package.manifest, short(match["message"]), rule=match["rule"])


def _placed(check: Check, match: re.Match[str], rule: str = "") -> Finding:
    named = match.groupdict()
    path, line, column = relative(check, named["path"]), int(named["line"]), int(named["column"])
    return Finding(path, short(named["message"]), line, column, named.get("rule") or rule)


class EslintReport:
    """Reads the JSON file that ESLint was told to write; `configuration` is the path of the one that it uses."""

    def __init__(self, path: Path, configuration: str) -> None:
        self._path = path
        self._configuration = configuration

    def __call__(self, check: Check, done: Completed) -> Parsed:
        """Errors; where there are none, warnings, which a limit can turn into a failure."""
        text = taken(self._path)
        try:
            files = json.loads(text)
        except ValueError:
            return self._failed(check, done)
        told = [(file["filePath"], each) for file in files for each in file["messages"]]
        errors = [each for each in told if each[1].get("severity") == 2]
        chosen = errors or (told if done.exit_code else [])
        return Parsed(tuple(_eslint(check, path, each) for path, each in chosen))

    def _failed(self, check: Check, done: Completed) -> Parsed:
        """What ESLint says when it could look at nothing: something is wrong with its configuration."""
        parsed = read_script(check, done)
        error = ERROR.search(without_control(done.stderr))
        if parsed.findings or not error:
            return parsed
        path = relative(check, self._configuration) if self._configuration else check.package.manifest
        return replace(parsed, findings=(Finding(path, short(error["message"]), rule="configuration"),))


def _eslint(check: Check, path: str, message: dict[str, Any]) -> Finding:
    rule = message.get("ruleId") or ("syntax" if message.get("fatal") else "")
    return Finding(
        relative(check, path), short(message["message"]), message.get("line"), message.get("column"), rule
    )


def read_prettier(check: Check, done: Completed) -> Parsed:
    """`prettier --check`: files that would change, and those that it cannot parse, with the place."""
    text = without_control(done.stdout + "\n" + done.stderr)
    broken = [_placed(check, match, "syntax") for match in _PRETTIER_ERROR.finditer(text)]
    files = dict.fromkeys(relative(check, match["path"]) for match in _PRETTIER_WARNING.finditer(text))
    changed = [
        Finding(file, "is not formatted as prettier does it", rule="format")
        for file in files
        if (check.package.root / file).is_file()
    ]
    return Parsed((*broken, *changed), missing=absent_dependency(check, text))


def read_biome(check: Check, done: Completed) -> Parsed:
    """Biome's JSON: errors; where there are none, warnings, which an option can turn into a failure."""
    try:
        data = json.loads(done.stdout[done.stdout.index("{") :])
    except ValueError:
        return read_script(check, done)
    told = data.get("diagnostics", [])
    errors = [each for each in told if each.get("severity") in ("error", "fatal")]
    found = [_biome(check, each) for each in errors or (told if done.exit_code else [])]
    broken = {each.path for each in found if each.rule == "parse"}
    return Parsed(tuple(each for each in found if each.rule != "format" or each.path not in broken))


def _biome(check: Check, diagnostic: dict[str, Any]) -> Finding:
    location = diagnostic.get("location") or {}
    path = location.get("path") or ""
    name = path.get("file", "") if isinstance(path, dict) else path  # an object up to Biome 1
    line, column = _biome_start(location)
    message = diagnostic.get("message") or diagnostic.get("description") or ""
    text = message if isinstance(message, str) else "".join(str(part.get("content", "")) for part in message)
    if diagnostic.get("category") == "format":
        text = "is not formatted as biome does it"
    return Finding(
        relative(check, name) if name else check.package.manifest,
        short(text),
        line,
        column,
        diagnostic.get("category", ""),
    )


def _biome_start(location: dict[str, Any]) -> tuple[int | None, int | None]:
    """Line and column, which Biome 1 only gives as a number of bytes in the source that it shows with them."""
    start, span = location.get("start") or {}, location.get("span")
    if not span or not isinstance(location.get("sourceCode"), str):
        return start.get("line") or None, start.get("column") or None
    before = location["sourceCode"].encode()[: span[0]].decode(errors="replace")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def read_script(check: Check, done: Completed) -> Parsed:
    """Whatever a script prints: findings of the well-known tools, else the first error with its place."""
    text = without_control(done.stdout + "\n" + done.stderr)
    findings = [*_tsc(check, text), *_stylish(check, text)]
    findings += [_placed(check, match, "syntax") for match in _PRETTIER_ERROR.finditer(text)]
    if done.exit_code == 0:
        return Parsed(tuple(dict.fromkeys(findings)))
    findings = findings or [
        each for each in placed_lines(check, text) if (check.package.root / each.path).is_file()
    ]
    findings = findings or [*_jest(check, text)] or [*first_error(check, text)]
    return Parsed(tuple(dict.fromkeys(findings)), missing=absent_dependency(check, text))


def _jest(check: Check, text: str) -> Iterator[Finding]:
    """Jest's text: a bullet with the test's name, its message, and where it failed."""
    for title, message, rest in _BULLET.findall(text):
        if place := own_place(check, places(rest)):
            yield Finding(place[0], short(message), place[1], place[2], title)


def read_test_script(check: Check, done: Completed) -> Parsed:
    """As `read_script`, with each test of TAP, or the number of tests that ran, if the summary is a well-known one."""
    parsed = read_script(check, done)
    if is_tap(done.stdout) and not done.truncated:
        told = read_tap(check, done.stdout, done.stderr)
        failed = tuple(each for each in told.findings if each.rule != UNFINISHED)
        return replace(told, findings=failed or parsed.findings or told.findings, missing=parsed.missing)
    return Parsed(
        parsed.findings, counted(without_control(done.stdout + "\n" + done.stderr)), missing=parsed.missing
    )


def counted(text: str) -> int | None:
    """How many tests ran, by the summary of a well-known runner; None where there is no such summary."""
    for pattern in _COUNTS:
        if matches := list(pattern.finditer(text)):
            return sum(_number(match) for match in matches)
    return 0 if _NONE.search(text) else None


def _number(match: re.Match[str]) -> int:
    named = match.groupdict()
    if "counts" in named:
        return sum(int(number) for number in re.findall(r"(\d+) (?:passed|failed)", named["counts"]))
    return sum(int(number) for number in named.values() if number)


def _stylish(check: Check, text: str) -> Iterator[Finding]:
    """ESLint's text: a file on a line of its own, and below it its problems."""
    path = ""
    for line in text.splitlines():
        if match := _STYLISH.match(line):
            if path:
                yield Finding(
                    path,
                    short(match["message"]),
                    int(match["line"]),
                    int(match["column"]),
                    match["rule"] or "",
                )
        elif line.startswith("/") and Path(line).is_file():
            path = relative(check, line)
