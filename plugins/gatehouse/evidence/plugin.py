"""Keeps the run record, and closes the bundle when the session ends."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from gatehouse.core.errors import FailureClass, GatehouseError
from gatehouse.core.signals import wake_main_thread_on_signals
from gatehouse.evidence import allure
from gatehouse.evidence.digest import Digest, flaky_notes, make_digest, skip_notes
from gatehouse.evidence.junit import render_junit, write_junit
from gatehouse.evidence.manifest import write_manifest
from gatehouse.evidence.masked_reports import mask_report
from gatehouse.evidence.record import FILE_NAME, RunRecord, last_words, read_record, shortened
from gatehouse.evidence.redacted_files import Redaction, leaking_files, redact_files
from gatehouse.evidence.results import RunResults, honest_exit_status, read_results
from gatehouse.evidence.toolchain import toolchain
from gatehouse.evidence.withheld import refusal, secret_in
from gatehouse.run import Run, current_run

RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()
EVENTS = pytest.StashKey[list[dict[str, Any]]]()

#: pytest's exit code for an error that is not the tests'.
INTERNAL_ERROR = 3

#: Said of a run against the embedded platform, whatever the target is called.
EMBEDDED_NOTE = " (the embedded platform: it proves the harness, not your platform)"

#: Characters of captured output kept for a failed phase.
OUTPUT_LIMIT = 16 * 1024


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
        path = self._run.attachments() / f"{self._run.worker}-{stem}-{_file_name(name)}"
        path.write_bytes(data)
        assert self._run.bundle
        relative = path.relative_to(self._run.bundle.folder).as_posix()
        self.event("attachment", name=name, path=relative, media_type=media_type)
        allure.attach(data, name, media_type)
        return path

    def event(self, event: str, **data: Any) -> None:
        """Add an event about this test to the run record."""
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
        report.gatehouse_events = run.redactor.data(events)  # type: ignore[attr-defined] # as above
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the secrets that a worker has learned on to the controller; they are kept nowhere."""
    run = current_run(session.config)
    if run and not run.controller:
        session.config.workeroutput["gatehouse_secrets"] = sorted(run.redactor.secrets)  # type: ignore[attr-defined] # set by pytest-xdist


def _short(config: pytest.Config) -> bool:
    """Whether what a set-up says stands by itself; who asks for tracebacks (--tb) gets them."""
    return bool(config.getoption("tbstyle", "auto") == "auto")


def failure_data(error: BaseException, text: str) -> dict[str, str]:
    """What a record keeps of an exception. Assertions are failures of the product, others of what it runs on."""
    if isinstance(error, GatehouseError):
        return {
            "class": str(error.failure_class),
            "type": type(error).__name__,
            "summary": error.summary,
            "details": "\n".join(error.details),
            "next": error.next_step,
            "text": shortened(text),
        }
    of_the_product = isinstance(error, AssertionError | pytest.fail.Exception | BaseExceptionGroup)
    failure_class = FailureClass.PRODUCT if of_the_product else FailureClass.INFRASTRUCTURE
    summary, _, details = (str(error).strip() or type(error).__name__).partition("\n")
    if awaited := re.search(r"^\s*-? ?waiting for (.+)$", details, re.MULTILINE):
        summary = f"{summary.rstrip('.')}: {awaited[1]}"  # Playwright says what only in its call log
    return {
        "class": str(failure_class),
        "type": type(error).__name__,
        "summary": summary if of_the_product else f"{type(error).__name__}: {summary}",
        "details": shortened(details, OUTPUT_LIMIT),
        "text": shortened(text),
    }


# --- on the controller -------------------------------------------------------------------------------


