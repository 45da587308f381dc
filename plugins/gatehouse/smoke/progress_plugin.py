"""Shows where a run of the smoke suite is: below pytest's own output in a terminal, as plain lines in a log."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import pytest

from gatehouse.core import waiting
from gatehouse.run import Run, is_worker
from gatehouse.smoke.awaited import AwaitedByCheck, read_awaited, write_awaited
from gatehouse.smoke.progress import Board
from gatehouse.smoke.status_lines import StatusLines
from gatehouse.terminal import is_watched, write_line

#: Seconds between two looks, in a terminal and for a log.
LIVE_INTERVAL, LOG_INTERVAL = 0.25, 1.0

#: What a worker is given: the folder in which it tells what it awaits.
WORKER_INPUT = "gatehouse_awaited"


def pytest_gatehouse_run(config: pytest.Config, run: Run) -> None:
    """Begin to listen, and on the controller to show."""
    if run.suites != ("smoke",) or run.bundle is None:
        return
    if is_worker(config):
        folder = config.workerinput.get(WORKER_INPUT)  # type: ignore[attr-defined] # set by pytest-xdist
        if folder:
            path = Path(folder) / f"{run.worker}.json"
            config.pluginmanager.register(
                CheckUnderWay(AwaitedByCheck(lambda check, words: write_awaited(path, check, words)))
            )
    elif config.get_verbosity() >= 0:
        config.pluginmanager.register(ProgressDisplay(config), "gatehouse-progress")


class CheckUnderWay:
    """Keeps what a process awaits together with the check that awaits it."""

    def __init__(self, awaited: AwaitedByCheck) -> None:
        self._awaited = awaited
        waiting.listeners.append(awaited)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._awaited.check = nodeid

    def pytest_unconfigure(self) -> None:
        waiting.listeners.remove(self._awaited)


class ProgressDisplay:
    """On the controller: the board, and a thread that shows it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._board = Board()
        self._lock = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="gatehouse-progress-"))
        self._over = threading.Event()
        self._status: StatusLines | None = None
        #: What pytest writes to, by a descriptor that is not captured while checks run.
        self._output: TextIO | None = None
        self._thread: threading.Thread | None = None
        config.pluginmanager.register(CheckUnderWay(AwaitedByCheck(self._awaits)))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[WORKER_INPUT] = str(self._folder)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self._begin([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._begin(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        with self._lock:
            self._board.started(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        with self._lock:
            self._board.reported(report.nodeid, str(report.when), str(report.outcome))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        with self._lock:
            line = self._board.finished(nodeid)
        if line and self._status is None:
            write_line(self._config, f"smoke: {line}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self) -> None:
        self._end()

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- how -----------------------------------------------------------------------------------------

    def _begin(self, ids: Sequence[str]) -> None:
        with self._lock:
            self._board.collected(ids)
        if self._thread is None and not self._config.getoption("collectonly"):
            self._output = self._own_output()
            self._status = self._status_lines()
            self._thread = threading.Thread(target=self._show, name="progress", daemon=True)
            self._thread.start()

    def _own_output(self) -> TextIO | None:
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        try:
            return os.fdopen(os.dup(reporter._tw._file.fileno()), "w", encoding="utf-8", errors="replace")
        except (AttributeError, OSError, ValueError):  # as where pytest runs within another program
            return None

    def _status_lines(self) -> StatusLines | None:
        """What draws below pytest's own lines; nothing where they end in a log, or tests write between them."""
        if self._output is None or not is_watched(self._config) or self._config.getoption("capture") == "no":
            return None
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        status = StatusLines(reporter._tw._file, self._output)
        reporter._tw._file = status
        return status

    def _show(self) -> None:
        while not self._over.wait(LIVE_INTERVAL if self._status else LOG_INTERVAL):
            for check, words in read_awaited(self._folder):
                self._awaits(check, words)
            with self._lock:
                lines = self._board.lines() if self._status else self._board.long_stages()
            if self._status:
                self._status.show(lines)
            else:
                self._log(lines)

    def _log(self, lines: Sequence[str]) -> None:
        """Write lines while a check is under way."""
        if self._output is None or not lines:
            return
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        before = "\n" if reporter._tw.width_of_current_line else ""
        self._output.write(before + "".join(f"smoke: {line}\n" for line in lines))
        self._output.flush()

    def _awaits(self, check: str, words: str) -> None:
        with self._lock:
            self._board.awaits(check, words)

    def _end(self) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()
            self._thread = None
        if self._status:
            self._status.clear()
            reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
            reporter._tw._file = self._status.file
            self._status = None
        if self._output:
            self._output.close()
            self._output = None
