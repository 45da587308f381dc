"""Programs that check the generated monorepo: called, emptied, and asked what they did; and Gatehouse's own ways."""

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

#: No telemetry, no questions, no colours, and no continuous integration that tools would behave otherwise in.
QUIET = {
    "DO_NOT_TRACK": "1",
    "TURBO_TELEMETRY_DISABLED": "1",
    "NX_NO_CLOUD": "true",
    "NX_TUI": "false",
    "NO_COLOR": "1",
}


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
        """The same with the numbers that it says, if it says any."""
        if not all(self.patterns):
            return ran
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


def expect(tool: Tool, ran: Ran, executed: int, cached: int | None) -> None:
    """Raise `WrongWorkError` unless the tool passed, and did what is measured."""
    if ran.code or ran.executed != executed or (cached is not None and ran.cached != cached):
        raise WrongWorkError(
            f"{tool.name}: expected exit code 0, {executed} checks executed and {cached} cached; seen exit code "
            f"{ran.code}, {ran.executed} executed, {ran.cached} cached:\n{ran.output[-1500:]}"
        )
