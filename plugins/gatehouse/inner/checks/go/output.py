"""What go vet, go build, gofmt and golangci-lint say."""

from __future__ import annotations

import re
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.diffs import unformatted
from gatehouse.inner.checks.parsing import json_lines, placed_lines, relative, short
from gatehouse.inner.model import Check, Finding, Parsed

_NO_MODULE = re.compile(
    r"^(?:\S+?:\d+:\d+: |go: )?(?:(\S+@\S+): )?module lookup disabled by GOPROXY=off", re.MULTILINE
)
_DOWNLOADING = re.compile(r"^go: downloading (\S+ \S+)", re.MULTILINE)
_NO_GO = re.compile(r"requires go >= (\S+) \(running")
_OTHER_GOLANGCI = re.compile(r"unknown flag: (--output\.json\.path|--out-format)")
_NO_COMPILER = re.compile(r'C compiler "([^"]+)" not found')


def read_problems(check: Check, text: str) -> Parsed:
    """Places where Go complains, and what it could not find on this machine: modules, itself, a C compiler."""
    findings = placed_lines(check, text) or tuple(
        Finding(check.package.manifest, short(line.removeprefix("go: ")))
        for line in text.splitlines()
        if line.startswith("go: ") and not line.startswith("go: downloading ")
    )
    return Parsed(tuple(dict.fromkeys(findings)), missing=_missing(text))


def _missing(text: str) -> str:
    if _NO_MODULE.search(text):
        named = [name for name in _NO_MODULE.findall(text) if name] or _DOWNLOADING.findall(text)
        # Go asks for several at a time, in any order; the answer must not change from run to run.
        return f"the Go module {min(named).replace(' ', '@')}" if named else "a Go module"
    if match := _NO_GO.search(text):
        return f"Go {match[1]}"
    if match := _NO_COMPILER.search(text):
        return f"the C compiler {match[1]}"
    return ""


def read_errors(check: Check, done: Completed) -> Parsed:
    """The text of `go vet` and `go build`."""
    return read_problems(check, done.stderr + "\n" + done.stdout)


def read_gofmt(check: Check, done: Completed) -> Parsed:
    """The diffs of `gofmt -d`; files that it cannot parse are on standard error, with their place."""
    return Parsed(
        (
            *placed_lines(check, done.stderr),
            *unformatted(check, done.stdout, "is not formatted as gofmt does it"),
        )
    )


def read_golangci(check: Check, done: Completed) -> Parsed:
    """The JSON object of golangci-lint, one line of standard output whatever its version.

    Its two main versions understand neither each other's options nor each other's configurations.
    """
    issues = [issue for report in json_lines(done.stdout) for issue in report.get("Issues") or ()]
    findings = dict.fromkeys(finding for issue in issues for finding in _issue(check, issue))
    if option := _OTHER_GOLANGCI.search(done.stderr):
        wanted = "2" if option[1].startswith("--output.") else "1"
        return Parsed(missing=f"golangci-lint {wanted}, for which the configuration is written,")
    return Parsed(tuple(findings), missing=_missing(done.stderr))


def _issue(check: Check, issue: dict[str, Any]) -> tuple[Finding, ...]:
    """What a linter found; what the compiler found has its places in its text only."""
    place, text = issue.get("Pos") or {}, str(issue.get("Text", ""))
    linter = str(issue.get("FromLinter", ""))
    if linter == "typecheck" and (placed := placed_lines(check, text)):
        return placed
    path = relative(check, str(place.get("Filename", check.package.manifest)))
    return (Finding(path, short(text), place.get("Line") or None, place.get("Column") or None, linter),)
