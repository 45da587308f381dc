"""Bundles made as a run makes them: through the record, the renderings and the manifest."""

import hashlib
import json
from datetime import UTC, datetime

from gatehouse.core.redaction import Redactor
from gatehouse.evidence.junit import render_junit
from gatehouse.evidence.manifest import write_manifest
from gatehouse.evidence.record import FILE_NAME, RunRecord, read_record
from gatehouse.evidence.results import read_results

REPOSITORY, PULL_REQUEST, COMMIT = "acme/shop", 7, "a" * 40
SUBJECT = {
    "repository": REPOSITORY,
    "pull_request": PULL_REQUEST,
    "commit": COMMIT,
    "tree": None,
    "dirty": False,
}


def phases(test, *, outcome="passed", attempt=1, **call):
    """The events of one attempt of a test."""
    base = {"test": test, "attempt": attempt, "seconds": 0.01}
    if outcome == "skipped":
        return [{**base, "phase": "setup", "outcome": "skipped", "reason": call.get("reason", "why")}]
    return [
        {**base, "phase": "setup", "outcome": "passed"},
        {**base, "phase": "call", "outcome": outcome, **call},
        {**base, "phase": "teardown", "outcome": "passed"},
    ]


def failure(kind="product", summary="it broke", **more):
    return {"class": kind, "type": "AssertionError", "summary": summary, "text": "traceback", **more}


def proof(stage, commit=COMMIT, outcome="this commit"):
    return {"event": "deployment_proof", "stage": stage, "outcome": outcome, "proof": {"commit": commit}}


def leak(outcome="clean", left=()):
    return {
        "event": "leak_proof",
        "test": "t",
        "proof": {"workspace": "w", "outcome": outcome, "left": list(left), "unverified": []},
    }


def write_bundle(
    folder,
    suite="smoke",
    tests=None,
    *,
    extra=(),
    subject=None,
    embedded=False,
    exit_status=None,
    finish=True,
    collected=None,
    started=None,
    inside=None,
    target="dev",
):
    """A bundle of `tests` ({id: events}); by default two that passed. `inside` is what its record says of its place."""
    folder.mkdir(parents=True)
    (folder / "attachments").mkdir()
    (folder / "attachments" / "note.txt").write_text("a note")
    tests = {f"suites/{suite}/test_a.py::{name}": None for name in ("one", "two")} if tests is None else tests
    subject = {**SUBJECT, **(subject or {})}
    record = RunRecord(folder / FILE_NAME, Redactor())
    run_id = f"run-{suite}-{hashlib.sha256(str(folder).encode()).hexdigest()[:6]}"
    target = {"name": target, "embedded": embedded}
    place = {} if inside is None else {"inside_cluster": inside}
    record.append(
        "run_started", schema=1, run_id=run_id, suites=[suite], subject=subject, target=target, **place
    )
    ids = list(tests) if collected is None else collected
    record.append(
        "collected",
        items=[{"id": each, "suite": suite, "file": each.split("::")[0], "line": 1} for each in ids],
    )
    for test, events in tests.items():
        for event in events if events is not None else phases(test):
            record.append("phase", **event)
    for event in extra:
        record.append(**event)
    results = read_results(read_record(folder / FILE_NAME))
    red = results.red or results.problems or results.collection_errors
    status = (1 if red else 0) if exit_status is None else exit_status
    if not finish:
        record.close()
        return folder
    record.append(
        "run_finished", exit_status=status, counts=results.counts, subject=subject, embedded=embedded
    )
    record.close()
    if started:
        _shift(folder / FILE_NAME, started)
    results = read_results(read_record(folder / FILE_NAME))
    problems = [*results.problems, *results.collection_errors]
    (folder / "junit.xml").write_bytes(
        render_junit(suite, "2026-01-01T00:00:00", results.tests.values(), problems)
    )
    inventory = sorted(results.tests)
    write_manifest(
        folder,
        {
            "run_id": run_id,
            "suites": [suite],
            "subject": subject,
            "target": target,
            "started": datetime.now(UTC).isoformat(),
            "finished": datetime.now(UTC).isoformat(),
            "exit_status": status,
            "inventory": {
                "count": len(inventory),
                "sha256": hashlib.sha256("\n".join(inventory).encode()).hexdigest(),
            },
            "counts": results.counts,
        },
    )
    return folder


def _shift(path, moment):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["time"] = moment.isoformat()
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
