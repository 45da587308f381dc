"""Test runners of the Node ecosystem: how each is told to run some tests, to list them, and to write a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from gatehouse.inner.checks.node.classes import SUFFIXES, Tests
from gatehouse.inner.checks.node.jest import jest
from gatehouse.inner.checks.node.package import PARALLEL, NodePackage
from gatehouse.inner.checks.node.reports import MochaListing, Report, read_file_list, read_jest, read_mocha
from gatehouse.inner.checks.node.runs import EASY, WATCHING, listing_check, listing_name, run_check
from gatehouse.inner.checks.node.scripts import Command, without
from gatehouse.inner.checks.tap import read_tap
from gatehouse.inner.model import Blame, Check, Parsed, Phase


def vitest(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """Vitest, run once, with its report in a file."""
    words = command.words[2:] if command.words[1:2] in (("run",), ("watch",), ("dev",)) else command.words[1:]
    words = without(words, (*WATCHING, *EASY, "--run"), ("--reporter", "--outputFile"))
    chosen = (f"__tests__/{tests.folder}/",) if tests.folder else ()
    left_out = tuple(f"--exclude=**/__tests__/{name}/**" for name in tests.left_out)
    report = node.tools.report(node.package, f"{tests.name}.json")
    arguments = (*chosen, *words, *left_out, "--coverage.enabled=false", "--passWithNoTests=false")
    limit = (f"--maxWorkers={PARALLEL}",) if node.version("vitest") >= (1, 0) else ()
    output = ("--reporter=json", f"--outputFile={report}", *limit)
    found = []
    if node.version("vitest") >= (3, 0):  # earlier ones cannot list without loading every test
        found.append(
            listing_check(
                node,
                tests,
                command,
                "vitest",
                "list",
                "--filesOnly",
                *chosen,
                *words,
                *left_out,
                parse=read_file_list,
            )
        )
    found.append(
        run_check(
            node,
            tests,
            command,
            "vitest",
            "run",
            *arguments,
            *output,
            parse=Report(report, read_jest),
            weight=PARALLEL,
        )
    )
    return found


def mocha(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """Mocha, which cannot be told to run one folder only: integration tests run among the unit tests."""
    if tests.folder:
        return []
    words = without(
        command.words[1:],
        ("--watch", "-w"),
        ("--reporter", "-R", "--reporter-option", "--reporter-options", "-O"),
    )
    never = [name for name in tests.left_out if name in node.tools.classes.cluster]
    left_out = tuple(word for name in never for word in ("--ignore", f"**/__tests__/{name}/**"))
    report, listed = (
        node.tools.report(node.package, f"{tests.name}-{kind}.json") for kind in ("run", "list")
    )
    arguments = (*words, *left_out, "--reporter=json", "--reporter-option")
    return [
        listing_check(
            node,
            tests,
            command,
            "mocha",
            *arguments,
            f"output={listed}",
            "--dry-run",
            parse=MochaListing(listed),
        ),
        run_check(
            node, tests, command, "mocha", *arguments, f"output={report}", parse=Report(report, read_mocha)
        ),
    ]


def node_test(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """Node's own runner, which has no listing: its files are counted as they are known from git's list."""
    words = without(
        command.words[1:], ("--test", "--watch"), ("--test-reporter", "--test-reporter-destination")
    )
    named = any(
        not word.startswith("-") and PurePosixPath(word).suffix in ("", *SUFFIXES) for word in words[-1:]
    )
    if named and tests.folder:
        return []
    files = tests.files if (tests.folder or tests.left_out) and not named else ()
    report = node.tools.report(node.package, f"{tests.name}.tap")
    output = ("--test", "--test-reporter=tap", f"--test-reporter-destination={report}")
    run = run_check(node, tests, command, "node", *output, *words, *files, parse=Report(report, read_tap))
    listed = Check(
        *(node.package, listing_name(tests), Phase.CONTRACT, Blame.COMPILE),
        look=lambda: Parsed(listed=len(tests.files)),
    )
    return [listed, run] if tests.files else [run]


Runner = Callable[[NodePackage, Tests, Command], list[Check]]

#: By the name of the program that a script calls.
RUNNERS: dict[str, Runner] = {"vitest": vitest, "jest": jest, "mocha": mocha}

#: Files by which one sees that a runner is meant, and the dependency that it is.
CONFIGURATIONS = {"vitest": "vitest.config.", "jest": "jest.config.", "mocha": ".mocharc."}


def runner_of(command: Command) -> Runner | None:
    """The runner that a script calls, by its program or by its file in node_modules; None for others."""
    if command.tool == "node":
        return node_test if "--test" in command.words else None
    return RUNNERS.get(command.tool)


def unwrapped(command: Command) -> Command:
    """`node --flag node_modules/.bin/jest args` as the runner with the flags in NODE_OPTIONS."""
    for number, word in enumerate(command.words):
        for name in RUNNERS:
            is_file = word.endswith((f"/.bin/{name}", f"/{name}.js", f"/{name}.mjs", f"/bin/{name}"))
            if command.tool == "node" and number and is_file and "node_modules/" in word:
                options = " ".join([command.env.get("NODE_OPTIONS", ""), *command.words[1:number]]).strip()
                env = {**command.env, "NODE_OPTIONS": options} if options else command.env
                return replace(command, words=(name, *command.words[number + 1 :]), env=env)
    return command


def configured(node: NodePackage, names: Iterable[str]) -> str:
    """The first runner of `names` that the package configures or depends on and that is there; else empty."""
    for name in names:
        file = CONFIGURATIONS[name]
        if name in node.manifest or node.package.has_file(lambda each, file=file: each.startswith(file)):  # type: ignore[misc]
            return name
    return next((name for name in names if node.asks_for(name)), "")
