"""What allure-pytest does not write: environment, categories, executor, and results of tests that never ended."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatehouse.evidence.results import RunResults, Status, TestResult

if TYPE_CHECKING:
    from gatehouse.run import Run

#: The label by which an Allure result and a line of the record are known to be about the same test.
ID_LABEL = "gatehouse_id"

CATEGORIES = [
    {"name": "Product failures", "matchedStatuses": ["failed"]},
    {"name": "Infrastructure, environment and test errors", "matchedStatuses": ["broken"]},
    {"name": "Skipped", "matchedStatuses": ["skipped"]},
]

_STATUS = {
    Status.PASSED: "passed",
    Status.XPASSED: "passed",
    Status.FAILED: "failed",
    Status.ERROR: "broken",
    Status.CRASHED: "broken",
    Status.NOT_RUN: "unknown",
    Status.SKIPPED: "skipped",
    Status.XFAILED: "skipped",
}


def label(test_id: str) -> None:
    """Mark the running test's result with its id, where Allure is installed and active."""
    try:
        import allure
    except ImportError:
        return
    allure.dynamic.label(ID_LABEL, test_id)


def attach(data: bytes, name: str, media_type: str) -> None:
    """Attach to the running test in Allure, where that is installed and active."""
    try:
        import allure
    except ImportError:
        return
    extension = {"application/json": "json", "text/plain": "txt", "image/png": "png"}.get(media_type, "bin")
    allure.attach(data, name=name, attachment_type=media_type, extension=extension)


def complete(folder: Path, results: RunResults, run: Run) -> None:
    """Write the run's facts, and a result for every test that allure-pytest has left without one."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "suites": "+".join(run.suites),
        "target": run.target_name + (" (embedded)" if run.embedded else ""),
        "repository": run.repository or "",
        "pull_request": run.number or "",
        "commit": run.commit or "",
    }
    lines = [f"{name}={value}" for name, value in facts.items() if value]
    (folder / "environment.properties").write_text("\n".join(lines) + "\n")
    (folder / "categories.json").write_text(json.dumps(CATEGORIES, indent=1))
    (folder / "executor.json").write_text(json.dumps(_executor(run), indent=1))
    known = _known_results(folder)
    for test in results.tests.values():
        if test.outcome != "cached":  # their results are those of the run in which they passed
            for child in test.children:
                _write_child(folder, test, child)
    for test in results.tests.values():
        if test.id not in known:
            _write_result(folder, test)
        elif test.report:
            _add_report(folder, known[test.id], test.report)


def _executor(run: Run) -> dict[str, Any]:
    executor = {
        "name": "Gatehouse",
        "type": "gatehouse",
        "buildName": run.bundle.run_id if run.bundle else "",
    }
    if os.environ.get("GITHUB_ACTIONS") == "true":
        server, repository = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", "")
        url = f"{server}/{repository}/actions/runs/{os.environ.get('GITHUB_RUN_ID', '')}"
        executor |= {"name": "GitHub Actions", "type": "github", "buildUrl": url}
    return executor


def _known_results(folder: Path) -> dict[str, Path]:
    """The newest result of each test that allure-pytest has written, by the test's id."""
    known: dict[str, Path] = {}
    for path in sorted(folder.glob("*-result.json"), key=lambda each: each.stat().st_mtime):
        try:
            labels = json.loads(path.read_bytes()).get("labels", [])
        except ValueError:
            continue  # cut short by a crash: the test gets a result of ours
        known |= {label["value"]: path for label in labels if label.get("name") == ID_LABEL}
    return known


def _add_report(folder: Path, path: Path, report: str) -> None:
    """Put the failure report before what else is attached to a result: it says what to look at, and why."""
    result = json.loads(path.read_bytes())
    name = f"{uuid.uuid4()}-attachment.txt"
    (folder / name).write_text(report)
    attachment = {"name": "failure report", "type": "text/plain", "source": name}
    result["attachments"] = [attachment, *result.get("attachments", [])]
    path.write_text(json.dumps(result))


def _write_result(folder: Path, test: TestResult) -> None:
    now = int(time.time() * 1000)
    failure = test.failure
    message = failure.summary if failure else test.last.reason
    if test.status is Status.NOT_RUN:
        message = "collected, but no result was recorded"
    file, _, name = test.id.partition("::")
    result = {
        "uuid": str(uuid.uuid4()),
        "historyId": hashlib.sha256(test.id.encode()).hexdigest()[:32],
        "testCaseId": hashlib.sha256(test.id.encode()).hexdigest()[:32],
        "fullName": test.id,
        "name": name or file,
        "status": _STATUS[test.status],
        "statusDetails": {"message": message, "trace": failure.text if failure else ""},
        "stage": "finished",
        "start": now - int(test.seconds * 1000),
        "stop": now,
        "labels": [
            {"name": ID_LABEL, "value": test.id},
            {"name": "suite", "value": file},
            {"name": "parentSuite", "value": test.suite},
            {"name": "framework", "value": "pytest"},
        ],
        "attachments": [
            _copied(folder, each) for each in test.attachments if (folder.parent / each["path"]).is_file()
        ],
    }
    (folder / f"{result['uuid']}-result.json").write_text(json.dumps(result))


def _write_child(folder: Path, test: TestResult, child: dict[str, Any]) -> None:
    """A result for a test that a check of the inner suite ran."""
    name = f"{test.id}::{child['id']}"
    now = int(time.time() * 1000)
    result = {
        "uuid": str(uuid.uuid4()),
        "historyId": hashlib.sha256(name.encode()).hexdigest()[:32],
        "testCaseId": hashlib.sha256(name.encode()).hexdigest()[:32],
        "fullName": name,
        "name": child["id"],
        "status": child["outcome"],
        "statusDetails": {"message": child.get("message", ""), "trace": ""},
        "stage": "finished",
        "start": now - int(float(child.get("seconds") or 0) * 1000),
        "stop": now,
        "labels": [
            {"name": "parentSuite", "value": test.suite},
            {"name": "suite", "value": test.id.partition("::")[0]},
            {"name": "subSuite", "value": test.id.partition("::")[2]},
            {"name": "framework", "value": test.properties.get("language", "")},
        ],
    }
    (folder / f"{result['uuid']}-result.json").write_text(json.dumps(result))


def _copied(folder: Path, attachment: dict[str, str]) -> dict[str, str]:
    """Allure finds attachments only beside the results, so the file is copied there."""
    source = folder.parent / attachment["path"]
    copy = folder / f"{uuid.uuid4()}-attachment{source.suffix}"
    shutil.copyfile(source, copy)
    return {"name": attachment["name"], "type": attachment["media_type"], "source": copy.name}
