"""Where a run of the suite is: which checks run, for how long, what each awaits, how many are left. No terminal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gatehouse.smoke.subsystems import subsystem_of

#: Seconds after which a plain line tells what is awaited, and between two such lines about the same check.
LONG_STAGE = 20.0
SILENCE_LIMIT = 60.0


@dataclass
class Running:
    """A check under way; times are readings of the clock, in seconds."""

    id: str
    since: float
    awaited: str = ""
    awaited_since: float = 0.0
    told_at: float | None = None
    told: str = ""


@dataclass
class _Subsystem:
    left: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    began: float | None = None


class Board:
    """The state of a run, changed by what pytest tells; `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._subsystems: dict[str, _Subsystem] = {}
        self._outcomes: dict[str, str] = {}
        self._running: dict[str, Running] = {}

    def collected(self, ids: Iterable[str]) -> None:
        """These checks will be run. Said again, as each worker does, it changes nothing."""
        if not self._subsystems:
            for each in ids:
                self._subsystems.setdefault(subsystem_of(each), _Subsystem()).left += 1

    def started(self, test: str) -> None:
        """A check has begun."""
        now = self._monotonic()
        self._running[test] = Running(test, now)
        subsystem = self._subsystems.setdefault(subsystem_of(test), _Subsystem(left=1))
        subsystem.began = now if subsystem.began is None else subsystem.began

    def reported(self, test: str, phase: str, outcome: str) -> None:
        """A phase of a check has ended: passed, failed or skipped. The worst of them is the check's."""
        if phase == "call" or outcome != "passed":
            known = self._outcomes.get(test, "")
            self._outcomes[test] = known if known == "failed" else outcome

    def finished(self, test: str) -> str:
        """A check has ended; a line about its subsystem if that was the last one of it, else nothing."""
        self._running.pop(test, None)
        name = subsystem_of(test)
        subsystem = self._subsystems[name]
        subsystem.counts[self._outcomes.get(test, "passed")] += 1
        subsystem.left -= 1
        if subsystem.left:
            return ""
        seconds = self._monotonic() - (subsystem.began or 0.0)
        return f"{name}: {_counted(subsystem.counts)} ({seconds:.1f} s)"

    def awaits(self, test: str, words: str) -> None:
        """What a check awaits now; no words when it awaits nothing."""
        running = self._running.get(test)
        if running and running.awaited != words:
            running.awaited, running.awaited_since = words, self._monotonic()

    @property
    def done(self) -> int:
        """How many checks have ended."""
        return sum(each.counts.total() for each in self._subsystems.values())

    @property
    def total(self) -> int:
        """How many there are."""
        return self.done + sum(each.left for each in self._subsystems.values())

    def lines(self) -> list[str]:
        """The state as it is drawn over and over: what is done, and each check under way with what it awaits."""
        if not self._subsystems:
            return []
        now = self._monotonic()
        red = sum(each.counts["failed"] for each in self._subsystems.values())
        text = [f"{self.done} of {self.total} checks done" + (f", {red} red" if red else "")]
        for running in self._running.values():
            text.append(f"{now - running.since:4.0f} s  {title(running.id)}")
            if running.awaited:
                text.append(f"{now - running.awaited_since:4.0f} s    awaited: {running.awaited}")
        return text

    def long_stages(self) -> list[str]:
        """Lines for a log about what is awaited for long: said once, and again when long nothing was said of it."""
        now = self._monotonic()
        text = []
        for running in self._running.values():
            waited = now - running.awaited_since
            if not running.awaited or waited < LONG_STAGE:
                continue
            silent = now - running.told_at if running.told_at is not None else SILENCE_LIMIT
            if running.awaited != running.told or silent >= SILENCE_LIMIT:
                running.told, running.told_at = running.awaited, now
                text.append(f"{subsystem_of(running.id)}: awaited for {waited:.0f} s: {running.awaited}")
        return text


def title(test: str) -> str:
    """The id of a check as people read it: `workspace: it becomes ready`."""
    name = test.rpartition("::")[2].removeprefix("test_")
    function, bracket, parameters = name.partition("[")
    return f"{subsystem_of(test)}: {function.replace('_', ' ')}{f' {bracket}{parameters}' if bracket else ''}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[each]} {each}" for each in ("passed", "failed", "skipped") if counts[each])
