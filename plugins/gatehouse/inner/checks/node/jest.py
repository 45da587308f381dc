"""Jest: told to run or to list the tests of a class, beside what a script tells it."""

from __future__ import annotations

from gatehouse.inner.checks.node.classes import Tests
from gatehouse.inner.checks.node.package import PARALLEL, NodePackage
from gatehouse.inner.checks.node.reports import Report, read_file_list, read_jest
from gatehouse.inner.checks.node.runs import EASY, WATCHING, listing_check, run_check
from gatehouse.inner.checks.node.scripts import Command, without
from gatehouse.inner.model import Check

#: Options of Jest that take no value; all others do, or may.
_JEST_SWITCHES = frozenset(
    (
        "-b",
        "--bail",
        "-i",
        "--runInBand",
        "--silent",
        "--verbose",
        "--forceExit",
        "--detectOpenHandles",
        "--no-cache",
    )
)


def jest(node: NodePackage, tests: Tests, command: Command) -> list[Check]:
    """Jest, with its report in a file; folders are chosen by a pattern over paths."""
    watching = tuple(option for option in WATCHING if option != "-w")  # which is a number of workers here
    words = without(
        command.words[1:], (*watching, *EASY), ("-w", "--maxWorkers", "--outputFile", "--cacheDirectory")
    )
    if tests.folder:  # of all that a script chooses, only this folder
        words = tuple(word for word, chooses in zip(words, _choosing(words), strict=True) if not chooses)
    in_band = {"-i", "--runInBand"} & set(words)
    report = node.tools.report(node.package, f"{tests.name}.json")
    # Patterns come first: options that take several words would swallow them.
    chosen = (
        *_jest_pattern(tests, words),
        f"--cacheDirectory={node.tools.cache / 'jest'}",
        "--coverage=false",
    )
    workers = () if in_band else (f"--maxWorkers={PARALLEL}",)
    output = ("--ci", "--json", f"--outputFile={report}", "--testLocationInResults", *workers)
    return [
        listing_check(node, tests, command, "jest", *chosen, "--listTests", *words, parse=read_file_list),
        run_check(
            *(node, tests, command, "jest", *chosen, *output, *words),
            parse=Report(report, read_jest),
            weight=PARALLEL,
        ),
    ]


def _jest_pattern(tests: Tests, words: tuple[str, ...]) -> tuple[str, ...]:
    """What chooses the tests of a class beside a script's own words."""
    if tests.folder:
        return (f"__tests__/{tests.folder}/",)
    if not tests.left_out:
        return ()
    if any(_choosing(words)):
        # A script's patterns are alternatives to any that is added: a further one would choose more, not less.
        return tuple(f"--testPathIgnorePatterns={each}" for each in ("/node_modules/", *_folders(tests)))
    return (f"^(?!.*__tests__/({'|'.join(tests.left_out)})/)",)


def _folders(tests: Tests) -> tuple[str, ...]:
    return tuple(f"__tests__/{name}/" for name in tests.left_out)


def _choosing(words: tuple[str, ...]) -> list[bool]:
    """Of each word, whether it chooses tests: it is no option, and no value of one."""
    return [
        not word.startswith("-") and not _takes_value(last)
        for last, word in zip(("", *words), words, strict=False)
    ]


def _takes_value(word: str) -> bool:
    """Whether the next word belongs to this option of Jest."""
    return word.startswith("-") and "=" not in word and word not in _JEST_SWITCHES
