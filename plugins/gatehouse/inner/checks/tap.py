"""Reading TAP, as `node --test`, node-tap, AVA and tape write it: what each test came to, and where it failed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from gatehouse.inner.checks.environment_skips import environment_skips
from gatehouse.inner.checks.parsing import (
    Place,
    first_error,
    own_place,
    places,
    short,
    text_of,
    unique,
    without_control,
)
from gatehouse.inner.checks.tap_lines import Outline, Result, outlines
from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding, Parsed

#: The rule of a finding that says that tests ended early; what the program printed may say why.
UNFINISHED = "tap"

_VERSION = re.compile(r"^TAP version 1[34]$", re.MULTILINE)
_CALL = r"\b(?:test|it|serial|failing)\w*\s*\(\s*"


def is_tap(text: str) -> bool:
    """Whether a program prints TAP, by the line with its version."""
    return _VERSION.search(without_control(text)) is not None


def read_tap(check: Check, text: str, beside: str = "") -> Parsed:
    """Each test with its outcome, and a finding for each that failed by itself: groups and files did not.

    `beside` is what was printed elsewhere: of a whole file that failed, it may say why. Output that ends before what it
    announces is a finding, as a program that ends itself early exits with 0.
    """
    tests: list[ChildTest] = []
    findings: list[Finding] = []
    for outline in outlines(without_control(text)):
        for result in outline.results:
            if _only_holds_others(result):
                continue
            test = _test(check, result)
            if not _is_file(check, result):
                tests.append(test)
            if test.outcome is ChildOutcome.FAILED:
                said = "\n".join([*result.printed, beside])
                told = tuple(first_error(check, said)) if _is_file(check, result) else ()
                if (
                    _is_file(check, result)
                    and not told
                    and findings
                    and findings[-1].path == check.package.manifest
                ):
                    # AVA tells an error outside of tests first, and then in which file it was.
                    told = (replace(findings.pop(), path=_file(check, result)),)
                findings += told or (_finding(check, result, test),)
        if early := _unfinished(outline):
            findings.append(Finding(check.package.manifest, early, rule=UNFINISHED))
            # A test of its own, so that it is no pass whatever the exit code.
            tests.append(ChildTest("all tests have ended", ChildOutcome.FAILED, message=early))
    findings += environment_skips(check, tests)
    executed = sum(test.outcome is not ChildOutcome.SKIPPED for test in tests)
    return Parsed(tuple(dict.fromkeys(findings)), executed, tests=unique(tests))


def _only_holds_others(result: Result) -> bool:
    """Whether a line stands for others that came before it. Node says so; other runners are known by these others."""
    kind = result.data.get("type")
    if kind in ("suite", "test"):
        return kind == "suite" or result.data.get("failureType") == "subtestsFailed"
    return result.holds_others and (not result.line["not"] or result.holds_failed)


def _unfinished(outline: Outline) -> str:
    """That fewer tests ended than were announced, or that nothing announced how many there are; else empty."""
    if outline.bail_out:
        return short(f"bailed out: {outline.bail_out}")
    if not outline.is_whole or (outline.planned is not None and outline.ended >= outline.planned):
        return ""
    known = (
        "their number is not announced" if outline.planned is None else f"{outline.planned} were announced"
    )
    return f"the tests ended early: {outline.ended} have a result, and {known}"


def _test(check: Check, result: Result) -> ChildTest:
    outcome = ChildOutcome.FAILED if result.line["not"] else ChildOutcome.PASSED
    message = ""
    if result.line["directive"]:
        outcome, message = ChildOutcome.SKIPPED, result.line["reason"] or ""
    elif outcome is ChildOutcome.FAILED:
        message = short(_message(result))
    place = own_place(check, places(str(result.data.get("location", ""))))
    path, line = (place[0], place[1]) if place else ("", None)
    milliseconds = result.data.get("duration_ms")
    seconds = milliseconds / 1000 if isinstance(milliseconds, int | float) else 0.0
    return ChildTest(" > ".join(result.path), outcome, seconds, message, path, line)


def _message(result: Result) -> str:
    """Node's error; of a single assertion its name and what was compared, which each runner calls otherwise."""
    data = result.data
    if "error" in data:
        return str(data["error"])
    said: list[str] = []
    if isinstance(data.get("details"), dict):
        said += [str(data.get("assertion") or "")]
        said += [f"{name.rstrip(':')}: {value}" for name, value in data["details"].items()][:1]
    elif "diff" in data:
        lines = [line for line in str(data["diff"]).splitlines() if not line.startswith(("---", "+++", "@@"))]
        of_one_line = [line[:1] for line in lines] == ["-", "+"]
        said += [f"expected {lines[0][1:]}, actual {lines[1][1:]}"] if of_one_line else lines
    elif "expected" in data and "actual" in data:
        said += [f"expected {data['expected']}, actual {data['actual']}"]
    else:
        said += [str(data.get("message") or "")]
    told = " ".join(each for each in said if each)
    return told if result.is_test else ": ".join(each for each in (result.path[-1], told) if each)


def _finding(check: Check, result: Result, test: ChildTest) -> Finding:
    """The first frame of the stack inside the package, else where the test is declared."""
    title = result.path[-1] if result.is_test else result.path[-2]
    place = own_place(check, _frames(result.data)) or _declared(check, title)
    path, line, column = place or (test.path or _file(check, result), test.line, None)
    return Finding(path, test.message, line, column, title)


def _frames(data: dict[str, Any]) -> list[Place]:
    at = data.get("at")
    if isinstance(at, dict):
        at = f"({at.get('fileName')}:{at.get('lineNumber')}:{at.get('columnNumber')})"
    return [*places(str(data.get("stack", ""))), *places(str(at or ""))]


def _declared(check: Check, title: str) -> Place | None:
    """The only place in the package's tests where a test of this title is made: AVA may tell no other."""
    title = title.rpartition(" \u203a ")[2]
    pattern = re.compile(rf"{_CALL}(['\"`]){re.escape(title)}\1")
    found = [
        (file, text.count("\n", 0, match.start()) + 1)
        for file in check.package.files
        if re.search(r"test|spec", file) and file.endswith(("js", "ts", "jsx", "tsx"))
        for text in [text_of(check.package.root / file)]
        for match in pattern.finditer(text)
    ]
    return (*found[0], None) if len(found) == 1 else None


def _is_file(check: Check, result: Result) -> bool:
    """Whether the result stands for a whole file that ended badly: no test, although TAP counts it as one."""
    return len(result.path) == 1 and bool(_file_named(check, result.path[0]))


def _file(check: Check, result: Result) -> str:
    return _file_named(check, result.path[0]) or check.package.manifest


def _file_named(check: Check, name: str) -> str:
    """The package's file at the beginning of a name: AVA says behind it how its process ended."""
    place = own_place(check, [(name, 1, None), (name.partition(" exited with ")[0], 1, None)])
    return place[0] if place else ""
