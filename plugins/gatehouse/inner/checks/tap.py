"""Reading TAP 13, as `node --test` writes it: a line for each test, and below it a block of YAML."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from gatehouse.inner.checks.environment_skips import environment_skips
from gatehouse.inner.checks.parsing import first_error, own_place, places, short, unique, without_control
from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding, Parsed

_LINE = re.compile(
    r"(?P<indent> *)(?P<not>not )?ok \d+(?: - (?P<name>.*?))?(?: # (?P<directive>SKIP|TODO)\b *(?P<reason>.*))?$"
)
_SUBTEST = re.compile(r"(?P<indent> *)# Subtest: (?P<name>.*)$")


@dataclass
class _Result:
    """A line of TAP with the names of the groups around it, and its block."""

    path: tuple[str, ...]
    line: re.Match[str]
    block: list[str] = field(default_factory=list)
    #: What was printed since the result before: of a whole file that failed, it says why.
    printed: list[str] = field(default_factory=list)

    @property
    def data(self) -> dict[str, Any]:
        try:
            data = yaml.safe_load(textwrap.dedent("\n".join(self.block)))
        except yaml.YAMLError:
            data = None
        return data if isinstance(data, dict) else {}

    @property
    def outcome(self) -> ChildOutcome:
        if self.line["directive"]:
            return ChildOutcome.SKIPPED
        return ChildOutcome.FAILED if self.line["not"] else ChildOutcome.PASSED


def read_tap(check: Check, text: str) -> Parsed:
    """Each test with its outcome, and a finding for each that failed by itself: groups and files did not."""
    tests: list[ChildTest] = []
    findings: list[Finding] = []
    for result in _results(without_control(text)):
        data = result.data
        if data.get("type") == "suite" or data.get("failureType") == "subtestsFailed":
            continue
        test = _test(check, result, data)
        if not _is_file(check, result):
            tests.append(test)
        if test.outcome is ChildOutcome.FAILED:
            told = first_error(check, "\n".join(result.printed)) if _is_file(check, result) else ()
            findings += tuple(told) or (_finding(check, test, data),)
    findings += environment_skips(check, tests)
    executed = sum(test.outcome is not ChildOutcome.SKIPPED for test in tests)
    return Parsed(tuple(dict.fromkeys(findings)), executed, tests=unique(tests))


def _results(text: str) -> Iterator[_Result]:
    """The results in the order of the text; a group's own line comes after those inside it."""
    names: dict[int, str] = {}
    current: _Result | None = None
    inside = False
    printed: list[str] = []
    for line in text.splitlines():
        if current and line.strip() == "---" and not inside:
            inside = True
        elif current and inside and line.strip() == "...":
            yield current
            current, inside = None, False
        elif current and inside:
            current.block.append(line)
        elif match := _SUBTEST.match(line):
            names = {depth: name for depth, name in names.items() if depth < len(match["indent"])}
            names[len(match["indent"])] = match["name"]
        elif match := _LINE.match(line):
            if current:
                yield current
            depth = len(match["indent"])
            above = [name for level, name in sorted(names.items()) if level < depth]
            current = _Result((*above, match["name"] or "unnamed"), match, printed=printed)
            printed = []
        elif line.startswith("# "):
            printed.append(line[2:])
    if current:
        yield current


def _test(check: Check, result: _Result, data: dict[str, Any]) -> ChildTest:
    place = own_place(check, places(str(data.get("location", ""))))
    milliseconds = data.get("duration_ms")
    seconds = milliseconds / 1000 if isinstance(milliseconds, int | float) else 0.0
    message = result.line["reason"] or ""
    if result.outcome is ChildOutcome.FAILED:
        message = short(str(data.get("error") or "failed"))
    path, line = (place[0], place[1]) if place else ("", None)
    return ChildTest(" > ".join(result.path), result.outcome, seconds, message, path, line)


def _finding(check: Check, test: ChildTest, data: dict[str, Any]) -> Finding:
    """The first frame of the stack inside the package, else where the test is declared."""
    place = own_place(check, places(str(data.get("stack", ""))))
    path, line, column = place or (test.path or check.package.manifest, test.line, None)
    return Finding(path, test.message, line, column, test.id.rpartition(" > ")[2])


def _is_file(check: Check, result: _Result) -> bool:
    """Whether the result stands for a whole file that ended badly: no test, although TAP counts it as one."""
    name = result.path[-1]
    return len(result.path) == 1 and own_place(check, [(name, 1, None)]) is not None
