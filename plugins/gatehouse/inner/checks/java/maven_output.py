"""Reading what Maven and the compilers in it print."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.diffs import unformatted
from gatehouse.inner.checks.parsing import relative
from gatehouse.inner.model import Check, Finding, Parsed

_PLACE = re.compile(
    r"^\[(?:ERROR|WARN)\] +(?:file://)?(?P<path>\S.*?\.(?:java|kts?|groovy|scala|xml)):? ?[\[(]?(?P<line>\d+)"
    r"(?:[,:] ?(?P<column>\d+))?[\])]?:? (?P<message>.+)(?:\n(?:\[ERROR\])? +symbol: +(?P<symbol>.+))?",
    re.MULTILINE,
)

#: What maven-toolchains-plugin asks for, such as `jdk [ version='8' ]`.
_TOOLCHAIN = re.compile(
    r"Cannot find matching toolchain definitions for the following toolchain types:\n(?:\[ERROR\] )?(\S.*)"
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
    findings += [*_unparsed(check, text), *_unformatted(check, text)]
    if findings:
        by_place = {(each.path, each.line, each.column): each for each in reversed(findings)}
        return Parsed(tuple(reversed(by_place.values())))
    if toolchain := _TOOLCHAIN.search(text):
        return Parsed(missing=f"the toolchain {toolchain[1]}, of those in ~/.m2/toolchains.xml,")
    if prefix := re.search(r"No plugin found for prefix '([^']+)'", text):
        return Parsed(missing=f"the Maven plugin {prefix[1]}")
    if re.search(r"in offline mode|during a previous attempt", text):
        artifact = re.search(r"artifact (\S+:\S+) has not|(\S+:\S+:\S+) was not found in", text)
        named = next((part for part in artifact.groups() if part), "") if artifact else ""
        return Parsed(missing=named or "an artifact")
    return Parsed(_own_error(check, text))


def read_checkstyle(check: Check, done: Completed) -> Parsed:
    """The violations in the report of this run, which Maven does not print where they are no errors."""
    report = check.package.path / "target" / "checkstyle-result.xml"
    if done.exit_code == 0 or not report.is_file() or report.stat().st_mtime < time.time() - done.duration:
        return read_output(check, done)
    return Parsed(
        tuple(
            Finding(
                relative(check, file.get("name", "")),
                error.get("message", ""),
                int(error.get("line", 1)),
                int(error.get("column", 1)),
                error.get("source", "").rpartition(".")[2],
            )
            for file in ET.parse(report).iter("file")  # noqa: S314 - written by the Maven that we started
            for error in file.iter("error")
        )
    )


def _unparsed(check: Check, text: str) -> Iterator[Finding]:
    """The files that a formatter of spotless cannot read: the file on one line, the place and the reason below it."""
    for file, rest in re.findall(r"Step '[^']+' found problem in '([^']+)':\n(.*(?:\n.*){0,200})", text):
        if place := re.search(r"(?:^|[\s:])(\d+):(\d+): error: (.+)$", rest, re.MULTILINE):
            yield Finding(relative(check, file), place[3].strip(), int(place[1]), int(place[2]), "spotless")


def _unformatted(check: Check, text: str) -> list[Finding]:
    """The files that spotless would change: most with their differences, of many only the names."""
    listed = re.search(r"format violations:\n((?:\[ERROR\]  +.*\n)+)", text)
    if not listed:
        return []
    lines = [line.removeprefix("[ERROR]     ") for line in listed[1].splitlines()]
    files = [line for line in lines if not line.startswith(" ")]
    diff = "\n".join(
        line.removeprefix("    ") if line.startswith(" ") else f"--- {line}\n+++ {line}" for line in lines
    )
    message = "is not formatted; run mvn spotless:apply"
    found = {each.path: each for each in unformatted(check, diff, message, "spotless")}
    paths = [relative(check, file) for file in files if "." in file]
    return [found.get(path) or Finding(path, message, rule="spotless") for path in paths]


def _own_error(check: Check, text: str) -> tuple[Finding, ...]:
    """What Maven itself says, such as that a module below failed, at the manifest."""
    goal = re.search(r"^\[ERROR\] (Failed to execute goal .+?)(?: -> \[Help \d+\])?$", text, re.MULTILINE)
    own = goal or re.search(r"^\[(?:ERROR|FATAL)\] (.+?)(?: -> \[Help \d+\])?$", text, re.MULTILINE)
    return (Finding(check.package.manifest, own[1].strip(), rule="maven"),) if own else ()


def _text(done: Completed) -> str:
    """All output, without the colours that Maven resets at its start although it was told to use none."""
    return re.sub(r"\x1b\[[0-9;]*m", "", f"{done.stdout}\n{done.stderr}")
