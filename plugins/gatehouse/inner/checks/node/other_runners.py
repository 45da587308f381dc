"""Further runners: AVA and node-tap, which write TAP, and Bun's and Deno's own, which write JUnit.

None of them can list its tests without running them: their files are counted as they are known from git's list. They
are told by files which tests to run, where a package has several classes of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.node.classes import Tests
from gatehouse.inner.checks.node.files import words_for
from gatehouse.inner.checks.node.output import read_test_script
from gatehouse.inner.checks.node.package import NodePackage
from gatehouse.inner.checks.node.reports import JUnitReport, Report
from gatehouse.inner.checks.node.runs import EASY, WATCHING, file_listing, run_check
from gatehouse.inner.checks.node.scripts import Command, without
from gatehouse.inner.checks.tap import read_tap
from gatehouse.inner.model import Check, Parsed

#: What node-tap writes into the package, and cannot be told to write elsewhere.
TAP_FOLDER = ".tap/"


def ava(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """AVA, whose TAP is only printed."""
    words = without(
        command.words[1:], (*WATCHING, *EASY, "--tap", "-t", "--verbose", "-v", "--update-snapshots")
    )
    return _checks(node, tests, command, "ava", words, ("--tap",), parse=_read_ava)


def _read_ava(check: Check, done: Completed) -> Parsed:
    parsed = read_test_script(check, done)
    return replace(parsed, executed=parsed.executed or 0)


def tap(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """node-tap, which measures coverage unless it is told not to."""
    words = command.words[2:] if command.words[1:2] == ("run",) else command.words[1:]
    words = without(
        words,
        (*WATCHING, *EASY, "--disable-coverage", "--allow-incomplete-coverage", "--allow-empty-coverage"),
        ("--reporter", "-R", "--output-file", "-o", "--coverage-report"),
    )
    report = node.tools.report(node.package, f"{tests.name}.tap")
    coverage = "--disable-coverage" if node.version("tap") >= (18, 0) else "--no-coverage"
    options = ("--reporter=tap", f"--output-file={report}", coverage)
    return _checks(
        node, tests, command, "tap", words, options, parse=Report(report, read_tap), writes=(TAP_FOLDER,)
    )


def bun(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """Bun's own runner."""
    words = without(
        command.words[2:],
        (*WATCHING, *EASY, "--update-snapshots", "--only-failures"),
        ("--reporter", "--reporter-outfile", "--coverage-reporter", "--coverage-dir"),
    )
    report = node.tools.report(node.package, f"{tests.name}.xml")
    options = ("test", "--reporter=junit", f"--reporter-outfile={report}")
    return _checks(node, tests, command, "bun", words, options, parse=JUnitReport(report))


def deno(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """Deno's own runner, without network and without a change of its lockfile."""
    words = without(
        command.words[2:],
        (*WATCHING, *EASY, "--permit-no-files", "--update-snapshots", "--no-lock"),
        ("--reporter", "--junit-path", "--coverage"),
    )
    locked = node.tools.beside(node.package, "deno.lock")
    report = node.tools.report(node.package, f"{tests.name}.xml")
    options = ("test", "--cached-only", "--frozen" if locked else "--no-lock", f"--junit-path={report}")
    return _checks(node, tests, command, "deno", words, options, parse=JUnitReport(report))


def _checks(
    node: NodePackage,
    tests: Tests,
    command: Command,
    tool: str,
    words: tuple[str, ...],
    options: tuple[str, ...],
    **more: Any,
) -> list[Check]:
    """The listing of files, and the run; none where the script chooses other tests than those of this class."""
    chosen = words_for(node, tests, words)
    if chosen is None:
        return []
    return [*file_listing(node, tests), run_check(node, tests, command, tool, *options, *chosen, **more)]
