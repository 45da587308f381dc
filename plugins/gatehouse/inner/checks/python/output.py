"""What linters, formatters and type checkers of Python say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.diffs import unformatted
from gatehouse.inner.checks.parsing import json_lines, placed_lines, relative, short, without_control
from gatehouse.inner.checks.python.environment import apart, missing_distributions
from gatehouse.inner.checks.python.project import Project
from gatehouse.inner.model import Check, Finding, Parsed

_RUFF_BROKEN = re.compile(r"^error: Failed to parse (.+?):(\d+):(\d+): (.*)$", re.MULTILINE)
_BLACK_BROKEN = re.compile(r"^error: cannot format (.+?): Cannot parse.*?: (\d+):(\d+): (.*)$", re.MULTILINE)
#: As Black says it since 26.10; the two lines between are the source and a mark below it.
_BLACK_26_BROKEN = re.compile(r"^error: cannot parse: (.+?):(\d+):(\d+)\n(?:.*\n){2}(.*)$", re.MULTILINE)
_CODE = re.compile(r"^(?P<message>.*?) +\[(?P<code>[\w-]+)\]$")
_FLAKE8 = re.compile(r"^(?P<code>[A-Z]+\d+) (?P<message>.*)$")
_TY = re.compile(r"^error\[(?P<code>[\w-]+)\]:? (?P<message>.*)$")

Parse = Callable[[Check, Completed], Parsed]


def read_ruff(check: Check, done: Completed) -> Parsed:
    """`ruff check --output-format=json-lines`."""
    return Parsed(
        tuple(
            Finding(
                relative(check, each["filename"]),
                short(each["message"]),
                each["location"]["row"],
                each["location"]["column"],
                each.get("code") or "syntax",
            )
            for each in json_lines(done.stdout)
            if "filename" in each
        )
    )


def read_formatter(tool: str) -> Parse:
    """The unified diffs of `ruff format --diff` and `black --diff`, and the files that they cannot parse."""

    def read(check: Check, done: Completed) -> Parsed:
        text = without_control(done.stderr)
        broken = tuple(
            Finding(
                relative(check, match[1]), short(match[4]), int(match[2]), int(match[3]) or None, "syntax"
            )
            for pattern in (_RUFF_BROKEN, _BLACK_BROKEN, _BLACK_26_BROKEN)
            for match in pattern.finditer(text)
        )
        return Parsed((*broken, *unformatted(check, done.stdout, f"is not formatted as {tool} does it")))

    return read


def read_types(project: Project) -> Parse:
    """Mypy's and ty's text: errors with their code; imports that are only not installed are no findings."""

    def read(check: Check, done: Completed) -> Parsed:
        text = without_control(done.stdout + "\n" + done.stderr)
        findings = []
        for line in placed_lines(check, text):
            if match := _TY.match(line.message):
                findings.append(
                    Finding(line.path, short(match["message"]), line.line, line.column, match["code"])
                )
            elif line.message.startswith("error: "):
                findings.append(_of_mypy(line))
        return apart(Parsed(tuple(findings)), missing_distributions(project, text))

    return read


def _of_mypy(line: Finding) -> Finding:
    message = line.message.removeprefix("error: ")
    match = _CODE.match(message)
    code = match["code"] if match else "mypy"
    return Finding(line.path, short(match["message"] if match else message), line.line, line.column, code)


def read_pyright(project: Project) -> Parse:
    """`pyright --outputjson`, whose lines and columns are counted from 0."""

    def read(check: Check, done: Completed) -> Parsed:
        try:
            diagnostics = json.loads(done.stdout)["generalDiagnostics"]
        except (ValueError, KeyError):
            return apart(Parsed(), missing_distributions(project, done.stderr))
        errors = [each for each in diagnostics if each["severity"] == "error"]
        told = "\n".join(f"{each['message']} ({each.get('rule', '')})" for each in errors)
        findings = tuple(
            Finding(
                relative(check, each["file"]),
                short(each["message"]),
                each["range"]["start"]["line"] + 1,
                each["range"]["start"]["character"] + 1,
                each.get("rule", ""),
            )
            for each in errors
        )
        return apart(Parsed(findings), missing_distributions(project, told))

    return read


def read_flake8(check: Check, done: Completed) -> Parsed:
    """flake8's text: `path:1:2: E123 message`."""
    findings = []
    for line in placed_lines(check, done.stdout):
        if match := _FLAKE8.match(line.message):
            findings.append(Finding(line.path, match["message"], line.line, line.column, match["code"]))
    return Parsed(tuple(findings))
