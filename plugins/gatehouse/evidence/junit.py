"""JUnit XML, rendered from the record's results in the dialect of Surefire's schema 3.0.2.

A test that passed after a failed attempt carries `flakyFailure`; one that never passed, `rerunFailure`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gatehouse.evidence.results import Attempt, Failure, Status, TestResult

#: Characters XML 1.0 cannot hold, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(
    suite: str,
    started: str,
    tests: Iterable[TestResult],
    problems: Iterable[Failure] = (),
    *,
    children: bool = False,
) -> bytes:
    """The document for one suite. `problems` are failures that belong to no test, such as a set-up that failed.

    Declared counts equal the rows: one `testcase` a test, whatever its attempts. `children` adds one for each test
    that a check of the inner suite ran.
    """
    tests = list(tests)
    rows = [_testcase(test) for test in tests]
    if children:
        rows += [_child(test, child) for test in tests for child in test.children]
    rows += [_problem(suite, number, problem) for number, problem in enumerate(problems, start=1)]
    counts = {
        "tests": len(rows),
        "failures": sum(1 for row in rows if row.find("failure") is not None),
        "errors": sum(1 for row in rows if row.find("error") is not None),
        "skipped": sum(1 for row in rows if row.find("skipped") is not None),
        "flakes": sum(1 for row in rows if row.find("flakyFailure") is not None),
    }
    seconds = sum(float(row.get("time", 0)) for row in rows)
    root = ET.Element("testsuites", {"name": "gatehouse"})
    element = ET.SubElement(
        root,
        "testsuite",
        {"name": suite, "timestamp": started, "time": f"{seconds:.3f}"}
        | {name: str(count) for name, count in counts.items()},
    )
    element.extend(rows)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def write_junit(path: Path, document: bytes) -> None:
    """Write a document, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(document)


def _testcase(test: TestResult) -> ET.Element:
    file, _, name = test.id.partition("::")
    attributes = {
        "classname": _clean(re.sub(r"\.py$", "", file).replace("/", ".")),
        "name": _clean(name or file),
        "time": f"{test.seconds:.3f}",
        "file": _clean(test.file or file),
    }
    if test.line is not None:
        attributes["line"] = str(test.line)
    row = ET.Element("testcase", attributes)
    if test.properties or test.attachments:
        properties = ET.SubElement(row, "properties")
        for key, value in test.properties.items():
            ET.SubElement(properties, "property", {"name": _clean(key), "value": _clean(value)})
        for attachment in test.attachments:
            ET.SubElement(properties, "property", {"name": "attachment", "value": _clean(attachment["path"])})
    _outcome(row, test)
    for stream, text in (("system-out", "stdout"), ("system-err", "stderr")):
        report = test.report if stream == "system-out" else ""
        if output := "\n\n".join(filter(None, (report, test.last.output.get(text)))):
            ET.SubElement(row, stream).text = _clean(output)
    return row


def _child(test: TestResult, child: dict[str, Any]) -> ET.Element:
    """A test that a check ran; its class is the check, so that names are unique over all packages."""
    attributes = {
        "classname": _clean(test.id.replace("/", ".")),
        "name": _clean(str(child["id"])),
        "time": f"{float(child.get('seconds') or 0):.3f}",
        "file": _clean(str(child.get("path") or test.file)),
    }
    if child.get("line"):
        attributes["line"] = str(child["line"])
    row = ET.Element("testcase", attributes)
    message = _clean(str(child.get("message") or child["outcome"]))
    if child["outcome"] == "failed":
        ET.SubElement(row, "failure", {"type": "product", "message": message}).text = message
    elif child["outcome"] == "skipped":
        ET.SubElement(row, "skipped", {"type": "skip", "message": message})
    return row


def _outcome(row: ET.Element, test: TestResult) -> None:
    earlier = test.attempts[:-1]
    match test.status:
        case Status.SKIPPED | Status.XFAILED:
            kind = "xfail" if test.status is Status.XFAILED else "skip"
            ET.SubElement(row, "skipped", {"type": kind, "message": _clean(test.last.reason)})
        case Status.PASSED | Status.XPASSED:
            _add_attempts(row, "flakyFailure", earlier)
        case Status.NOT_RUN:
            message = "collected, but no result was recorded"
            ET.SubElement(row, "error", {"type": "NotRun", "message": message})
        case _:
            for failure in test.last.failures[:1]:
                tag = "failure" if test.status is Status.FAILED else "error"
                row.append(_failure(tag, failure))
            _add_attempts(row, "rerunFailure", earlier)


def _add_attempts(row: ET.Element, tag: str, attempts: list[Attempt]) -> None:
    for attempt in attempts:
        for failure in attempt.failures[:1]:
            element = _failure(tag, failure)
            element.text = None
            ET.SubElement(element, "stackTrace").text = _clean(failure.text or failure.summary)
            row.append(element)


def _failure(tag: str, failure: Failure) -> ET.Element:
    element = ET.Element(
        tag, {"type": _clean(f"{failure.failure_class}: {failure.type}"), "message": _clean(failure.summary)}
    )
    element.text = _clean(failure.text or failure.summary)
    return element


def _problem(suite: str, number: int, problem: Failure) -> ET.Element:
    row = ET.Element(
        "testcase", {"classname": f"gatehouse.{suite}", "name": f"run-problem-{number}", "time": "0"}
    )
    row.append(_failure("error", problem))
    return row


def _clean(text: str) -> str:
    return _ILLEGAL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