class Recorder:
    """Listens to pytest on the controller and writes the record; closes the bundle at the end."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        assert run.bundle
        self.run = run
        self.folder = run.bundle.folder
        self._config = config
        self._record = RunRecord(self.folder / FILE_NAME, run.redactor)
        self._attempts: Counter[str] = Counter()
        self._inventory: list[dict[str, Any]] | None = None
        self._previous_handler: Any = None
        self.started = datetime.now(UTC)
        self.digest: Digest | None = None
        #: Why the evidence can no longer be written; nothing more is tried then.
        self._lost = ""
        #: What the digest's last line starts with; the inner suite has its own.
        self.command: list[str] = ["pytest", "-m", " or ".join(run.suites)]
        self.notes: list[str] = []

    # --- what is written ---

    def event(self, event: str, **data: Any) -> None:
        """Append an event to the record."""
        if self._lost:
            return
        try:
            self._record.append(event, **data)
        except OSError as error:
            self._lose(error)
            pytest.exit(f"the evidence can no longer be written: {error.strerror}", returncode=INTERNAL_ERROR)

    def _lose(self, error: OSError) -> None:
        """Note that the evidence is incomplete for good: there will be no manifest, and so no open gate."""
        self._lost = (
            f"the evidence in {_shown(self.folder)} can no longer be written: {error.strerror or error}\n"
            "  next: free space there, or name another folder with --gate-evidence, and run the suite again"
        )

    def problem(self, error: BaseException) -> None:
        """Record a failure of the run as a whole."""
        self.event("problem", failure=failure_data(error, str(error)))

    def start(self) -> None:
        """Write who runs what, and take over SIGTERM."""
        run = self.run
        self.event(
            "run_started",
            schema=1,
            run_id=run.bundle.run_id if run.bundle else "",
            suites=list(run.suites),
            subject=subject(run),
            target={"name": run.target_name, "embedded": run.embedded},
            arguments=list(self._config.invocation_params.args),
            toolchain=toolchain(),
        )
        self._previous_handler = signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        # As Ctrl-C: pytest then tears down, reports and exits with 2 (pytest issues 5243 and 9142).
        self.event("interrupted", by="SIGTERM")
        raise KeyboardInterrupt

    def add_inventory(self, items: Sequence[dict[str, Any]]) -> None:
        """Write down what was collected, once."""
        if self._inventory is None:
            self._inventory = list(items)
            self.event("collected", items=self._inventory)

    # --- pytest's hooks ---

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items or not self._distributed():
            self.add_inventory([_described(item) for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        suite = self.run.suites[0] if len(self.run.suites) == 1 else ""
        self.add_inventory([{"id": each, "suite": suite, "file": each.split("::")[0]} for each in ids])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for secret in getattr(node, "workeroutput", {}).get("gatehouse_secrets", ()):
            self.run.redactor.add(secret)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            text = report.longreprtext
            summary = f"{report.nodeid or 'the suite'} cannot be collected: {last_words(text)}"
            failure = getattr(report, "gatehouse_failure", None) or {
                "class": "infrastructure",
                "type": "CollectError",
                "summary": summary,
                "text": shortened(text),
            }
            self.event("collection_error", failure={**failure, "where": report.nodeid})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        node = report.nodeid
        if report.when == "setup":
            self._attempts[node] += 1
        crashed = str(report.when) == "???"
        subtest = type(report).__name__ == "SubtestReport"
        if subtest and not report.failed:
            return
        phase = "crash" if crashed else "subtest" if subtest else report.when
        event: dict[str, Any] = {
            "test": node,
            "attempt": max(self._attempts[node], 1),
            "phase": phase,
            "outcome": "failed" if str(report.outcome) == "rerun" else report.outcome,
            "seconds": round(report.duration or 0.0, 4),
        }
        worker = getattr(report, "node", None)
        if worker is not None:
            event["worker"] = worker.gateway.id
        if hasattr(report, "wasxfail"):
            event |= {"xfail": True, "reason": str(report.wasxfail)}
        elif report.skipped:
            event["reason"] = (
                report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            )
        if event["outcome"] == "failed":
            event["failure"] = self._failure(report, crashed)
            event["output"] = {
                name: shortened(text, OUTPUT_LIMIT)
                for name, text in (("stdout", report.capstdout), ("stderr", report.capstderr))
                if text
            }
        if report.user_properties:
            event["properties"] = {str(key): str(value) for key, value in report.user_properties}
        self.event("phase", **event)
        for extra in getattr(report, "gatehouse_events", ()):
            self.event(**extra)

    @staticmethod
    def _failure(report: pytest.TestReport, crashed: bool) -> dict[str, str]:
        if known := getattr(report, "gatehouse_failure", None):
            return dict(known)
        text = report.longreprtext
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return {
            "class": "infrastructure" if crashed else "product",
            "type": "WorkerCrash" if crashed else "Failure",
            "summary": lines[-1] if lines else "failed",
            "text": shortened(text),
        }

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        by = f"pytest.exit: {excinfo.value}" if isinstance(excinfo.value, pytest.exit.Exception) else "Ctrl-C"
        self.event("interrupted", by=by)

    def pytest_internalerror(self, excrepr: object) -> None:
        text = str(excrepr)
        last = text.strip().splitlines()[-1] if text.strip() else "internal error"
        failure = {
            "class": "infrastructure",
            "type": "InternalError",
            "summary": last,
            "text": shortened(text),
        }
        self.event("problem", failure=failure)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            try:
                if not self._lost:
                    self.finish(session)
            except OSError as error:
                self._lose(error)
            if self._lost:
                session.exitstatus = INTERNAL_ERROR

    def pytest_unconfigure(self) -> None:
        writer = self._config.get_terminal_writer()
        if self._lost:
            writer.line(f"\nERROR: {self._lost}")
        elif self.digest:
            writer.line()
            for line in self.digest.lines():
                writer.line(self.run.redactor.text(line))

    # --- the end ---

    def finish(self, session: pytest.Session) -> None:
        """Decide the exit status, render everything from the record, and write the manifest last."""
        if self._previous_handler is not None:
            signal.signal(signal.SIGTERM, self._previous_handler)
        done = self._take_out_secrets()
        results = read_results(read_record(self.folder / FILE_NAME))
        status = session.exitstatus = honest_exit_status(int(session.exitstatus), results)
        self.event(
            "run_finished",
            exit_status=status,
            counts=results.counts,
            subject=subject(self.run),
            embedded=self.run.embedded,
        )
        self._record.close()
        results = read_results(read_record(self.folder / FILE_NAME))
        self._render(results, status)
        if leaking := leaking_files(self.folder, self.run.redactor, done):
            self._lost = refusal(leaking, _shown(self.folder))
            return
        finished = datetime.now(UTC)
        assert self.run.bundle
        inventory = [item["id"] for item in self._inventory or []]
        write_manifest(
            self.folder,
            {
                "run_id": self.run.bundle.run_id,
                "suites": list(self.run.suites),
                "subject": subject(self.run),
                "target": {"name": self.run.target_name, "embedded": self.run.embedded},
                "started": self.started.isoformat(timespec="seconds"),
                "finished": finished.isoformat(timespec="seconds"),
                "exit_status": status,
                "inventory": {
                    "count": len(inventory),
                    "sha256": hashlib.sha256("\n".join(sorted(inventory)).encode()).hexdigest(),
                },
                "counts": results.counts,
            },
        )

    def _take_out_secrets(self) -> Redaction:
        """Mask what others have written, before the last line of the record; say what had to be withheld."""
        self._record.mask_again()
        done = redact_files(self.folder, self.run.redactor)
        for each in done.withheld:
            self.event("withheld", path=each.path, reason=each.reason, secret=each.secret)
            self.notes.append(f"withheld: {each.path}: {each.reason}")
        if error := secret_in(done.withheld):
            self.problem(error)
        return done

    def _render(self, results: RunResults, status: int) -> None:
        suite = "+".join(self.run.suites)
        started = self.started.isoformat(timespec="seconds")
        problems = [*results.problems, *results.collection_errors]
        write_junit(self.folder / "junit.xml", render_junit(suite, started, results.tests.values(), problems))
        phases = {test.properties["phase"] for test in results.tests.values() if "phase" in test.properties}
        for number, phase in enumerate(("contract", "unit", "integration-local")):
            if phase in phases:
                tests = [test for test in results.tests.values() if test.properties.get("phase") == phase]
                document = render_junit(f"{suite} {phase}", started, tests)
                write_junit(self.folder / f"phase{number}" / "junit.xml", document)
        allure.complete(self.folder / "allure-results", results, self.run)
        notes = [*self.notes, *flaky_notes(results), *skip_notes(results)]
        if self.run.suites != ("inner",):
            notes.insert(0, f"target: {self.run.target_name}" + EMBEDDED_NOTE * self.run.embedded)
        self.digest = make_digest(results, status, _shown(self.folder), self.command, notes)
        (self.folder / "digest.md").write_text(self.run.redactor.text(self.digest.markdown()))
        digest = self.run.redactor.data(self.digest.as_data())
        (self.folder / "digest.json").write_text(json.dumps(digest, indent=1) + "\n")

    def _distributed(self) -> bool:
        return bool(self._config.getoption("numprocesses", None) or self._config.getoption("tx", None))


def subject(run: Run) -> dict[str, Any]:
    """What the run is about: repository, pull request, commit and tree, as far as they are known."""
    return {
        "repository": run.repository,
        "pull_request": run.number,
        "commit": run.commit,
        "tree": run.tree,
        "dirty": run.dirty,
    }


def _described(item: pytest.Item) -> dict[str, Any]:
    file, line, _ = item.reportinfo()
    suite = next(
        (mark.name for mark in item.iter_markers() if mark.name in ("smoke", "inner", "preview", "task")), ""
    )
    name = os.path.relpath(file, item.config.rootpath) if file else item.nodeid.split("::")[0]
    return {"id": item.nodeid, "suite": suite, "file": name, "line": line + 1 if line is not None else None}


def _shown(folder: Path) -> str:
    """The folder as it can be typed where pytest was started."""
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


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
