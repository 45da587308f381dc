"""Reports that Jest, Vitest and Mocha write as JSON, Node and node-tap as TAP, Bun and Deno as JUnit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.junit_reports import read_junit
from gatehouse.inner.checks.node.output import read_script
from gatehouse.inner.checks.node.package import absent_dependency
from gatehouse.inner.checks.parsing import (
    Place,
    first_error,
    listing,
    own_place,
    placed_lines,
    places,
    relative,
    short,
    taken,
    text_of,
    unique,
    without_control,
)
from gatehouse.inner.checks.tap import read_tap
from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding, Parsed

_OUTCOMES = {"passed": ChildOutcome.PASSED, "failed": ChildOutcome.FAILED}
_BABEL = re.compile(
    r"^\s*(?P<message>\w*Error: (?P<path>/.+?): (?P<what>.+?) \((?P<line>\d+):(?P<column>\d+)\))",
    re.MULTILINE,
)
_ABSENT = re.compile(r"(?:Cannot find (?:module|package)|Failed to resolve import) ['\"]([^'\"]+)['\"]")
_UNPARSED = re.compile(
    r"^ *Details:\n\s+(?P<path>\S.*):(?P<line>\d+)\n(?:.*\n)*?\s*(?P<what>SyntaxError: .+)$", re.MULTILINE
)
#: How Bun prints what goes wrong while it loads a file.
_BETWEEN_TESTS = re.compile(r"^# Unhandled error between tests\n-+\n((?:.*\n)*?)-+$", re.MULTILINE)
_VITE = re.compile(
    r"^(?:Parse failure: )?(?:Parse failed with \d+ errors?:\s+)?(?P<message>[^\n]+)\n(?:.*\n)*?"
    r"At file: (?P<path>[^\n]+?):(?P<line>\d+):(?P<column>\d+)$",
    re.MULTILINE,
)
_FAILED_SUITE = re.compile(r"● Test suite failed to run\s+(?P<message>\S.*)")

Reader = Callable[[Check, Any], Parsed]


@dataclass(frozen=True)
class Report:
    """Reads the report that a runner was told to write to `path`; without one, what the runner printed."""

    path: Path
    read: Reader

    def __call__(self, check: Check, done: Completed) -> Parsed:
        """What the report holds; a report that cannot be read is a finding, and no test is believed to have run."""
        text = taken(self.path)
        printed = read_script(check, done)
        if not text:
            return Parsed(printed.findings, executed=0, missing=printed.missing)
        try:
            is_tap = self.read is read_tap
            parsed = read_tap(check, text, done.stderr) if is_tap else self.read(check, json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"the runner's report cannot be read: {error}"
            broken = Finding(check.package.manifest, message, rule="report")
            return Parsed((*printed.findings, broken), executed=0)
        # What goes wrong outside of any test is in no report.
        findings = _or_none(check, parsed, parsed.findings or printed.findings)
        missing = absent_dependency(check, text) if done.exit_code != 0 else ""
        return replace(parsed, findings=findings, missing=missing or printed.missing)


@dataclass(frozen=True)
class JUnitReport:
    """Reads the JUnit file that Bun or Deno was told to write to `path`, and what they print of files not in it."""

    path: Path

    def __call__(self, check: Check, done: Completed) -> Parsed:
        """Tests and failures; a file that cannot be loaded is in no report."""
        printed = read_script(check, done)
        try:
            parsed = read_junit(check, [self.path])
        finally:
            self.path.unlink(missing_ok=True)
        outside = [
            finding
            for text in _BETWEEN_TESTS.findall(without_control(done.stderr + "\n" + done.stdout))
            for finding in first_error(check, text)
        ]
        findings = (*outside, *parsed.findings) or printed.findings
        return replace(parsed, findings=_or_none(check, parsed, findings), missing=printed.missing)


def _or_none(check: Check, parsed: Parsed, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings; where there are neither any nor a test, that there is none."""
    if parsed.tests or findings:
        return findings
    return (Finding(check.package.manifest, "the test runner found no test", rule="listing"),)


def read_jest(check: Check, report: dict[str, Any]) -> Parsed:
    """Jest's report, which Vitest writes as well."""
    tests: list[ChildTest] = []
    findings: list[Finding] = []
    for file in report["testResults"]:
        path = relative(check, file["name"])
        for each in file["assertionResults"]:
            test, finding = _jest_test(check, path, each)
            tests.append(test)
            findings += [finding] if finding else []
        failed = any(each["status"] == "failed" for each in file["assertionResults"])
        if file["status"] == "failed" and not failed:
            findings.append(_failed_file(check, path, file.get("message") or ""))
    executed = sum(test.outcome is not ChildOutcome.SKIPPED for test in tests)
    return Parsed(tuple(dict.fromkeys(findings)), executed, tests=unique(tests))


