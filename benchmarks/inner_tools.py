"""Tools that the inner suite is measured beside: how each is configured, called and emptied, and what it did."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inner_monorepo import PACKAGES, STEP, commit, name, write
from installed import NotInstallableError, from_npm

TURBO, NX, MOON = {"turbo": "2.11.11"}, {"nx": "24.0.6"}, {"@moonrepo/cli": "2.5.5"}

#: No telemetry, no questions, no colours, and no continuous integration that tools would behave otherwise in.
QUIET = {
    "DO_NOT_TRACK": "1",
    "TURBO_TELEMETRY_DISABLED": "1",
    "NX_NO_CLOUD": "true",
    "NX_TUI": "false",
    "NO_COLOR": "1",
}

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


class WrongWorkError(Exception):
    """A tool did something else than what is measured."""


@dataclass(frozen=True)
class Ran:
    """One call: seconds, exit code, all output, and how many checks it says that it ran and found in its cache."""

    seconds: float
    code: int
    output: str
    executed: int | None = None
    cached: int | None = None


@dataclass
class Tool:
    """A command in the checkout. `patterns` find the numbers of all and of cached checks in its output."""

    name: str
    command: tuple[str, ...]
    cache: tuple[Path, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[str, str] = ("", "")
    before_emptying: tuple[str, ...] = ()

    def run(self, root: Path) -> Ran:
        """Call it once."""
        return self.counted(root, timed(self.command, root, self.environment()))

    def counted(self, _root: Path, ran: Ran) -> Ran:
        """The same with the numbers that it says."""
        total, cached = (re.search(pattern, ran.output) for pattern in self.patterns)
        number = int(cached[1]) if cached else 0
        return Ran(ran.seconds, ran.code, ran.output, int(total[1]) - number if total else None, number)

    def environment(self) -> dict[str, str]:
        """What it is given."""
        kept = {name: value for name, value in os.environ.items() if name != "CI"}
        return {**kept, **QUIET, **self.more}

    def empty(self, root: Path) -> None:
        """Empty its caches, and end what it left running."""
        if self.before_emptying:
            subprocess.run(
                self.before_emptying, cwd=root, env=self.environment(), capture_output=True, check=False
            )
        for folder in self.cache:
            shutil.rmtree(root / folder, ignore_errors=True)


class Gatehouse(Tool):
    """The inner suite, whose plan tells what it did: with an answer that stands, there is none."""

    def counted(self, root: Path, ran: Ran) -> Ran:
        """How many commands it ran. What Gatehouse looks at by itself is none, and looked at always."""
        if "nothing changed since" in ran.output:
            return Ran(ran.seconds, ran.code, ran.output, 0, commands(root))
        actions = actions_of(root)
        return Ran(ran.seconds, ran.code, ran.output, actions.count("run"), actions.count("cached"))


def actions_of(root: Path) -> list[str]:
    """What the last run did about each check that is a command."""
    plan = json.loads((root / "reports" / "latest" / "attachments" / "inner-plan.json").read_text())
    return [check["action"] for check in plan["checks"] if check["command"]]


def commands(root: Path) -> int:
    """How many checks of the last run are commands."""
    return len(actions_of(root))


def timed(command: tuple[str, ...], root: Path, environment: Mapping[str, str]) -> Ran:
    """Call a command; what it prints goes through pipes, as it does to an agent."""
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=1800,
    )
    return Ran(time.monotonic() - began, done.returncode, done.stdout + done.stderr)


def gatehouse_tools(caches: Path) -> list[Tool]:
    """The inner suite by its command and by pytest, and by pytest where no answer stands but each pass is found."""
    python = str(Path(sys.executable))
    ways = {
        "gatehouse inner": (str(Path(python).parent / "gatehouse"), "inner"),
        "pytest -m inner": (str(Path(python).parent / "pytest"), "-m", "inner"),
        "pytest -m inner --gate-explain": (
            str(Path(python).parent / "pytest"),
            "-m",
            "inner",
            "--gate-explain",
        ),
    }
    return [
        Gatehouse(name, command, (caches / str(number),), {"XDG_CACHE_HOME": str(caches / str(number))})
        for number, (name, command) in enumerate(ways.items())
    ]


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


def expect(tool: Tool, ran: Ran, executed: int, cached: int | None) -> None:
    """Raise `WrongWorkError` unless the tool passed, and did what is measured."""
    if ran.code or ran.executed != executed or (cached is not None and ran.cached != cached):
        raise WrongWorkError(
            f"{tool.name}: expected exit code 0, {executed} checks executed and {cached} cached; seen exit code "
            f"{ran.code}, {ran.executed} executed, {ran.cached} cached:\n{ran.output[-1500:]}"
        )
