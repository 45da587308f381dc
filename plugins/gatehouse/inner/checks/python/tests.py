"""Python's tests: pytest by markers, unittest where pytest is not used."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.junit_reports import read_junit
from gatehouse.inner.checks.parsing import listing, own_place, places, short, without_control
from gatehouse.inner.checks.python.environment import (
    Environment,
    apart,
    missing_distributions,
    missing_plugin,
)
from gatehouse.inner.checks.python.markers import has_unmarked, registered, used
from gatehouse.inner.checks.python.project import Project
from gatehouse.inner.checks.python.unittest import ERROR, unittest_check
from gatehouse.inner.model import Blame, Check, Finding, Parsed, Phase

#: pytest's exit code for a run in which no test was selected.
NOTHING_SELECTED = frozenset({5})

_SUMMARY = re.compile(r"^(?:=+ )?(\d+)(?:/\d+)? tests? collected|^collected (\d+) items?", re.MULTILINE)
_COUNT = re.compile(r"^\S.*\.py: (\d+)$", re.MULTILINE)
_RUNNING = re.compile(r"^(?P<file>\S.*?\.py)::(?P<test>.+?) *$")
_USES_PYTEST = re.compile(
    r"^\s*(?:import pytest\b|from pytest\b)|^(?:async )?def test|^class Test\w*(?:\(object\)|\(\))?:",
    re.MULTILINE,
)
Parse = Callable[[Check, Completed], Parsed]


def test_checks(environment: Environment) -> list[Check]:
    """A listing and the classes of tests that there are; none without a test file."""
    project = environment.project
    if not project.tests:
        return []
    return _pytest(environment) if _uses_pytest(project) else [unittest_check(environment)]


def _uses_pytest(project: Project) -> bool:
    """Whether anything speaks of pytest; tests that only use unittest run without it."""
    if project.configures_pytest or project.package.has_file(lambda name: name == "conftest.py"):
        return True
    if re.search(r"\bpytest\b", project.requirements):
        return True
    return any(_USES_PYTEST.search(project.test_texts[file]) for file in project.tests)


def _pytest(environment: Environment) -> list[Check]:
    project = environment.project
    classes = environment.tools.classes
    integration = used(project, classes.integration)
    others = used(project, classes.cluster)
    # A marker that is registered and not used can be excluded; one that is neither would be an error in strict mode.
    known = registered(project)
    excluded = [
        name
        for name in (*classes.integration, *classes.cluster)
        if name in known or name in (*integration, *others)
    ]
    found = [_check(environment, "python-listing", Phase.CONTRACT, ("--collect-only", "-q"), Listing)]
    if has_unmarked(project, [*integration, *others]):
        selection = ("-m", " and ".join(f"not {name}" for name in excluded)) if excluded else ()
        found.append(_check(environment, "python-test", Phase.UNIT, ("-v", *selection), Report))
    if integration:
        never = "".join(f" and not {name}" for name in excluded if name in classes.cluster)
        selection = ("-m", f"({' or '.join(integration)}){never}")
        found.append(_check(environment, "python-integration", Phase.INTEGRATION, ("-v", *selection), Report))
    return found


def _check(
    environment: Environment, name: str, phase: Phase, options: tuple[str, ...], kind: type[Report]
) -> Check:
    project, tools = environment.project, environment.tools
    report = tools.report(project.package, f"{name}.xml")
    settings = project.pytest
    argv = (
        *(environment.python, "-m", "pytest", *options, "--tb=short", "--color=no"),
        *("-o", f"cache_dir={tools.cache / 'pytest'}", "-o", "junit_family=xunit1", f"--junitxml={report}"),
        # Coverage would be written into the checkout, and be measured for one class of tests only.
        *(("--no-cov",) if "--cov" in settings.get("addopts", "") else ()),
        *_folders(project),
    )
    # A conftest can set the exit code or end the process early; the report then tells, or is not there.
    return Check(
        *(project.package, name, phase, Blame.COMPILE if phase is Phase.CONTRACT else Blame.TEST, argv),
        parse=kind(report, project),
        env=environment.variables(),
        how_to_install=environment.how_to_install,
        findings_are_failures=True,
        nothing_selected=NOTHING_SELECTED,
        inputs=environment.inputs(None),
    )


def _folders(project: Project) -> tuple[str, ...]:
    """Where the package's own tests are, so that those of packages inside it are left to these.

    None where the configuration tells, or may make tests of files that do not look like it.
    """
    settings = project.pytest
    if {"testpaths", "python_files", "collect_imported_tests"} & set(settings) or "doctest" in settings.get(
        "addopts", ""
    ):
        return ()
    folders = {posixpath.dirname(file) or file for file in project.tests}
    outer = {each for each in folders if not any(each.startswith(f"{other}/") for other in folders)}
    return ("--rootdir=.", *sorted(outer))


@dataclass(frozen=True)
class Report:
    """Reads the JUnit file that pytest was told to write; without one, what pytest printed."""

    path: Path
    project: Project

    def __call__(self, check: Check, done: Completed) -> Parsed:
        """Tests and failures; a module that is not installed is no failure of the tests."""
        text = without_control(done.stdout + "\n" + done.stderr)
        try:
            parsed = read_junit(check, [self.path], first_line=0, innermost_last=True)
        finally:
            self.path.unlink(missing_ok=True)
        if plugin := missing_plugin(text):
            return replace(parsed, missing=plugin)
        parsed = replace(parsed, findings=parsed.findings or tuple(self._printed(check, done, text)))
        return apart(parsed, missing_distributions(self.project, text)) if done.exit_code else parsed

    def _printed(self, check: Check, done: Completed, text: str) -> Iterator[Finding]:
        if done.timed_out:
            yield from _running(check, text)
        elif done.exit_code not in (0, *NOTHING_SELECTED) and (errors := ERROR.findall(text)):
            place = own_place(check, reversed(list(places(text)))) or (check.package.manifest, None, None)
            yield Finding(place[0], short(errors[-1]), place[1], place[2])


class Listing(Report):
    """Reads what `pytest --collect-only` lists, and why files cannot be imported."""

    def __call__(self, check: Check, done: Completed) -> Parsed:
        """How many tests there are, before any is left out."""
        text = without_control(done.stdout)
        parsed = replace(super().__call__(check, done), executed=None, tests=())
        return listing(check, listed(text), parsed)


def listed(text: str) -> int:
    """How many tests a listing names, in the ways of all verbosities."""
    if match := _SUMMARY.search(text):
        return int(match[1] or match[2])
    counts = [int(count) for count in _COUNT.findall(text)]
    return sum(counts) or sum("::" in line for line in text.splitlines())


def _running(check: Check, text: str) -> Iterator[Finding]:
    """The test whose name was printed without an end."""
    lines = [line for line in text.splitlines() if line.strip()]
    match = _RUNNING.match(lines[-1]) if lines else None
    if match and (place := own_place(check, [(match["file"], 1, None)])):
        source = (check.package.root / place[0]).read_text(encoding="utf-8", errors="replace")
        name = re.split(r"\[|::", match["test"])[-1 if "[" not in match["test"] else 0]
        found = re.search(rf"^\s*(?:async )?def {re.escape(name)}\b", source, re.MULTILINE)
        line = source.count("\n", 0, found.end()) + 1 if found else None
        yield Finding(place[0], "did not end: it was still running", line, rule=match["test"])
