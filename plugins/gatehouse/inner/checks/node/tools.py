"""Linters, formatters and compilers that are called directly, for their structured output and without writing."""

from __future__ import annotations

from collections.abc import Callable

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.node.output import EslintReport, read_biome, read_prettier, read_tsc
from gatehouse.inner.checks.node.package import NodePackage
from gatehouse.inner.checks.node.scripts import MUTATING, Command, without
from gatehouse.inner.model import Blame, Check, Parsed, Phase

Parse = Callable[[Check, Completed], Parsed]


#: Files by which ESLint is configured, those of its current format first.
ESLINT = (
    *(f"eslint.config.{suffix}" for suffix in ("js", "mjs", "cjs", "ts", "mts", "cts")),
    *(f".eslintrc{suffix}" for suffix in (".js", ".cjs", ".json", ".yml", ".yaml", "")),
)


def direct(node: NodePackage, name: str, blame: Blame, command: Command) -> Check:
    """A known tool called directly, for its structured output and without what would change files."""
    arguments, parse = TOOLS[command.tool](node, name, without(command.words[1:], MUTATING))
    env = dict(command.env)
    return node.check(name, Phase.CONTRACT, blame, command.tool, *arguments, parse=parse, env=env)


def _eslint(node: NodePackage, name: str, words: tuple[str, ...]) -> tuple[tuple[str, ...], Parse]:
    report = node.tools.report(node.package, f"{name}.json")
    kept = without(
        words, ("--cache",), ("-f", "--format", "-o", "--output-file", "--cache-location", "--cache-strategy")
    )
    return (*kept, "--format=json", f"--output-file={report}"), EslintReport(
        report, node.tools.beside(node.package, *ESLINT) or ""
    )


def _tsc(node: NodePackage, _name: str, words: tuple[str, ...]) -> tuple[tuple[str, ...], Parse]:
    """Without output: types are looked at, nothing is written."""
    words = without(words, ("--watch", "-w", "--noEmit", "--pretty"))
    words = tuple(word for word in words if word not in ("true", "false"))
    if {"-b", "--build"} & set(words):
        emit = ("--noEmit",) if node.version("typescript") >= (5, 6) else ()
        return (*words, *emit, "--pretty", "false"), read_tsc
    # What is not written cannot be built upon: a composite project would leave its build information behind.
    return (
        *words,
        "--noEmit",
        "--pretty",
        "false",
        "--incremental",
        "false",
        "--composite",
        "false",
    ), read_tsc


def _prettier(_node: NodePackage, _name: str, words: tuple[str, ...]) -> tuple[tuple[str, ...], Parse]:
    kept = without(
        words, ("--check", "-c", "--list-different", "-l", "--cache"), ("--cache-location", "--log-level")
    )
    return ("--check", *kept), read_prettier


def _biome(_node: NodePackage, _name: str, words: tuple[str, ...]) -> tuple[tuple[str, ...], Parse]:
    kept = without(words, (), ("--reporter", "--max-diagnostics"))
    return (*kept, "--reporter=json", "--max-diagnostics=50", "--no-errors-on-unmatched"), read_biome


#: Tools that are called directly where a script calls them and nothing else.
TOOLS = {"eslint": _eslint, "tsc": _tsc, "prettier": _prettier, "biome": _biome}
