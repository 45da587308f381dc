"""Reading what Maven and the compilers in it print."""

from __future__ import annotations

import re

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.parsing import relative
from gatehouse.inner.model import Check, Finding, Parsed

_PLACE = re.compile(
    r"^\[(?:ERROR|WARN)\] +(?:file://)?(?P<path>\S.*?\.(?:java|kts?|groovy|scala|xml)):? ?[\[(]?(?P<line>\d+)"
    r"(?:[,:] ?(?P<column>\d+))?[\])]?:? (?P<message>.+)(?:\n(?:\[ERROR\])? +symbol: +(?P<symbol>.+))?",
    re.MULTILINE,
)


def read_output(check: Check, done: Completed) -> Parsed:
    """Errors with a place; files that are not formatted; what is not in the local repository; else Maven's own."""
    if done.exit_code == 0:
        return Parsed()
    text = _text(done)
    findings = [
        Finding(
            relative(check, match["path"]),
            f"{match['message']}: {match['symbol']}" if match["symbol"] else match["message"],
            int(match["line"]),
            int(match["column"]) if match["column"] else None,
        )
        for match in _PLACE.finditer(text)
    ]
    if "format violations" in text:
        files = re.findall(r"^\[ERROR\] {4,}(\S+\.\w+)$", text, re.MULTILINE)
        findings += [
            Finding(relative(check, file), "is not formatted; run mvn spotless:apply", rule="spotless")
            for file in files
        ]
    if findings:
        by_place = {(each.path, each.line, each.column): each for each in reversed(findings)}
        return Parsed(tuple(reversed(by_place.values())))
    if re.search(r"in offline mode|during a previous attempt", text):
        artifact = re.search(r"artifact (\S+:\S+) has not|(\S+:\S+:\S+) was not found in", text)
        named = next((part for part in artifact.groups() if part), "") if artifact else ""
        return Parsed(missing=named or "an artifact")
    # Of failing tests the reports know more than this.
    failing = re.search(r"There (?:are|were) test failures", text)
    return Parsed() if failing else Parsed(own_error(check, done))


def own_error(check: Check, done: Completed) -> tuple[Finding, ...]:
    """What Maven itself says, such as that a module below failed, at the manifest."""
    text = _text(done)
    goal = re.search(r"^\[ERROR\] (Failed to execute goal .+?)(?: -> \[Help \d+\])?$", text, re.MULTILINE)
    own = goal or re.search(r"^\[(?:ERROR|FATAL)\] (.+?)(?: -> \[Help \d+\])?$", text, re.MULTILINE)
    return (Finding(check.package.manifest, own[1], rule="maven"),) if own else ()


def _text(done: Completed) -> str:
    """All output, without the colours that Maven resets at its start although it was told to use none."""
    return re.sub(r"\x1b\[[0-9;]*m", "", f"{done.stdout}\n{done.stderr}")
