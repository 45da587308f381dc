"""Listens to pytest on the controller, writes the record, and closes the bundle when the session ends."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from gatehouse.core.errors import FailureClass, GatehouseError
from gatehouse.core.ledger import left_behind, outstanding_in
from gatehouse.core.service_account import service_account_folder
from gatehouse.evidence import allure
from gatehouse.evidence.annotations import github_annotations
from gatehouse.evidence.digest import Digest, flaky_notes, make_digest, skip_notes
from gatehouse.evidence.junit import render_junit, write_junit
from gatehouse.evidence.manifest import write_manifest
from gatehouse.evidence.record import FILE_NAME, RunRecord, last_words, read_record, shortened
from gatehouse.evidence.redacted_files import Redaction, leaking_files, redact_files
from gatehouse.evidence.results import RunResults, honest_exit_status, read_results
from gatehouse.evidence.sarif import render_sarif
from gatehouse.evidence.toolchain import toolchain
from gatehouse.evidence.withheld import refusal, secret_in
from gatehouse.run import Run

RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()

#: pytest's exit code for an error that is not the tests'.
INTERNAL_ERROR = 3

#: Said of a run against the embedded platform, whatever the target is called.
EMBEDDED_NOTE = " (the embedded platform: it proves the harness, not your platform)"

#: Characters of captured output kept for a failed phase.
OUTPUT_LIMIT = 16 * 1024


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
        self._interrupted_by = "Ctrl-C"
        self.started = datetime.now(UTC)
        #: Whether this is a pod: the gate can demand evidence from inside and from outside.
        self.inside_cluster = service_account_folder(os.environ) is not None
        self.digest: Digest | None = None
        #: Why the evidence can no longer be written; nothing more is tried then.
        self._lost = ""
        #: What the digest's last line starts with; the inner suite has its own.
        self.command: list[str] = ["pytest", "-m", " or ".join(run.suites), *_repeated(config)]
        self.notes: list[str] = []
        #: Lines by which GitHub Actions shows findings beside the code.
        self.annotations: list[str] = []

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
            inside_cluster=self.inside_cluster,
            arguments=list(self._config.invocation_params.args),
            toolchain=toolchain(),
        )
        self._previous_handler = signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        # As Ctrl-C: pytest then tears down, reports and exits with 2 (pytest issues 5243 and 9142). Nothing is
        # written here: the signal may have come in the middle of writing, and would wait for itself.
        self._interrupted_by = "SIGTERM"
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
        if isinstance(excinfo.value, pytest.exit.Exception):
            self._interrupted_by = f"pytest.exit: {excinfo.value}"
        self.event("interrupted", by=self._interrupted_by)
        if made := outstanding_in(self.folder):
            self._config.get_terminal_writer().line(
                f"\ninterrupted by {self._interrupted_by}: what was made is being deleted first "
                f"({', '.join(each.name for each in made)}); Ctrl-C once more leaves it"
            )

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
        except KeyboardInterrupt:
            # Ctrl-C once more, while fixtures clean up: what they have not removed is told from the ledgers.
            self.event("interrupted", by=f"{self._interrupted_by} while the run cleaned up")
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            return None
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
            for line in self.annotations:
                writer.line(self.run.redactor.text(line))
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
                document = render_junit(f"{suite} {phase}", started, tests, children=True)
                write_junit(self.folder / f"phase{number}" / "junit.xml", document)
        allure.complete(self.folder / "allure-results", results, self.run)
        if self.run.suites == ("inner",):
            (self.folder / "findings.sarif").write_text(json.dumps(render_sarif(results), indent=1) + "\n")
        self.annotations = github_annotations(results) if os.environ.get("GITHUB_ACTIONS") == "true" else []
        self.notes += left_behind(outstanding_in(self.folder))
        notes = [*self.notes, *flaky_notes(results), *skip_notes(results)]
        if self.run.suites != ("inner",):
            place = "from inside a cluster" if self.inside_cluster else "from outside"
            notes.insert(0, f"target: {self.run.target_name}, {place}" + EMBEDDED_NOTE * self.run.embedded)
        self.digest = make_digest(results, status, _shown(self.folder), self.command, notes)
        (self.folder / "digest.md").write_text(self.run.redactor.text(self.digest.markdown()))
        digest = self.run.redactor.data(self.digest.as_data())
        (self.folder / "digest.json").write_text(json.dumps(digest, indent=1) + "\n")

    def _distributed(self) -> bool:
        return bool(self._config.getoption("numprocesses", None) or self._config.getoption("tx", None))


def _repeated(config: pytest.Config) -> Iterator[str]:
    """Options without which the tests of this run would not be there."""
    for option in ("--gate-baseline", "--gate-task"):
        value = config.getoption(option, None)
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield f"{option}={each}"


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
