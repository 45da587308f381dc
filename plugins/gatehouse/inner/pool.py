"""Runs checks as subprocesses, several at a time, phase after phase; a red phase stops the next."""

from __future__ import annotations

import fnmatch
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from gatehouse.core.errors import NotInstalled
from gatehouse.core.processes import Completed, ProcessOwner
from gatehouse.core.redaction import looks_like_secret_name
from gatehouse.core.settings import SilencedCheck
from gatehouse.inner.model import Check, CheckResult, Outcome, Parsed, Phase

#: How a shell ends for a program that it cannot find.
COMMAND_NOT_FOUND = 127

#: Lines of output that are shown when nothing could be read out of it.
TAIL_LINES = 15

#: Variables that would make a check behave otherwise than on another machine, or reach a cluster.
_DROPPED_PREFIXES = ("PYTEST_", "GIT_", "GATEHOUSE_", "npm_", "KUBERNETES_", "CODER_", "ARGOCD_")

#: What every tool is told: no colours, no questions, no network where it can be told so, caches elsewhere.
_SETTINGS = {
    "CI": "1",
    "NO_COLOR": "1",
    "FORCE_COLOR": "0",
    "TERM": "dumb",
    "LC_ALL": "C.UTF-8",
    "KUBECONFIG": os.devnull,
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
    "PIP_NO_INDEX": "1",
}


def check_environment(base: Mapping[str, str], cache: Path) -> dict[str, str]:
    """The environment of a check: without secrets and cluster access, with caches outside of the checkout."""
    kept = {
        name: value
        for name, value in base.items()
        if not name.startswith(_DROPPED_PREFIXES) and not looks_like_secret_name(name)
    }
    return {
        **kept,
        **_SETTINGS,
        "PYTHONPYCACHEPREFIX": str(cache / "pycache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class CheckPool:
    """Runs checks and hands out their results as they are asked for."""

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        silenced: Iterable[SilencedCheck],
        timeout: float,
        workers: int,
        environment: Mapping[str, str],
        logs: Path | None,
    ) -> None:
        """`timeout` is seconds a check; `logs` is a folder for each check's whole output."""
        self._checks = list(checks)
        self._silenced = list(silenced)
        self._timeout = timeout
        self._environment = environment
        self._logs = logs
        self._owner = ProcessOwner()
        self._futures: dict[str, Future[CheckResult]] = {check.id: Future() for check in self._checks}
        self._executor = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="check")
        self._stopping = threading.Event()
        self._runner = threading.Thread(target=self._run_phases, daemon=True)

    def start(self) -> None:
        """Start running."""
        self._runner.start()

    def result(self, check: Check) -> CheckResult:
        """The result of a check, once there is one."""
        return self._futures[check.id].result()

    def stop(self) -> None:
        """End everything that still runs."""
        self._stopping.set()
        self._owner.stop_all()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run_phases(self) -> None:
        red: Phase | None = None
        for phase in Phase:
            checks = [check for check in self._checks if check.phase is phase]
            if red is not None:
                for check in checks:
                    reason = f"not run: the {red} phase is red"
                    self._futures[check.id].set_result(CheckResult(check, Outcome.STOPPED, reason))
                continue
            for check, running in [(check, self._executor.submit(self._run, check)) for check in checks]:
                result = running.result()
                self._futures[check.id].set_result(result)
                if result.outcome.red:
                    red = phase

    def _run(self, check: Check) -> CheckResult:
        for entry in self._silenced:
            if fnmatch.fnmatchcase(check.id, entry.check) or fnmatch.fnmatchcase(check.name, entry.check):
                return CheckResult(check, Outcome.SILENCED, entry.reason)
        if check.missing:
            return CheckResult(check, Outcome.NOT_INSTALLED, f"{check.missing} is not installed")
        if check.look is not None:
            findings = check.look().findings
            return CheckResult(check, Outcome.FAILED if findings else Outcome.PASSED, findings=findings)
        log = self._logs / f"{check.id.replace('/', '_').replace('::', '--')}.log" if self._logs else None
        try:
            done = self._owner.run(
                check.argv,
                timeout=self._timeout,
                cwd=check.package.path,
                env={**self._environment, **check.env},
                log=log,
            )
        except NotInstalled as error:
            return CheckResult(check, Outcome.NOT_INSTALLED, error.summary)
        except OSError as error:
            return CheckResult(check, Outcome.FAILED, f"could not be run: {error}")
        return judge(check, done, self._timeout)


def judge(check: Check, done: Completed, timeout: float) -> CheckResult:
    """What a finished command means. Its exit code outranks everything that was read out of its output."""
    try:
        parsed, unread = check.parse(check, done), ""
    except Exception as error:  # noqa: BLE001 - a parser of ours that trips must not turn red into green, or hang
        parsed, unread = Parsed(), f"its output could not be read: {type(error).__name__}: {error}"
    output = "\n".join(
        [line for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()][-TAIL_LINES:]
    )

    def failed(reason: str = "") -> CheckResult:
        return CheckResult(check, Outcome.FAILED, reason, parsed.findings, output, done)

    if done.timed_out:
        return failed(f"did not end within {timeout:.0f} s and was ended")
    if done.exit_code in check.nothing_selected:
        return failed("no test was selected, although there are test files")
    if unread:
        return failed(unread)
    if parsed.missing:
        return CheckResult(check, Outcome.NOT_INSTALLED, f"{parsed.missing} is not installed", output=output)
    if done.exit_code == COMMAND_NOT_FOUND and not parsed.findings:
        last = output.splitlines()[-1] if output else "command not found"
        return CheckResult(check, Outcome.NOT_INSTALLED, last, output=output, completed=done)
    if done.exit_code != 0:
        return failed("" if parsed.findings else f"exit code {done.exit_code}")
    if check.findings_are_failures and parsed.findings:
        return failed()
    if parsed.executed == 0:
        return failed("exit code 0, but no test ran")
    if done.left_behind:
        return failed(f"left processes behind, which were ended: {', '.join(done.left_behind)[:200]}")
    return CheckResult(check, Outcome.PASSED, completed=done)
