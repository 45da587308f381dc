"""Runs checks as subprocesses, several at a time, phase after phase; a red phase stops the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from gatehouse.core.errors import NotInstalled
from gatehouse.core.launcher import OfflineLauncher
from gatehouse.core.processes import ProcessOwner
from gatehouse.inner.judge import judge, judge_look
from gatehouse.inner.model import Check, CheckResult, Outcome, Phase
from gatehouse.inner.plan import Action, Decision
from gatehouse.inner.schedule import next_to_start, slowest_first

#: Bytes of a stream that are kept in memory, of its beginning and of its end: reports of some runners come that way.
CAPTURE_BYTES = 8 << 20

ENDED = "not run: the run was ended"


class CheckPool:
    """Does what was decided about each check, and hands out the results as they are asked for."""

    def __init__(
        self,
        decisions: Sequence[Decision],
        *,
        timeout: float,
        workers: int,
        environment: Mapping[str, str],
        logs: Path | None,
        seconds: Mapping[str, float] | None = None,
        launcher: OfflineLauncher | None = None,
    ) -> None:
        """`timeout` is seconds a check; `logs` is a folder for each check's whole output.

        `seconds` is how long checks took the last time, by id: the slowest start first. `launcher` starts them without
        network, where it can, and is closed at the end.
        """
        self._decisions = {each.check.id: each for each in decisions}
        self._timeout = timeout
        self._workers = workers
        self._environment = environment
        self._logs = logs
        self._seconds = seconds or {}
        self._launcher = launcher
        self._owner = ProcessOwner(launcher)
        self._futures: dict[str, Future[CheckResult]] = {each: Future() for each in self._decisions}
        self._changed = threading.Condition()
        self._running: dict[str, Check] = {}
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._runner = threading.Thread(target=self._run_phases, daemon=True)

    def start(self) -> None:
        """Start running."""
        self._runner.start()

    def result(self, check: Check) -> CheckResult:
        """The result of a check, once there is one."""
        return self._futures[check.id].result()

    def results(self) -> list[CheckResult]:
        """The results there are so far."""
        return [future.result() for future in self._futures.values() if future.done()]

    def stop(self) -> None:
        """End everything that still runs."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        while any(each.is_alive() for each in [self._runner, *self._threads]):
            self._owner.stop_all()  # again: a check may just have been about to start its program
            for thread in [self._runner, *self._threads]:
                thread.join(timeout=0.05)
        self._owner.stop_all()
        if self._launcher:
            self._launcher.close()

    def _run_phases(self) -> None:
        red: Phase | None = None
        for phase in Phase:
            decisions = [each for each in self._decisions.values() if each.check.phase is phase]
            to_run = []
            for decision in decisions:
                if decision.action is not Action.RUN:
                    self._settle(_without_running(decision))
                elif red is not None:
                    reason = f"not run: the {red} phase is red"
                    self._settle(CheckResult(decision.check, Outcome.STOPPED, reason))
                else:
                    to_run.append(decision.check)
            self._run_all(to_run)
            if any(self._futures[each.check.id].result().outcome.red for each in decisions):
                red = red or phase

    def _run_all(self, checks: Sequence[Check]) -> None:
        """Run the checks of a phase, as many at a time as there is room for; returns when all have ended."""
        waiting = slowest_first(checks, self._seconds)
        with self._changed:
            while waiting or self._running:
                if self._stopping:
                    for each in waiting:
                        self._settle(CheckResult(each, Outcome.STOPPED, ENDED))
                    waiting = []
                check = next_to_start(waiting, self._running.values(), self._workers)
                if check is not None:
                    waiting.remove(check)
                    self._start(check)
                elif self._running:
                    self._changed.wait()

    def _start(self, check: Check) -> None:
        self._running[check.id] = check
        thread = threading.Thread(target=self._run_one, args=(check,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run_one(self, check: Check) -> None:
        began = time.time()
        try:
            if self._stopping:
                result = CheckResult(check, Outcome.STOPPED, ENDED)
            else:
                result = replace(self._run(check), began=began)
        except Exception as error:  # noqa: BLE001 - whatever trips here must end as a red check, not as a hang
            result = CheckResult(check, Outcome.FAILED, f"could not be run: {type(error).__name__}: {error}")
        self._settle(result)
        with self._changed:
            del self._running[check.id]
            self._changed.notify_all()

    def _settle(self, result: CheckResult) -> None:
        self._futures[result.check.id].set_result(result)

    def _run(self, check: Check) -> CheckResult:
        if check.look is not None:
            return judge_look(check, check.look())
        log = (
            self._logs / f"{check.id.replace('/', '_').replace('::', '--')[-200:]}.log"
            if self._logs
            else None
        )
        try:
            done = self._owner.run(
                check.argv,
                timeout=self._timeout,
                cwd=check.package.path,
                env={**self._environment, **check.env},
                log=log,
                capture_bytes=CAPTURE_BYTES,
            )
        except NotInstalled as error:
            return CheckResult(check, Outcome.NOT_INSTALLED, error.summary)
        return judge(check, done, self._timeout)


def _without_running(decision: Decision) -> CheckResult:
    match decision.action:
        case Action.CACHED:
            tests = decision.found.tests if decision.found else ()
            return CheckResult(decision.check, Outcome.CACHED, decision.reason, tests=tests)
        case Action.UNAFFECTED:
            return CheckResult(decision.check, Outcome.UNAFFECTED, decision.reason)
        case Action.SILENCED:
            return CheckResult(decision.check, Outcome.SILENCED, decision.reason)
        case _:
            return CheckResult(decision.check, Outcome.NOT_INSTALLED, decision.reason)
