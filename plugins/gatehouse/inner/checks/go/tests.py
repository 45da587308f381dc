"""What `go test -json` says: each test, and where the failing ones failed."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.environment_skips import environment_skips
from gatehouse.inner.checks.go.modules import module_path
from gatehouse.inner.checks.go.output import read_problems
from gatehouse.inner.checks.parsing import json_lines, listing, own_place, places, short
from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding, Parsed

_LINE = re.compile(r"^\s*(?P<path>[^\s:]+\.go):(?P<line>\d+): ?(?P<message>.*)$")
_PANIC = re.compile(r"^(panic: |fatal error: )(?P<message>.*?)(?: \[recovered.*)?$")
_ASSERTION = re.compile(r"Error: +(.*?) *(?:Test: |Messages: |$)")
_ENDS = {"pass": ChildOutcome.PASSED, "fail": ChildOutcome.FAILED, "skip": ChildOutcome.SKIPPED}


@dataclass
class _Run:
    """One test as its events tell, or what a Go package printed outside of tests (`name` is empty)."""

    package: str
    name: str
    output: list[str] = field(default_factory=list)
    #: What Go itself marks as the text of a failure; Go before 1.27 marks nothing.
    errors: list[str] = field(default_factory=list)
    outcome: ChildOutcome | None = None
    seconds: float = 0.0
    running: bool = False


def read_listing(check: Check, done: Completed) -> Parsed:
    """Test programs that were built and not run (`-exec true`); as many as there are Go packages with tests."""
    passed = [
        event for event in json_lines(done.stdout) if event.get("Action") == "pass" and "Test" not in event
    ]
    parsed = read_problems(check, _built(done) + done.stderr)
    return listing(check, len(passed), parsed)


def read_tests(check: Check, done: Completed) -> Parsed:
    """Every test with its outcome; findings for failing ones, and for those that were running at an early end."""
    runs = _runs(done)
    tests = [run for run in runs.values() if run.name]
    told = [(run, _told(check, run)) for run in tests]
    children = tuple(
        ChildTest(
            f"{run.package}.{run.name}",
            run.outcome or ChildOutcome.FAILED,
            run.seconds,
            finding.message if run.outcome is not ChildOutcome.PASSED else "",
            finding.path,
            finding.line,
        )
        for run, finding in told
        if run.outcome or run.running
    )
    built = read_problems(check, _built(done) + done.stderr)
    findings = [
        *built.findings,
        *(finding for run, finding in told if _is_worth_telling(run, tests)),
        *(_told(check, run) for run in runs.values() if _is_silent_failure(run, tests, built)),
        *environment_skips(check, children),
    ]
    executed = sum(child.outcome is not ChildOutcome.SKIPPED for child in children)
    return Parsed(tuple(dict.fromkeys(findings)), executed, tests=children, missing=built.missing)


def _runs(done: Completed) -> dict[tuple[str, str], _Run]:
    runs: dict[tuple[str, str], _Run] = {}
    for event in json_lines(done.stdout):
        if "Package" not in event:
            continue
        key = (str(event["Package"]), str(event.get("Test", "")))
        run = runs.setdefault(key, _Run(*key))
        action = event.get("Action")
        if action == "output":
            run.output.append(str(event.get("Output", "")))
            if event.get("OutputType") in ("error", "error-continue"):
                run.errors.append(run.output[-1])
        elif action in _ENDS:
            run.outcome, run.seconds, run.running = _ENDS[action], float(event.get("Elapsed", 0)), False
        elif action in ("run", "cont", "pause"):
            run.running = action != "pause"
    return runs


def _built(done: Completed) -> str:
    """What the compiler printed."""
    return "".join(
        str(event.get("Output", ""))
        for event in json_lines(done.stdout)
        if event.get("Action") == "build-output"
    )


def _is_worth_telling(run: _Run, tests: list[_Run]) -> bool:
    """Whether a test failed by itself: one that only holds failing or unfinished tests did not."""
    if run.outcome is not ChildOutcome.FAILED and not run.running:
        return False
    # Go reports the panic of a subtest as output of the test that holds it.
    holders = [each for each in tests if each.package == run.package and run.name.startswith(f"{each.name}/")]
    if any(_panics(each) for each in holders):
        return False
    if _panics(run):
        return True
    return not any(
        other.package == run.package
        and other.name.startswith(f"{run.name}/")
        and (other.outcome is ChildOutcome.FAILED or other.running)
        for other in tests
    )


def _panics(run: _Run) -> bool:
    return any(_PANIC.match(line.strip()) for line in run.output)


def _is_silent_failure(run: _Run, tests: list[_Run], built: Parsed) -> bool:
    """Whether a Go package failed although none of its tests did and it was built: it panics, or ends early."""
    if run.name or run.outcome is not ChildOutcome.FAILED or "build failed" in "".join(run.output):
        return False
    return not built.missing and not any(
        test.package == run.package and (test.outcome is ChildOutcome.FAILED or test.running)
        for test in tests
    )


def _told(check: Check, run: _Run) -> Finding:
    """Where and why a test failed or was skipped; a test that did not end is placed where it is declared."""
    lines = "".join(run.output).splitlines()
    for number, line in enumerate(lines):
        if match := _PANIC.match(line.strip()):
            place = own_place(check, places("\n".join(lines[number:])))
            path, at, _column = place or (*_declared(check, run), None)
            return Finding(path, short(match[1] + match["message"]), at, rule=run.name)
    placed = _last_placed("".join(run.errors).splitlines() or lines)
    if placed and not run.running:
        path, at, message = placed
        return Finding(_in_folder(check, run.package, path), short(message), at, rule=run.name)
    path, at = _declared(check, run)
    said = [line for line in lines if line.strip() and not line.lstrip().startswith(("=== ", "--- ", "FAIL"))]
    message = "did not end: it was still running when its program ended or was ended" if run.running else ""
    return Finding(path, message or short(" ".join(said)), at, rule=run.name)


def _last_placed(lines: list[str]) -> tuple[str, int, str] | None:
    """The last `file.go:1: message` with its further lines; what comes before may be logging."""
    found: tuple[str, int, list[str]] | None = None
    for line in lines:
        if match := _LINE.match(line):
            found = (match["path"], int(match["line"]), [match["message"]])
        elif found and line.startswith("        "):
            found[2].append(line)
    if found is None:
        return None
    text = " ".join(" ".join(found[2]).split())
    assertion = _ASSERTION.search(text)  # testify's table, whose first row only repeats the place
    return found[0], found[1], assertion[1] if assertion else text


def _in_folder(check: Check, import_path: str, path: str) -> str:
    """Tests name files without their folder, which the import path tells."""
    if posixpath.dirname(path):
        place = own_place(check, [(path, 1, None)])
        return place[0] if place else path
    return posixpath.join(_folder(check, import_path), path)


def _folder(check: Check, import_path: str) -> str:
    below = import_path.removeprefix(module_path(check.package)).strip("/")
    return posixpath.join(check.package.folder, below).rstrip("/")


def _declared(check: Check, run: _Run) -> tuple[str, int | None]:
    """The line of `func TestX(`; the manifest where it cannot be found."""
    folder = _folder(check, run.package)
    wanted = re.compile(rf"^func {re.escape(run.name.split('/')[0])}\(", re.MULTILINE)
    for file in check.package.files:
        if run.name and file.endswith("_test.go") and posixpath.dirname(file) == folder:
            text = (check.package.root / file).read_text(encoding="utf-8", errors="replace")
            if match := wanted.search(text):
                return file, text.count("\n", 0, match.start()) + 1
    return check.package.manifest, None
