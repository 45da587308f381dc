"""turbo, nx and moon: how each is installed and configured for the generated monorepo, and what it says it did."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from inner_monorepo import PACKAGES, STEP, commit, name, write
from inner_tools import Tool
from installed import NotInstallableError, from_npm

TURBO, NX, MOON = {"turbo": "2.11.11"}, {"nx": "24.0.6"}, {"@moonrepo/cli": "2.5.5"}

#: A change of a package concerns those that need it, also over others; of turbo's ways it is the one without waiting.
TURBO_JSON = {
    "tasks": {
        "transit": {"dependsOn": ["^transit"]},
        "lint": {"dependsOn": ["transit"], "outputs": []},
        "test": {"dependsOn": ["transit"], "outputs": []},
    }
}
NX_TARGET = {"cache": True, "inputs": ["default", "^default"]}
NX_JSON = {
    "analytics": False,
    "neverConnectToCloud": True,
    "targetDefaults": {"lint": NX_TARGET, "test": NX_TARGET},
}
MOON_WORKSPACE = "projects: ['packages/*']\ntelemetry: false\nvcs: {client: git, defaultBranch: main}\n"
MOON_TASKS = """
tasks:
  lint: {command: node lint.mjs, inputs: ['**/*']}
  test: {command: node --test test/, inputs: ['**/*']}
"""


def configure_others(root: Path) -> list[Tool]:
    """turbo, nx and moon, as far as they can be installed; what they need is written and committed."""
    tools: list[Tool] = []
    for configure in (_turbo, _nx, _moon):
        try:
            tools += configure(root)
        except NotInstallableError as error:
            print(f"left out: {configure.__name__[1:]}: {error}", file=sys.stderr)
    if tools:
        commit(root)
    return tools


def _turbo(root: Path) -> list[Tool]:
    program = _program(from_npm(TURBO), "@turbo/*/bin/turbo")
    write(root / "turbo.json", json.dumps(TURBO_JSON, indent=1))
    return [
        Tool(
            "turbo",
            (program, "run", "lint", "test"),
            (Path(".turbo"), Path("node_modules/.cache/turbo")),
            patterns=(r"Tasks: +\d+ successful, (\d+) total", r"Cached: +(\d+) cached"),
        )
    ]


def _nx(root: Path) -> list[Tool]:
    modules = from_npm(NX)
    write(root / "nx.json", json.dumps(NX_JSON, indent=1))
    for entry in ("nx", "@nx"):  # nx wants to be installed in the workspace
        (root / "node_modules" / entry).symlink_to(modules / entry)
    program = str(modules / ".bin" / "nx")
    found = []
    for way, daemon in (("nx, its daemon", "true"), ("nx, NX_DAEMON=false", "false")):
        cache = Path(f".nx/{daemon}")
        more = {
            "NX_DAEMON": daemon,
            "NX_CACHE_DIRECTORY": str(root / cache / "cache"),
            "NX_WORKSPACE_DATA_DIRECTORY": str(root / cache / "data"),
        }
        patterns = (r"Output of (\d+) successful", r"command for (\d+) out of \d+ tasks")
        stop = (program, "daemon", "--stop") if daemon == "true" else ()
        found.append(Tool(way, (program, "run-many", "-t", "lint", "test"), (cache,), more, patterns, stop))
    return found


def _moon(root: Path) -> list[Tool]:
    program = _program(from_npm(MOON), "@moonrepo/core-*/moon")
    write(root / ".moon" / "workspace.yml", MOON_WORKSPACE)
    write(root / ".moon" / "tasks" / "all.yml", MOON_TASKS)
    for number in range(PACKAGES):
        write(
            root / "packages" / name(number) / "moon.yml", json.dumps(_moon_project(number))
        )  # JSON is YAML
    patterns = (r"Tasks: (\d+) completed", r"Tasks: \d+ completed \((\d+) cached")
    return [Tool("moon", (program, "run", ":lint", ":test"), (Path(".moon/cache"),), patterns=patterns)]


def _moon_project(number: int) -> dict[str, object]:
    """A package. To moon a change concerns the next packages at most, so all that it needs are named as its inputs."""
    needs = [name(each) for each in range(number - STEP, -1, -STEP)]
    task = {"inputs": [{"project": each} for each in needs]}
    return {"language": "javascript", "dependsOn": needs, "tasks": {"lint": task, "test": task}}


def _program(modules: Path, pattern: str) -> str:
    """The program itself: the script that npm puts before it starts a Node.js of its own each time."""
    found = sorted(modules.glob(pattern))
    if not found:
        raise NotInstallableError(f"no {pattern} in {modules}: there is none for this machine")
    return str(found[0])