def _jest_test(check: Check, path: str, each: dict[str, Any]) -> tuple[ChildTest, Finding | None]:
    outcome = _OUTCOMES.get(each["status"], ChildOutcome.SKIPPED)
    line = (each.get("location") or {}).get("line")
    stack = "\n".join(each.get("failureMessages") or ())
    message = short(_until_stack(stack)) if outcome is ChildOutcome.FAILED else ""
    name = " > ".join([*each.get("ancestorTitles", ()), each["title"]])
    test = ChildTest(f"{path} > {name}", outcome, (each.get("duration") or 0) / 1000, message, path, line)
    if outcome is not ChildOutcome.FAILED:
        return test, None
    place = own_place(check, places(stack)) or (path, line, None)
    return test, Finding(place[0], message, place[1], place[2], each["title"])


def _failed_file(check: Check, path: str, text: str) -> Finding:
    """A file whose tests could not even be made: it does not parse, or fails while it is loaded."""
    text = without_control(text)
    if match := _BABEL.search(text):
        return Finding(
            relative(check, match["path"]),
            short(match["what"]),
            int(match["line"]),
            int(match["column"]) + 1,
            "syntax",
        )
    if (placed := next(iter(placed_lines(check, text)), None)) and placed.column is not None:
        # Vitest shows what esbuild says, which counts columns from 0.
        return replace(placed, message=placed.message.removeprefix("ERROR: "), column=placed.column + 1)
    parsed = _VITE.search(text)
    if parsed and (found := own_place(check, [_vite_place(parsed)])):
        return Finding(found[0], short(parsed["message"]), found[1], found[2], "syntax")
    match = _FAILED_SUITE.search(text)
    message = short(match["message"] if match else text.partition("\n/")[0], "the file could not be loaded")
    if details := _UNPARSED.search(text):
        # Jest's own first words are advice; the file that it cannot parse, often of a dependency, comes last.
        message = f"{short(details['what'])} in {relative(check, details['path'])}:{details['line']}"
    place = own_place(check, places(text)) or (path, _line_of(check, path, text), None)
    return Finding(place[0], message, place[1], place[2])


def _vite_place(match: re.Match[str]) -> Place:
    """Where Vite's parser stopped: it names files from the package's folder, with a slash before them."""
    return match["path"].removeprefix("/"), int(match["line"]), int(match["column"])


def _line_of(check: Check, path: str, text: str) -> int | None:
    """The line of a file that imports what cannot be found."""
    match = _ABSENT.search(text)
    lines = text_of(check.package.root / path).splitlines() if match else ()
    return next((number for number, line in enumerate(lines, 1) if match and match[1] in line), None)


def _until_stack(text: str) -> str:
    message = re.split(r"\n\s+at ", without_control(text), maxsplit=1)[0].removeprefix("Error: ")
    # Vitest keeps a stack for the time limit's error, and loses its message in the report.
    return "did not end within its time limit" if message == "STACK_TRACE_ERROR" else message


def read_mocha(check: Check, report: dict[str, Any]) -> Parsed:
    """Mocha's JSON report; it names the file of a test, and a stack for each failure."""
    pending = {_mocha_id(check, each) for each in report["pending"]}
    failures = {_mocha_id(check, each): each["err"] for each in report["failures"]}
    tests, findings = [], []
    for each in report["tests"]:
        name = _mocha_id(check, each)
        outcome = ChildOutcome.SKIPPED if name in pending else ChildOutcome.PASSED
        tests.append(
            ChildTest(
                name, ChildOutcome.FAILED if name in failures else outcome, (each.get("duration") or 0) / 1000
            )
        )
    for each in report["failures"]:  # hooks fail as well, and are no tests
        error = each["err"]
        message = short(str(error.get("message") or error.get("stack") or ""))
        place = own_place(check, places(str(error.get("stack", ""))))
        path, line, column = place or (
            relative(check, each.get("file") or check.package.manifest),
            None,
            None,
        )
        findings.append(Finding(path, message, line, column, each["title"]))
    executed = report["stats"]["tests"] - len(pending)
    return Parsed(tuple(findings), executed, tests=unique(tests))


def _mocha_id(check: Check, test: dict[str, Any]) -> str:
    return f"{relative(check, test.get('file') or '')} > {test['fullTitle']}"


def read_file_list(check: Check, done: Completed) -> Parsed:
    """The listing of Jest and Vitest: a file on each line."""
    lines = [line.strip() for line in without_control(done.stdout).splitlines()]
    files = [line for line in lines if line and own_place(check, [(line, 1, None)])]
    return listing(check, len(files), read_script(check, done))


@dataclass(frozen=True)
class MochaListing:
    """Reads the report of `mocha --dry-run`: tests that are known and were not run."""

    path: Path

    def __call__(self, check: Check, done: Completed) -> Parsed:
        """How many tests there are."""
        parsed = Report(self.path, read_mocha)(check, done)
        return listing(check, parsed.executed or 0, parsed)
