"""What tests add to the evidence, and what their processes put onto their reports."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from gatehouse.core.errors import GatehouseError
from gatehouse.core.signals import wake_main_thread_on_signals
from gatehouse.evidence import allure
from gatehouse.evidence.masked_reports import mask_report
from gatehouse.evidence.recorder import RECORDER, Recorder, failure_data
from gatehouse.run import Run, current_run

EVENTS = pytest.StashKey[list[dict[str, Any]]]()

# --- in the process that runs the tests --------------------------------------------------------------


class Evidence:
    """What a test can add to the evidence; the fixture `evidence`."""

    def __init__(self, run: Run, item: pytest.Item) -> None:
        self._run = run
        self._item = item

    @property
    def run_id(self) -> str:
        """The id of the run, which begins with its time (UTC): `20261121T170052Z-399d94`."""
        assert self._run.bundle, "a run of a suite has a bundle"
        return self._run.bundle.run_id

    def attach(
        self, name: str, content: str | bytes | dict[str, Any] | list[Any], media_type: str = "text/plain"
    ) -> Path:
        """Write a file into the bundle's attachments; returns its path.

        Mappings and lists are written as JSON. Bytes are masked when the run ends, as far as they can be.
        """
        if isinstance(content, dict | list):
            content, media_type = (
                json.dumps(self._run.redactor.data(content), indent=1, default=str),
                "application/json",
            )
        name = self._run.redactor.text(name)
        data = (
            content
            if isinstance(content, bytes)
            else self._run.redactor.text(content).encode(errors="replace")
        )
        stem = hashlib.sha256(self._item.nodeid.encode()).hexdigest()[:10]
        path = _unused(self._run.attachments() / f"{self._run.worker}-{stem}-{_file_name(name)}")
        path.write_bytes(data)
        assert self._run.bundle
        relative = path.relative_to(self._run.bundle.folder).as_posix()
        self.event("attachment", name=name, path=relative, media_type=media_type)
        allure.attach(data, name, media_type)
        return path

    def event(self, event: str, **data: Any) -> None:
        """Add an event about this test to the run record; what JSON has no word for is written as text."""
        self._item.stash.setdefault(EVENTS, []).append({"event": event, "test": self._item.nodeid, **data})


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """Adds files and events about the requesting test to the run's evidence."""
    from gatehouse.run import required_run

    return Evidence(required_run(request.config), request.node)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Mark the test's Allure result with its id, by which it is found again at the end."""
    if current_run(item.config) is not None:
        allure.label(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put onto each report what only this process knows: the class of a failure, and added events."""
    report = yield
    run = current_run(item.config)
    if run is None:
        return report
    if report.failed and call.excinfo is not None:
        error = call.excinfo.value
        if report.when == "setup" and isinstance(error, GatehouseError) and _short(item.config):
            report.longrepr = f"{error.summary} (as above)" if error.shown_before else str(error)
    mask_report(report, run.redactor)
    if report.failed and call.excinfo is not None:
        failure = failure_data(call.excinfo.value, report.longreprtext)
        report.gatehouse_failure = run.redactor.data(failure)  # type: ignore[attr-defined] # extra attributes travel to the controller
    if events := item.stash.get(EVENTS, []):
        report.gatehouse_events = run.redactor.data(_plain(events))  # type: ignore[attr-defined] # as above
        events.clear()
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Mask why a file cannot be collected."""
    report = yield
    if report.failed and (run := current_run(collector.config)):
        mask_report(report, run.redactor)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave out the frames that were interrupted between two lines, by which pytest would fail to show the rest.

    Python has no line number for instructions of its own making, and pytest counts on one.
    """
    excinfo.traceback = excinfo.traceback.filter(_has_a_line)


def _has_a_line(entry: Any) -> bool:
    try:
        return bool(entry.lineno >= 0)
    except TypeError:
        return False


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the secrets that a worker has learned on to the controller; they are kept nowhere."""
    run = current_run(session.config)
    if run and not run.controller:
        session.config.workeroutput["gatehouse_secrets"] = sorted(run.redactor.secrets)  # type: ignore[attr-defined] # set by pytest-xdist


def _plain(events: list[dict[str, Any]]) -> Any:
    """Events as JSON knows them, and nothing else: pytest-xdist sends no enumerations, times or paths."""
    return json.loads(json.dumps(events, default=str))


def _short(config: pytest.Config) -> bool:
    """Whether what a set-up says stands by itself; who asks for tracebacks (--tb) gets them."""
    return bool(config.getoption("tbstyle", "auto") == "auto")


def _unused(path: Path) -> Path:
    """The path, or one like it where an earlier attempt of the test has used it."""
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.stem.removesuffix(f'-{number - 1}')}-{number}{path.suffix}")
    return path


def _file_name(name: str) -> str:
    return "".join(each if each.isalnum() or each in "._-" else "-" for each in name)[:80]


# --- loading -----------------------------------------------------------------------------------------


def pytest_gatehouse_run(config: pytest.Config, run: Run) -> None:
    """Send Allure's and Playwright's files into the bundle, and start recording on the controller."""
    if run.bundle is None:
        return
    folder = run.bundle.folder
    if config.pluginmanager.hasplugin("allure_pytest") and not config.getoption("allure_report_dir", None):
        config.option.allure_report_dir = str(folder / "allure-results")
    if config.pluginmanager.hasplugin("playwright"):
        # Each process empties its own folder at start, so no two may share one.
        config.option.output = str(folder / "playwright" / run.worker)
    wake_main_thread_on_signals()
    if not run.controller and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # pytest-xdist ends its workers by this signal, and a shell's background jobs are born ignoring it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if run.controller:
        recorder = Recorder(config, run)
        config.stash[RECORDER] = recorder
        config.pluginmanager.register(recorder, "gatehouse-recorder")
        recorder.start()
