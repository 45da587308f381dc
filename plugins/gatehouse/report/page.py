"""One self-contained HTML page about a set of bundles and the verdict on them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from gatehouse.evidence.manifest import ManifestError, read_manifest, verify_files
from gatehouse.evidence.record import FILE_NAME, RecordError, read_record
from gatehouse.evidence.results import BAD, Failure, RunResults, Status, TestResult, read_results

#: Bytes of a picture that is put into the page; a larger one is only linked.
LARGEST_PICTURE = 2 * 1024 * 1024


@dataclass
class _Test:
    id: str
    status: str
    seconds: float
    failure: Failure | None
    reason: str
    attempts: int
    attachments: list[dict[str, str]]
    report: str
    pictures: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Suite:
    name: str
    path: str
    state: str
    started: str
    seconds: float
    counts: dict[str, int]
    manifest: dict[str, Any]
    problems: list[Failure]
    tests: list[_Test]
    proofs: list[dict[str, Any]]
    leaks: list[dict[str, Any]]
    fault: str = ""


def render_page(folders: list[Path], verdict: dict[str, Any] | None, output: Path) -> str:
    """The page as HTML. Links to traces and logs are relative to `output`, the file it will be written to."""
    environment = Environment(
        loader=PackageLoader("gatehouse.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    suites = [_suite(folder, output) for folder in folders]
    template = environment.get_template("page.html")
    return template.render(
        suites=suites, verdict=verdict, made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    )


def _suite(folder: Path, output: Path) -> _Suite:
    results, fault = RunResults(), ""
    manifest: dict[str, Any] = {}
    try:
        results = read_results(read_record(folder / FILE_NAME))
    except (RecordError, OSError, KeyError, TypeError) as error:
        fault = f"the record cannot be read: {error}"
    try:
        manifest = read_manifest(folder)
        if altered := verify_files(folder, manifest):
            fault = fault or f"does not match its manifest: {'; '.join(altered[:3])}"
    except ManifestError as error:
        fault = fault or str(error)
    tests = [_test(each, folder, output) for each in results.tests.values()]
    tests.sort(key=lambda test: (test.status not in BAD, test.status != Status.SKIPPED))
    return _Suite(
        name="+".join(results.started.get("suites") or ["unknown"]),
        path=str(folder),
        state=_state(results, manifest, fault),
        started=str(results.started.get("time", ""))[:19].replace("T", " "),
        seconds=_seconds(manifest),
        counts={name: count for name, count in results.counts.items() if name != "collected"},
        manifest=manifest,
        problems=[*results.problems, *results.collection_errors],
        tests=tests,
        proofs=results.proofs,
        leaks=results.leaks,
        fault=fault,
    )


def _state(results: RunResults, manifest: dict[str, Any], fault: str) -> str:
    if fault or not manifest:
        return "altered" if manifest else "unfinished"
    return "passed" if manifest.get("exit_status") == 0 and not results.red else "failed"


def _seconds(manifest: dict[str, Any]) -> float:
    try:
        started, finished = (datetime.fromisoformat(manifest[key]) for key in ("started", "finished"))
    except (KeyError, TypeError, ValueError):
        return 0.0
    return (finished - started).total_seconds()


def _test(test: TestResult, folder: Path, output: Path) -> _Test:
    shown = _Test(
        id=test.id,
        status=str(test.status),
        seconds=round(test.seconds, 2),
        failure=test.failure,
        reason=test.last.reason.removeprefix("Skipped: "),
        attempts=len(test.attempts),
        attachments=test.attachments,
        report=test.report,
    )
    files = [(each["name"], folder / each["path"]) for each in test.attachments]
    for name, path in files:
        if not path.is_file():
            continue
        if path.suffix == ".png" and path.stat().st_size <= LARGEST_PICTURE:
            shown.pictures.append(base64.b64encode(path.read_bytes()).decode())
        shown.links.append((name, _relative(path, output)))
    return shown


def _relative(path: Path, output: Path) -> str:
    try:
        return path.resolve().relative_to(output.resolve().parent).as_posix()
    except ValueError:
        return path.resolve().as_uri()
