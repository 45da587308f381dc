"""Reading what Rust's test harness and cargo-nextest print."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.rust.output import errors_in_text, in_checkout, what_is_missing
from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding, Parsed

_OUTCOMES = {"ok": ChildOutcome.PASSED, "FAILED": ChildOutcome.FAILED, "ignored": ChildOutcome.SKIPPED}
_PANIC = re.compile(
    r"panicked at (?:'(?P<old>.*)', )?(?P<path>[^\n]+?):(?P<line>\d+):(?P<column>\d+)(?::\n|$)", re.M
)


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
    errors = errors_in_text(check, done)
    if not errors and not done.truncated:
        ended = [name for name, text in zip(names, sections, strict=True) if "\ntest result: " not in text]
        message = "ended before all of its tests had"
        errors = tuple(Finding(_target_file(check, name), message, rule="cargo") for name in ended)
    return Parsed(
        (*errors, *failures), executed, tests=tuple(tests), missing="" if tests else what_is_missing(done)
    )


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
    message = panic["old"] or re.split(r"\n *(?:stack backtrace:|note: )", report[panic.end() :])[0]
    text = " ".join(message.split())[:300] or "panicked"
    if path := in_checkout(check, panic["path"]):
        return Finding(path, text, int(panic["line"]), int(panic["column"]), identity)
    return Finding(_target_file(check, target), text, rule=identity)


def _target_file(check: Check, target: str) -> str:
    """The main file of a test target, which cargo names from the package's folder; else the manifest."""
    file = f"{check.package.folder}/{target}".lstrip("/")
    return file if file in check.package.files else check.package.manifest


def tested_by_nextest(check: Check, done: Completed) -> Parsed:
    """Each test of each binary as nextest names them; of a test that was tried again, the last try counts."""
    runs, _, summary = done.stderr.partition("\n     Summary [")
    runs = re.sub(r"^─+$", "", runs, flags=re.MULTILINE)
    blocks = re.split(r"^(?= +(?:TRY \d+ )?[A-Z]+ +\[)", runs, flags=re.MULTILINE)[1:]
    tests: dict[str, ChildTest] = {}
    failures: dict[str, Finding] = {}
    for block in blocks:
        head, _, report = block.partition("\n")
        match = re.match(r" +(?:TRY \d+ )?([A-Z]+) +\[ *([\d.]+)s\] +(?:\([^)]*\) +)?(\S+) (.+)$", head)
        if not match or match[1] == "SLOW":
            continue
        identity, seconds = f"{match[3]}::{match[4]}", float(match[2])
        failures.pop(identity, None)
        if match[1] in ("PASS", "LEAK"):
            tests[identity] = ChildTest(identity, ChildOutcome.PASSED, seconds, path=check.package.manifest)
        else:
            failure = _failure(check, identity, "", report)
            tests[identity] = ChildTest(
                identity, ChildOutcome.FAILED, seconds, failure.message, failure.path, failure.line
            )
            failures[identity] = failure
    counted = re.search(r"(\d+)(?:/\d+)? tests? run:", summary)
    found = tuple(failures.values()) or errors_in_text(check, done)
    missing = "" if tests else what_is_missing(done)
    return Parsed(found, int(counted[1]) if counted else 0, tests=tuple(tests.values()), missing=missing)
