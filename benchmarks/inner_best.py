"""The best possible: the same commands with nothing around them, and what no scheduler can be faster than."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gatehouse.core.checkout import Checkout
from gatehouse.core.settings import find_settings_file, load_settings
from gatehouse.inner.inner_run import Before


@dataclass(frozen=True)
class Command:
    """A program with its folder and its environment."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds until its end, and seconds of processors."""

    wall: float
    processors: float
    code: int


def commands_of(root: Path, cache: Path) -> list[Command]:
    """The commands that the inner suite would run in a checkout as it is, with an empty folder for caches."""
    settings = load_settings(find_settings_file(root)).inner
    plan = Before.look(Checkout.find(root), None).plan(settings, cache, more_checks=[], everything=False)
    checks = [each.check for each in plan.decisions if each.action == "run" and each.check.argv]
    return [Command(check.argv, check.package.path, {**plan.environment, **check.env}) for check in checks]


def scripts(folders: Iterable[Path]) -> list[Command]:
    """The scripts of packages of a generated monorepo, without npm and without a report."""
    lines = (("node", "lint.mjs"), ("node", "--test", "test/"))
    return [Command(argv, folder, os.environ) for folder in folders for argv in lines]


class Pool:
    """Runs commands by as many processes as there are processors, those first that took longest the last time."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._commands = list(commands)
        self.costs: list[Cost] = []

    def run(self) -> float:
        """Seconds for all; `costs` has those of each from then on."""
        if self.costs:
            order = sorted(range(len(self._commands)), key=lambda each: -self.costs[each].wall)
            self._commands = [self._commands[each] for each in order]
        began = time.monotonic()
        with ThreadPoolExecutor(os.cpu_count() or 1) as executor:
            self.costs = list(executor.map(cost_of, self._commands))
        return time.monotonic() - began

    @property
    def bound(self) -> float:
        """Seconds that no order can go below: the longest command, or the work of all by all processors."""
        work = sum(cost.processors for cost in self.costs) / (os.cpu_count() or 1)
        return max(max((cost.wall for cost in self.costs), default=0.0), work)

    @property
    def failed(self) -> int:
        """How many commands ended with another exit code than 0."""
        return sum(cost.code != 0 for cost in self.costs)


def cost_of(command: Command) -> Cost:
    """Run a command, and take from the system what it cost with all of its children."""
    began = time.monotonic()
    process = subprocess.Popen(
        command.argv,
        cwd=command.folder,
        env=command.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(time.monotonic() - began, usage.ru_utime + usage.ru_stime, process.returncode)
