"""Reading what cargo, rustc, rustfmt and Rust's test harness print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.parsing import json_lines, relative
from gatehouse.inner.checks.rust_manifest import workspace
from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding, Parsed

#: What cargo says where something must be downloaded or installed first, and what that is.
_ABSENT = (
    (r"you're using offline mode|--offline was specified|in the offline mode", "a crate of Cargo.lock"),
    (r"cannot create the lock file", "Cargo.lock"),
    (r"error: '?(cargo-\w+|\w+)'? is not installed for the (?:custom )?toolchain", ""),
    (r"error: toolchain '([^']+)' is not installed", ""),
    (r"error: linker `([^`]+)` not found", ""),
)

_NOT_THE_CAUSE = ("could not compile", "test failed", "doctest failed", "aborting due to", "build failed")
_OUTCOMES = {"ok": ChildOutcome.PASSED, "FAILED": ChildOutcome.FAILED, "ignored": ChildOutcome.SKIPPED}
_PANIC = re.compile(
    r"panicked at (?:'(?P<old>.*)', )?(?P<path>[^\n]+?):(?P<line>\d+):(?P<column>\d+)(?::\n|$)", re.M
)


def formatted(check: Check, done: Completed) -> Parsed:
    """The files that rustfmt would change, each at its first such place, and those that it cannot read."""
    changes = re.findall(r"^Diff in (.+?)(?::| at line )(\d+):$", done.stdout, re.MULTILINE)
    first: dict[str, int] = {}
    for path, line in changes:
        first.setdefault(relative(check, path), int(line))
    errors = re.findall(r"^error(?:\[\w+\])?: (.+)\n +--> (.+?):(\d+):(\d+)$", done.stderr, re.MULTILINE)
    return Parsed(
        tuple(
            Finding(relative(check, path), message, int(line), int(column), "rustfmt")
            for message, path, line, column in errors
        )
        + tuple(
            Finding(path, "is not formatted; run cargo fmt", line, rule="rustfmt")
            for path, line in first.items()
        ),
        missing=_missing(done),
    )


def compiled(check: Check, done: Completed) -> Parsed:
    """The errors among the compiler's messages in JSON; warnings are none, unless the package denies them."""
    findings: list[Finding] = []
    for event in json_lines(done.stdout):
        if event.get("reason") == "compiler-message" and event["message"]["level"].startswith("error"):
            findings += _diagnostic(check, event["message"])
    return Parsed(tuple(dict.fromkeys(findings)) or _other_errors(check, done), missing=_missing(done))


def _diagnostic(check: Check, message: dict[str, Any]) -> Iterator[Finding]:
    text, rule = message["message"], (message.get("code") or {}).get("code", "")
    spans = [span for span in message.get("spans", []) if span.get("is_primary")]
    for span in spans[:1]:
        while not _in_checkout(check, span["file_name"]) and span.get("expansion"):
            span = span["expansion"]["span"]  # inside a macro of somebody else: where it is used
        path = _in_checkout(check, span["file_name"]) or span["file_name"]
        yield Finding(path, text, span["line_start"], span["column_start"], rule)
    if not spans and not text.startswith(_NOT_THE_CAUSE):
        yield Finding(check.package.manifest, text, rule=rule)


def listed(check: Check, done: Completed) -> Parsed:
    """How many tests the harness names; compile errors from what rustc writes for people."""
    number = len(re.findall(r"^.+: (?:test|benchmark)$", done.stdout, re.MULTILINE))
    return Parsed(_errors_in_text(check, done), listed=number, missing=_missing(done))


