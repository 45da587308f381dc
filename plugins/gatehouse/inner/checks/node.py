"""Node packages: the scripts `lint`, `typecheck` and `test`, the built-in test runner read through TAP."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from typing import Any

import yaml

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.parsing import placed_lines, relative
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase

INSTALL = "install Node.js (https://nodejs.org) and put node and npm on the PATH"

#: npm's script for packages without tests; it exits with 1, which is no failure of the package.
PLACEHOLDER = "no test specified"

#: Options that make a linter change files instead of complaining.
MUTATING = re.compile(r"--(fix|write)\b")

#: Which lockfile means which package manager, and how it installs exactly what the lockfile says.
MANAGERS = {
    "pnpm-lock.yaml": ("pnpm", "pnpm install --frozen-lockfile"),
    "yarn.lock": ("yarn", "yarn install --frozen-lockfile"),
    "package-lock.json": ("npm", "npm ci"),
}

SCRIPTS = (
    ("lint", Phase.CONTRACT, Blame.LINT),
    ("typecheck", Phase.CONTRACT, Blame.COMPILE),
    ("test", Phase.UNIT, Blame.TEST),
)


def checks(package: Package, tools: Tools) -> list[Check]:
    """One check for each script that there is and that only looks."""
    manifest = _manifest(package)
    if isinstance(manifest, str):
        return [_broken(package, manifest)]
    scripts = manifest.get("scripts")
    if not isinstance(scripts, dict):
        return []
    return [
        _script_check(package, tools, manifest, name, str(scripts[name]), phase, blame)
        for name, phase, blame in SCRIPTS
        if name in scripts and PLACEHOLDER not in scripts[name] and not MUTATING.search(scripts[name])
    ]


def _manifest(package: Package) -> dict[str, Any] | str:
    """The manifest, or what is wrong with it."""
    try:
        data = json.loads((package.root / package.manifest).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return str(error)
    return data if isinstance(data, dict) else "expected an object"


def _broken(package: Package, problem: str) -> Check:
    """A check that fails without running anything of the package: its manifest cannot be read."""

    def parse(check: Check, _done: Completed) -> Parsed:
        return Parsed((Finding(check.package.manifest, f"cannot be read: {problem}", rule="package.json"),))

    return Check(package, "node-manifest", Phase.CONTRACT, Blame.SETUP, ("false",), parse)


def _script_check(
    package: Package,
    tools: Tools,
    manifest: dict[str, Any],
    name: str,
    script: str,
    phase: Phase,
    blame: Blame,
) -> Check:
    node = tools.find("node")
    manager, install = _manager(package, tools)
    program = tools.find(manager)
    missing = "" if node else "node"
    how = INSTALL
    dependencies = bool(manifest.get("dependencies") or manifest.get("devDependencies"))
    if (
        node
        and dependencies
        and not tools.beside(
            package,
            "node_modules/.package-lock.json",
            "node_modules/.modules.yaml",
            "node_modules/.yarn-integrity",
        )
    ):
        missing, how = "the package's dependencies", f"run `{install}` in {package.folder or 'the checkout'}"
    if (parts := _test_runner(script)) is not None:
        argv = (node or "node", "--test", "--test-reporter=tap", *parts)
        return Check(package, f"node-{name}", phase, blame, argv, _tap, {}, missing, how)
    if node and not program:
        missing, how = manager, f"install {manager}"
    argv = (program or manager, "run", "--silent", name)
    return Check(package, f"node-{name}", phase, blame, argv, _text, {}, missing, how)


def _test_runner(script: str) -> list[str] | None:
    """What follows `node --test` in a script that is this one command and needs no shell; else None."""
    if re.search(r"[|&;<>()$`*?\[\]{}~#!\n=]", script):
        return None
    try:
        parts = shlex.split(script)
    except ValueError:  # a quote without its other half: the package manager's shell will say so
        return None
    return parts[2:] if parts[:2] == ["node", "--test"] else None


def _manager(package: Package, tools: Tools) -> tuple[str, str]:
    lockfile = tools.beside(package, *MANAGERS)
    return MANAGERS[lockfile.rsplit("/", 1)[-1]] if lockfile else ("npm", "npm install")


def _text(check: Check, done: Completed) -> Parsed:
    return Parsed(placed_lines(check, done.stdout + "\n" + done.stderr))


def _tap(check: Check, done: Completed) -> Parsed:
    """Failing tests in TAP 13: a `not ok` line, and below it a YAML block with place, message and stack."""
    findings = []
    name = ""
    block: list[str] | None = None
    for line in done.stdout.splitlines():
        text = line.strip()
        if match := re.match(r"(not )?ok \d+ - (.*)", text):
            name, block = (match[2] if match[1] else ""), None
        elif name and text == "---":
            block = []
        elif name and text == "..." and block is not None:
            if finding := _finding(check, name, "\n".join(block)):
                findings.append(finding)
            name, block = "", None
        elif block is not None:
            block.append(line)
    counted = re.search(r"^# tests (\d+)", done.stdout, re.MULTILINE)
    return Parsed(tuple(findings), int(counted[1]) if counted else 0)


def _finding(check: Check, name: str, block: str) -> Finding | None:
    """One failing test; None for a file or a describe block, which only fails because of what is inside it."""
    try:
        data = yaml.safe_load(textwrap.dedent(block))
    except yaml.YAMLError:
        data = None
    if not isinstance(data, dict):
        return Finding(check.package.manifest, "failed", rule=name)
    if data.get("failureType") == "subtestsFailed":
        return None
    message = " ".join(str(data.get("error") or "failed").split())
    places = re.findall(r"(/[^\s()]+?):(\d+):(\d+)", f"{data.get('stack', '')} {data.get('location', '')}")
    for path, line, column in places:
        found = relative(check, path)
        if found in check.package.files:
            return Finding(found, message[:300], int(line), int(column), name)
    return Finding(check.package.manifest, message[:300], rule=name)


LANGUAGE = Language(
    "node",
    checks,
    ("package.json",),
    lockfiles=tuple(MANAGERS),
    suffixes=(".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".vue", ".svelte"),
)
