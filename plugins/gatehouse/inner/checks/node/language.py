"""Node packages: the scripts for linting, formatting, types and tests; without one, the tools that are configured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gatehouse.inner.checks.manifests import broken_manifest, unreadable
from gatehouse.inner.checks.node.classes import Tests, classes_of
from gatehouse.inner.checks.node.output import (
    read_script,
    read_test_script,
)
from gatehouse.inner.checks.node.package import MANAGERS, NodePackage, links, manifest_of
from gatehouse.inner.checks.node.runners import (
    IMPORTED,
    RUNNERS,
    configured,
    runner_of,
    unwrapped,
)
from gatehouse.inner.checks.node.scripts import Command, expanded, is_usable, mutates, plain
from gatehouse.inner.checks.node.tools import ESLINT, TOOLS, direct
from gatehouse.inner.checks.parsing import text_of
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Language, Package, Phase

#: Names of scripts that look without changing anything, preferred ones first.
LINT = ("lint", "lint:check", "lint:ci", "lint:eslint", "eslint")
FORMAT = (
    "format:check",
    "check:format",
    "format-check",
    "check-format",
    "prettier:check",
    "fmt:check",
    "format",
    "prettier",
)
TYPES = ("typecheck", "type-check", "check-types", "check:types", "types:check", "tsc", "types")
TESTS = {
    Phase.UNIT: ("test:unit", "unit", "test"),
    Phase.INTEGRATION: ("test:{name}", "{name}", "test-{name}"),
}

BIOME = ("biome.json", "biome.jsonc")

_REFERS = re.compile(r'"references"\s*:\s*\[\s*\{')
_SOURCES = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".vue", ".svelte")


def checks(package: Package, tools: Tools) -> list[Check]:
    """Lint, format and types in the contract phase, tests by their folders in `__tests__`; no build, which writes."""
    manifest = manifest_of(package)
    if isinstance(manifest, str):
        return [broken_manifest(package, unreadable(package.manifest, manifest))]
    node = NodePackage(package, tools, manifest)
    return [*_lint(node), *_format(node), *_types(node), *_tests(node)]


def _lint(node: NodePackage) -> list[Check]:
    script, command = _script(node, LINT)
    if script:
        return [_known_or_script(node, "lint", Blame.LINT, script, command)]
    if node.is_workspace_root or not node.package.has_file(lambda name: name.endswith(_SOURCES)):
        return []
    if node.tools.beside(node.package, *BIOME) and node.asks_for("@biomejs/biome"):
        return [direct(node, "lint", Blame.LINT, Command(("biome", "check"), {}))]
    if (node.tools.beside(node.package, *ESLINT) or "eslintConfig" in node.manifest) and node.asks_for(
        "eslint"
    ):
        return [direct(node, "lint", Blame.LINT, Command(("eslint", "."), {}))]
    return []


def _format(node: NodePackage) -> list[Check]:
    """Only where a script says so: a configuration of prettier does not say which files are formatted by it."""
    script, command = _script(node, FORMAT)
    if not script or (command is None and script in ("format", "prettier")):
        return []
    if command and command.tool not in ("prettier", "biome") and script in ("format", "prettier"):
        return []
    return [_known_or_script(node, "format", Blame.FORMAT, script, command)]


def _types(node: NodePackage) -> list[Check]:
    script, command = _script(node, TYPES)
    if script:
        return [_known_or_script(node, "types", Blame.COMPILE, script, command)]
    has_sources = node.package.has_file(lambda name: name.endswith((".ts", ".tsx", ".mts", ".cts")))
    configuration = node.package.path / "tsconfig.json"
    if (
        node.is_workspace_root
        or not has_sources
        or not configuration.is_file()
        or not node.asks_for("typescript")
    ):
        return []
    return [
        direct(node, name, Blame.COMPILE, Command(("tsc", "-p", project), {}))
        for name, project in _projects(node.package, configuration)
    ]


def _projects(package: Package, configuration: Path) -> list[tuple[str, str]]:
    """The configurations to compile: those that a `tsconfig.json` without files of its own refers to, else itself.

    One that builds upon others is left out: it needs what they write.
    """
    text = _without_comments(configuration)
    if not re.search(r'"files"\s*:\s*\[\s*\]', text):
        return [] if _REFERS.search(text) else [("types", "tsconfig.json")]
    found = []
    for path in re.findall(r'"path"\s*:\s*"([^"]+)"', text):
        target = package.path / path
        file = target if target.suffix == ".json" else target / "tsconfig.json"
        is_own = file.parent == package.path or not (file.parent / "package.json").is_file()
        if file.is_file() and is_own and not _REFERS.search(_without_comments(file)):
            found.append((f"types-{Path(path).stem}", path))
    return found


def _without_comments(file: Path) -> str:
    return re.sub(r"^\s*//.*$|/\*.*?\*/", "", text_of(file), flags=re.MULTILINE | re.DOTALL)


def _tests(node: NodePackage) -> list[Check]:
    found = []
    for tests in classes_of(node):
        names = [each.format(name=tests.folder) for each in TESTS[tests.phase]]
        own = _tests_of_script(node, tests, names) or _tests_of_configuration(node, tests)
        if not own and tests.alone:  # whatever runs the tests of this package runs these
            own = _tests_of_script(node, tests, ("test",))
        # Without a file that looks like a test, only a run can tell whether there are any.
        found += [check for check in own if tests.files or check.phase is not Phase.CONTRACT]
    return found


def _tests_of_script(node: NodePackage, tests: Tests, names: Sequence[str]) -> list[Check]:
    script, command = _script(node, names)
    if not script:
        return []
    command = unwrapped(command) if command else None
    runner = runner_of(command) if command else None
    if command and runner:
        # A script of its own for integration tests already chooses them.
        own = replace(tests, folder="") if tests.folder else tests
        return runner(node, own, command)
    more = {"parse": read_test_script, "findings_are_failures": False, "weight": 2}
    return [node.script(tests.name, script, tests.phase, Blame.TEST, **more)]


def _tests_of_configuration(node: NodePackage, tests: Tests) -> list[Check]:
    """Runners in the order in which they are preferred; a script for all tests says which one."""
    _name, command = _script(node, ("test",))
    named = runner_of(unwrapped(command)) if command else None
    if command and named:
        return named(node, tests, unwrapped(command))
    if not tests.files:
        return []
    if name := configured(node, tuple(RUNNERS)):
        return RUNNERS[name](node, tests, Command((name,), {}))
    for module, (runner, call) in IMPORTED.items():
        if any(module in (node.package.path / file).read_bytes() for file in tests.files):
            return runner(node, tests, call)
    return []


def _script(node: NodePackage, names: Sequence[str]) -> tuple[str, Command | None]:
    """The first script of `names` that checks this package without changing it, and the one program it calls, if so."""
    for name in names:
        text = node.scripts.get(name, "")
        command = plain(text, node.scripts)
        whole = " ".join(command.words) if command else expanded(text, node.scripts)
        if not text or not is_usable(text) or not is_usable(whole):
            continue
        # What a known tool would change is left out of its call; other scripts that change files are not run.
        if (command and command.tool in TOOLS) or not mutates(whole):
            return name, command
    return "", None


def _known_or_script(
    node: NodePackage, name: str, blame: Blame, script: str, command: Command | None
) -> Check:
    if command and command.tool in TOOLS:
        return direct(node, name, blame, command)
    return node.script(name, script, Phase.CONTRACT, blame, parse=read_script)


LANGUAGE = Language(
    "node", checks, ("package.json",), links=links, lockfiles=tuple(MANAGERS), suffixes=_SOURCES
)
