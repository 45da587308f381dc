"""Tests of Python's own unittest, where a package does not use pytest."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.environment_skips import environment_skips
from gatehouse.inner.checks.parsing import own_place, places, short, unique, without_control
from gatehouse.inner.checks.python.environment import Environment, apart, missing_distributions
from gatehouse.inner.checks.python.project import Project
from gatehouse.inner.model import Blame, Check, ChildOutcome, ChildTest, Finding, Parsed, Phase

#: The line of a traceback that says what is wrong, as Python and as pytest print it.
ERROR = re.compile(r"^(?:E +)?((?:[\w.]*(?:Error|Exception)\b.*)|ERROR: .*)$", re.MULTILINE)
_UNITTEST = re.compile(
    r"^(?P<name>\w+) \((?P<id>[^()\n]+)\)(?:\n[^\n]*?)? \.\.\. (?:[^\n]*?)"
    r"(?P<end>ok|FAIL|ERROR|expected failure|unexpected success|skipped (?P<reason>['\"].*['\"]))$",
    re.MULTILINE,
)
_UNITTEST_FAILURE = re.compile(
    r"^(?:ERROR|FAIL): (?P<name>\S+) .*\n-+\n(?P<text>(?:.*\n)*?)(?=\n(?:=|-){70}$)", re.MULTILINE
)
_RAN = re.compile(r"^Ran (\d+) tests?", re.MULTILINE)


def unittest_check(environment: Environment) -> Check:
    """Unittest's own discovery; without a listing, as it has none that runs nothing."""
    project = environment.project
    start = "tests" if any(file.startswith("tests/") for file in project.tests) else "."
    pattern = (
        "test_*.py"
        if any(posixpath.basename(file).startswith("test_") for file in project.tests)
        else "*_test.py"
    )
    package, top = project.package, "."
    if environment.imported_from_root:
        # Such tests are run at the root, as Bazel does it, and find their data by paths from there.
        package, top = replace(package, folder=""), package.folder
    folders = ("-s", posixpath.normpath(posixpath.join(top, start)), "-t", top)
    argv = (environment.python, "-m", "unittest", "discover", "-v", *folders, "-p", pattern)
    return Check(
        *(package, "python-test", Phase.UNIT, Blame.TEST, argv),
        parse=UnittestReport(project),
        env=environment.variables(),
        how_to_install=environment.how_to_install,
        findings_are_failures=True,
        nothing_selected=frozenset({5}),
        inputs=environment.inputs(None),
    )


@dataclass(frozen=True)
class UnittestReport:
    """Reads unittest's text."""

    project: Project

    def __call__(self, check: Check, done: Completed) -> Parsed:
        """Each test that names itself, and the failures with their innermost place in the package."""
        text = without_control(done.stderr + "\n" + done.stdout)
        tests = [self._test(match) for match in _UNITTEST.finditer(text)]
        findings = [self._failure(check, match) for match in _UNITTEST_FAILURE.finditer(text)]
        ran = _RAN.search(text)
        skipped = sum(test.outcome is ChildOutcome.SKIPPED for test in tests)
        found = (*findings, *environment_skips(check, tests))
        parsed = Parsed(found, int(ran[1]) - skipped if ran else 0, tests=unique(tests))
        return apart(parsed, missing_distributions(self.project, text)) if done.exit_code else parsed

    @staticmethod
    def _test(match: re.Match[str]) -> ChildTest:
        outcome = (
            ChildOutcome.FAILED
            if match["end"] in ("FAIL", "ERROR", "unexpected success")
            else ChildOutcome.PASSED
        )
        if match["reason"]:
            return ChildTest(match["id"], ChildOutcome.SKIPPED, message=match["reason"].strip("'\""))
        # Up to Python 3.10 only the class is in parentheses.
        return ChildTest(
            match["id"] if match["id"].endswith(match["name"]) else f"{match['id']}.{match['name']}", outcome
        )

    @staticmethod
    def _failure(check: Check, match: re.Match[str]) -> Finding:
        place = own_place(check, reversed(list(places(match["text"])))) or (
            check.package.manifest,
            None,
            None,
        )
        errors = ERROR.findall(match["text"])
        return Finding(place[0], short(errors[-1] if errors else ""), place[1], rule=match["name"])
