"""Test runners of the Node ecosystem: how each is told to run some tests, to list them, and to write a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from gatehouse.inner.checks.node_classes import SUFFIXES, Tests
from gatehouse.inner.checks.node_package import PARALLEL, NodePackage
from gatehouse.inner.checks.node_reports import MochaListing, Report, read_file_list, read_jest, read_mocha
from gatehouse.inner.checks.node_scripts import Command, without
from gatehouse.inner.checks.tap import read_tap
from gatehouse.inner.model import Blame, Check, Parsed, Phase

_WATCHING = ("--watch", "--watchAll", "-w", "--ui", "--coverage", "--collectCoverage")
_EASY = ("--passWithNoTests", "--pass-with-no-tests", "-u", "--update", "--updateSnapshot", "--json", "--ci")


def jest(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """Jest, with its report in a file; folders are chosen by a pattern over paths."""
    words = without(command.words[1:], (*_WATCHING, *_EASY), ("--outputFile", "--cacheDirectory"))
    # Patterns of the script are alternatives to any that are added, so that adding one would choose more, not less.
    pattern = () if any(not word.startswith("-") for word in words) else _jest_pattern(tests)
    limited = {"-i", "--runInBand", "--maxWorkers"} & {word.partition("=")[0] for word in words}
    report = node.tools.report(node.package, f"{tests.name}.json")
    common = (*words, *pattern, f"--cacheDirectory={node.tools.cache / 'jest'}", "--coverage=false")
    workers = () if limited else (f"--maxWorkers={PARALLEL}",)
    arguments = (*common, "--ci", "--json", f"--outputFile={report}", "--testLocationInResults", *workers)
    return [
        _listing(node, tests, command, "jest", *common, "--listTests", parse=read_file_list),
        _run(node, tests, command, "jest", *arguments, parse=Report(report, read_jest), weight=PARALLEL),
    ]


def _jest_pattern(tests: Tests) -> tuple[str, ...]:
    if tests.folder:
        return (f"__tests__/{tests.folder}/",)
    return (f"^(?!.*__tests__/({'|'.join(tests.left_out)})/)",) if tests.left_out else ()


def vitest(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """Vitest, run once, with its report in a file."""
    words = command.words[2:] if command.words[1:2] in (("run",), ("watch",), ("dev",)) else command.words[1:]
    words = without(words, (*_WATCHING, *_EASY, "--run"), ("--reporter", "--outputFile"))
    chosen = (f"__tests__/{tests.folder}/",) if tests.folder else ()
    left_out = tuple(f"--exclude=**/__tests__/{name}/**" for name in tests.left_out)
    report = node.tools.report(node.package, f"{tests.name}.json")
    arguments = (*chosen, *words, *left_out, "--coverage.enabled=false", "--passWithNoTests=false")
    limit = (f"--maxWorkers={PARALLEL}",) if node.version("vitest") >= (1, 0) else ()
    output = ("--reporter=json", f"--outputFile={report}", *limit)
    found = []
    if node.version("vitest") >= (3, 0):  # earlier ones cannot list without loading every test
        found.append(
            _listing(
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
        _run(
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
    """Mocha, which cannot be told to run one folder only when its configuration names others."""
    if tests.folder:
        return []
    words = without(
        command.words[1:],
        ("--watch", "-w"),
        ("--reporter", "-R", "--reporter-option", "--reporter-options", "-O"),
    )
    left_out = tuple(word for name in tests.left_out for word in ("--ignore", f"**/__tests__/{name}/**"))
    report, listed = (
        node.tools.report(node.package, f"{tests.name}-{kind}.json") for kind in ("run", "list")
    )
    arguments = (*words, *left_out, "--reporter=json", "--reporter-option")
    return [
        _listing(
            node,
            tests,
            command,
            "mocha",
            *arguments,
            f"output={listed}",
            "--dry-run",
            parse=MochaListing(listed),
        ),
        _run(node, tests, command, "mocha", *arguments, f"output={report}", parse=Report(report, read_mocha)),
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
    run = _run(node, tests, command, "node", *output, *words, *files, parse=Report(report, read_tap))
    listed = Check(
        *(node.package, _listing_name(tests), Phase.CONTRACT, Blame.COMPILE),
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


def _listing_name(tests: Tests) -> str:
    return "node-listing" if tests.name == "test" else f"node-{tests.name}-listing"


def _listing(
    node: NodePackage, tests: Tests, command: Command, tool: str, *arguments: str, parse: Any
) -> Check:
    """The runner's own list of tests; that it is empty is a finding."""
    name, env = _listing_name(tests).removeprefix("node-"), dict(command.env)
    more = {"parse": parse, "env": env, "findings_are_failures": True}
    return node.check(name, Phase.CONTRACT, Blame.COMPILE, tool, *arguments, **more)


def _run(node: NodePackage, tests: Tests, command: Command, tool: str, *arguments: str, **more: Any) -> Check:
    env = dict(command.env)
    return node.check(
        tests.name, tests.phase, Blame.TEST, tool, *arguments, env=env, findings_are_failures=True, **more
    )


def configured(node: NodePackage, names: Iterable[str]) -> str:
    """The first runner of `names` that the package configures or depends on and that is there; else empty."""
    for name in names:
        file = CONFIGURATIONS[name]
        if name in node.manifest or node.package.has_file(lambda each, file=file: each.startswith(file)):  # type: ignore[misc]
            return name
    return next((name for name in names if node.asks_for(name)), "")
