"""Reading JUnit's XML, as many runners write it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path

from gatehouse.inner.checks.environment_skips import environment_skips
from gatehouse.inner.checks.jvm_frames import jvm_places, source_of_class
from gatehouse.inner.checks.parsing import own_place, places, relative, short, unique
from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding, Parsed

#: All that pytest says about a file that it cannot collect; the text below says why.
UNCOLLECTED = "collection failure"


def read_junit(
    check: Check, paths: Iterable[Path], *, first_line: int = 1, innermost_last: bool = False
) -> Parsed:
    """What reports say: a finding for each failure, how many tests ran (skipped ones did not), and each test.

    Paths that are not there are passed over; a report that is cut short gives what it holds and a finding.
    `first_line` is the number that the runner gives to the first line of a file. `innermost_last` says that its
    stack traces end with the frame that failed, as Python's do.
    """
    findings: list[Finding] = []
    tests: list[ChildTest] = []
    for path in paths:
        cases, problem = _cases(path)
        for case in cases:
            test = _test(check, case, first_line)
            if not _is_uncollected(case):
                tests.append(test)
            findings += _failures(check, case, test, innermost_last)
        if problem:
            message = f"the runner's report {path.name} cannot be read: {problem}"
            findings.append(Finding(check.package.manifest, message, rule="report"))
    findings += environment_skips(check, tests)
    executed = sum(test.outcome is not ChildOutcome.SKIPPED for test in tests)
    return Parsed(tuple(dict.fromkeys(findings)), executed, tests=unique(tests))


def _cases(path: Path) -> tuple[list[ET.Element], str]:
    """The test cases of a report, as far as it can be read, and why it cannot be read further."""
    cases: list[ET.Element] = []
    try:
        for _event, element in ET.iterparse(path):  # noqa: S314 - written by the runner we started
            if element.tag.rpartition("}")[2] == "testcase":
                cases.append(element)
    except FileNotFoundError:
        return [], ""
    except (OSError, ET.ParseError, ValueError) as error:
        return cases, str(error)
    return cases, ""


def _test(check: Check, case: ET.Element, first_line: int) -> ChildTest:
    """The test itself; its place is where it is declared, as far as the report says."""
    classname, name = case.get("classname", ""), case.get("name", "")
    skipped = case.find("skipped")
    problem = next((each for each in case if each.tag in ("failure", "error")), None)
    outcome, told = ChildOutcome.PASSED, None
    if problem is not None:
        outcome, told = ChildOutcome.FAILED, problem
    elif skipped is not None:
        outcome, told = ChildOutcome.SKIPPED, skipped
    line = case.get("line", "")
    file = case.get("file", "")
    return ChildTest(
        f"{classname}.{name}" if classname else name,
        outcome,
        _seconds(case.get("time", "")),
        _message(told) if told is not None else "",
        relative(check, file) if file else _source(check, classname),
        int(line) + 1 - first_line if line.isdigit() else None,
    )


def _source(check: Check, classname: str) -> str:
    """The file of a test whose report names none: Deno says it in the place of a class."""
    place = own_place(check, [(classname, 1, None)])
    return place[0] if place else source_of_class(check, classname)


def _is_uncollected(case: ET.Element) -> bool:
    """Whether pytest stands for a file that it could not collect: no test, although the report counts it as one."""
    return any(each.get("message") == UNCOLLECTED for each in case)


def _failures(check: Check, case: ET.Element, test: ChildTest, innermost_last: bool) -> Iterator[Finding]:
    for problem in case:
        if problem.tag in ("failure", "error"):
            text = problem.text or ""
            found = list(jvm_places(check, text)) or list(places(text))
            place = own_place(check, reversed(found) if innermost_last else found)
            path, line, column = place or (test.path or check.package.manifest, test.line, None)
            yield Finding(
                path, _message(problem), line, column, case.get("name") or case.get("classname") or ""
            )


def _message(element: ET.Element) -> str:
    """The message of a failure, an error or a skip; without one, the first line of its text that says something."""
    message = element.get("message", "")
    if message == UNCOLLECTED:
        message = element.text[element.text.rfind("\nE ") + 2 :] if element.text else message
    message = message or next((line for line in (element.text or "").splitlines() if line.strip()), "")
    return short(message, "skipped" if element.tag == "skipped" else "failed")


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text.replace(",", "")))
    except ValueError:
        return 0.0
