"""Test runners of the Node ecosystem: how each is told to run some tests, to list them, and to write a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from gatehouse.inner.checks.node.classes import Tests
from gatehouse.inner.checks.node.files import words_for
from gatehouse.inner.checks.node.jest import jest
from gatehouse.inner.checks.node.other_runners import ava, bun, deno, tap
from gatehouse.inner.checks.node.package import PARALLEL, NodePackage
from gatehouse.inner.checks.node.reports import MochaListing, Report, read_file_list, read_jest, read_mocha
from gatehouse.inner.checks.node.runs import EASY, WATCHING, file_listing, listing_check, run_check
from gatehouse.inner.checks.node.scripts import Command, without
from gatehouse.inner.checks.tap import read_tap
from gatehouse.inner.model import Check


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
    """Mocha, which cannot be told to run one folder only: integration tests run among the unit tests, if there are."""
    if tests.folder and not tests.alone:
        return []
    words = without(
        command.words[1:],
        ("--watch", "-w"),
        ("--reporter", "-R", "--reporter-option", "--reporter-options", "-O"),
    )
    never = [name for name in tests.left_out if tests.folder or name in node.tools.classes.cluster]
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
    """Node's own runner, which has no listing."""
    words = without(
        command.words[1:], ("--test", "--watch"), ("--test-reporter", "--test-reporter-destination")
    )
    chosen = words_for(node, tests, words)
    if chosen is None:
        return []
    report = node.tools.report(node.package, f"{tests.name}.tap")
    output = ("--test", "--test-reporter=tap", f"--test-reporter-destination={report}")
    run = run_check(node, tests, command, "node", *output, *chosen, parse=Report(report, read_tap))
    return [*file_listing(node, tests), run]


Runner = Callable[[NodePackage, Tests, Command], list[Check]]

#: By the name of the program that a script calls.
RUNNERS: dict[str, Runner] = {"vitest": vitest, "jest": jest, "mocha": mocha, "ava": ava, "tap": tap}

#: By the name of the program whose command `test` is a runner.
RUNTIMES: dict[str, Runner] = {"bun": bun, "deno": deno}

#: By what tests import: the runner, and how it is called where no script says so.
IMPORTED: dict[bytes, tuple[Runner, Command]] = {
    b"node:test": (node_test, Command(("node", "--test"), {})),
    b"bun:test": (bun, Command(("bun", "test"), {})),
}

#: Programs that run another one and measure what it covers.
COVERAGE = ("c8", "nyc")

#: Files by which one sees that a runner is meant, and the dependency that it is.
CONFIGURATIONS = {
    "vitest": "vitest.config.",
    "jest": "jest.config.",
    "mocha": ".mocharc.",
    "ava": "ava.config.",
    "tap": ".taprc",
}


def runner_of(command: Command) -> Runner | None:
    """The runner that a script calls, by its program or by its file in node_modules; None for others."""
    if command.tool == "node":
        return node_test if "--test" in command.words else None
    if command.tool in RUNTIMES:
        return RUNTIMES[command.tool] if command.words[1:2] == ("test",) else None
    return RUNNERS.get(command.tool)


def unwrapped(command: Command) -> Command:
    """A runner without what is around it: what measures coverage, which would be written into the package, and Node.

    `node --flag node_modules/.bin/jest args` is the runner with the flags in NODE_OPTIONS.
    """
    for number, word in enumerate(command.words):
        if command.tool in COVERAGE and (word in ("node", *RUNNERS) or word in RUNTIMES):
            return unwrapped(replace(command, words=command.words[number:]))
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
