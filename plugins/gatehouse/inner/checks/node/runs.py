"""The checks that a test runner is made into: a listing and a run."""

from __future__ import annotations

from typing import Any

from gatehouse.inner.checks.node.classes import Tests
from gatehouse.inner.checks.node.package import NodePackage
from gatehouse.inner.checks.node.scripts import Command
from gatehouse.inner.model import Blame, Check, Parsed, Phase

WATCHING = ("--watch", "--watchAll", "-w", "--ui", "--coverage", "--collectCoverage")
EASY = ("--passWithNoTests", "--pass-with-no-tests", "-u", "--update", "--updateSnapshot", "--json", "--ci")


def listing_name(tests: Tests) -> str:
    """The full name of the listing's check."""
    return "node-listing" if tests.name == "test" else f"node-{tests.name}-listing"


def listing_check(
    node: NodePackage, tests: Tests, command: Command, tool: str, *arguments: str, parse: Any
) -> Check:
    """The runner's own list of tests; that it is empty is a finding."""
    name, env = listing_name(tests).removeprefix("node-"), dict(command.env)
    more = {"parse": parse, "env": env, "findings_are_failures": True}
    return node.check(name, Phase.CONTRACT, Blame.COMPILE, tool, *arguments, **more)


def run_check(
    node: NodePackage, tests: Tests, command: Command, tool: str, *arguments: str, **more: Any
) -> Check:
    """A run of tests, whose report is the judge besides the exit code."""
    env = dict(command.env)
    return node.check(
        tests.name, tests.phase, Blame.TEST, tool, *arguments, env=env, findings_are_failures=True, **more
    )


def file_listing(node: NodePackage, tests: Tests) -> list[Check]:
    """For runners that have no listing: the files are counted as they are known from git's list."""
    if not tests.files:
        return []
    place = (node.package, listing_name(tests), Phase.CONTRACT, Blame.COMPILE)
    return [Check(*place, look=lambda: Parsed(listed=len(tests.files)))]