def tested(check: Check, done: Completed) -> Parsed:
    """Each test of each target, with the place of its panic if it failed."""
    targets = re.findall(r"^ +(?:Running (?:unittests )?(\S+) \(|(Doc-tests) )", done.stderr, re.MULTILINE)
    names = [path or doc for path, doc in targets]
    sections = re.split(r"^running \d+ tests?$", done.stdout, flags=re.MULTILINE)[1:]
    if len(names) != len(sections):  # a target with a `main` of its own prints what it likes
        names = [str(number) for number in range(1, len(sections) + 1)]
    tests: list[ChildTest] = []
    failures: list[Finding] = []
    for name, text in zip(names, sections, strict=True):
        for test, failure in _section(check, name, text):
            tests.append(test)
            failures += [failure] if failure else []
    counts = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed;", done.stdout, re.MULTILINE)
    executed = sum(int(passed) + int(failed) for passed, failed in counts)
    errors = _errors_in_text(check, done)
    if len(counts) < len(sections) and not done.truncated and not errors:
        errors = (
            Finding(check.package.manifest, "a test target ended before all of its tests had", rule="cargo"),
        )
    return Parsed((*errors, *failures), executed, tests=tuple(tests), missing="" if tests else _missing(done))


def _section(check: Check, target: str, text: str) -> Iterator[tuple[ChildTest, Finding | None]]:
    reports = dict(re.findall(r"^---- (.+?) stdout ----\n(.*?)(?=^---- |^failures:$|\Z)", text, re.M | re.S))
    for name, outcome, reason in re.findall(
        r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:, (.*))?$", text, re.MULTILINE
    ):
        identity, result = f"{target}::{name}", _OUTCOMES[outcome]
        if result is ChildOutcome.FAILED:
            failure = _failure(check, identity, target, reports.get(name, ""))
            yield ChildTest(identity, result, 0, failure.message, failure.path, failure.line), failure
        else:
            yield ChildTest(identity, result, message=reason, path=_target_file(check, target)), None


def _failure(check: Check, identity: str, target: str, report: str) -> Finding:
    """Why and where a test failed: at its panic, else somewhere in its target."""
    panic = _PANIC.search(report)
    if not panic:
        return Finding(_target_file(check, target), " ".join(report.split())[:300] or "failed", rule=identity)
    message = panic["old"] or re.split(r"\n(?:stack backtrace:|note: )", report[panic.end() :])[0]
    text = " ".join(message.split())[:300] or "panicked"
    if path := _in_checkout(check, panic["path"]):
        return Finding(path, text, int(panic["line"]), int(panic["column"]), identity)
    return Finding(_target_file(check, target), text, rule=identity)


def _target_file(check: Check, target: str) -> str:
    """The main file of a test target, which cargo names from the package's folder; else the manifest."""
    file = f"{check.package.folder}/{target}".lstrip("/")
    return file if file in check.package.files else check.package.manifest


def _errors_in_text(check: Check, done: Completed) -> tuple[Finding, ...]:
    """Errors of rustc as it writes them for people; without any, those of cargo itself."""
    found = re.findall(r"^error(?:\[(\w+)\])?: (.+)\n +--> (.+?):(\d+):(\d+)$", done.stderr, re.MULTILINE)
    places = [
        Finding(_in_checkout(check, path) or path, message, int(line), int(column), rule)
        for rule, message, path, line, column in found
    ]
    return tuple(dict.fromkeys(places)) or _other_errors(check, done)


def _other_errors(check: Check, done: Completed) -> tuple[Finding, ...]:
    """Cargo's own errors, such as a lockfile that does not fit the manifest, at the manifest."""
    if done.exit_code == 0:
        return ()
    lines = re.findall(r"^error: (.+)$", done.stderr, re.MULTILINE)
    causes = re.findall(r"^Caused by:\n +(.+)$", done.stderr, re.MULTILINE)
    text = next((line for line in lines if not line.startswith(_NOT_THE_CAUSE)), "")
    if re.match(r"\d+ targets? failed", text) or not (text or causes):
        return ()
    return (
        Finding(
            check.package.manifest, ": ".join([text or "a test target died", *causes[-1:]]), rule="cargo"
        ),
    )


def _missing(done: Completed) -> str:
    for pattern, what in _ABSENT:
        if found := re.search(pattern, done.stderr):
            return what or found[1]
    return ""


def _in_checkout(check: Check, path: str) -> str:
    """The file that rustc names, which it does from the workspace's folder, relative to the root; else empty."""
    root = check.package.root.resolve()
    for folder in (
        workspace(check.package),
        check.package.folder,
    ):  # a package may be left out of the workspace
        file = (root / folder / path).resolve()
        if file.is_file() and file.is_relative_to(root):
            return file.relative_to(root).as_posix()
    return ""
