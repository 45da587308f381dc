"""Parts of a bundle that should say the same do not: a record, a manifest or a JUnit file of another run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from gatehouse.evidence.results import BAD, Status
from gatehouse.gate.inputs import BundleInput
from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """Manifest, record and JUnit must agree with each other."""
    seen: dict[str, str] = {}
    for bundle in question.bundles:
        for message in _contradictions(bundle):
            yield Reason(
                "contradictions",
                VerdictClass.UNTRUSTED,
                f"the evidence contradicts itself: {message}",
                bundle.path,
                "run the suite again",
            )
        run_id = str((bundle.manifest or {}).get("run_id"))
        if bundle.manifest and run_id in seen:
            yield Reason(
                "contradictions",
                VerdictClass.UNTRUSTED,
                f"two bundles are of the same run {run_id}: {seen[run_id]} and {bundle.path}",
                bundle.path,
                "hand over each bundle once",
            )
        seen[run_id] = bundle.path


def _contradictions(bundle: BundleInput) -> Iterator[str]:
    manifest, results = bundle.manifest, bundle.results
    if manifest is None or not results.started:
        return
    finished = results.finished or {}
    for what, listed, recorded in (
        ("run id", manifest.get("run_id"), results.started.get("run_id")),
        ("suites", manifest.get("suites"), results.started.get("suites")),
        ("exit status", manifest.get("exit_status"), finished.get("exit_status")),
        ("subject", manifest.get("subject"), finished.get("subject")),
        ("counts", manifest.get("counts"), results.counts),
        ("inventory", manifest.get("inventory"), _inventory(bundle)),
    ):
        if listed != recorded:
            yield f"{what} is {listed} in the manifest and {recorded} in the record"
    if manifest.get("target", {}).get("embedded") != finished.get("embedded"):
        yield "manifest and record disagree about whether the target was embedded"
    if bundle.junit is not None:
        rows = len(results.tests) + len(results.problems) + len(results.collection_errors)
        if bundle.junit["tests"] != rows:
            yield f"junit.xml has {bundle.junit['tests']} rows and the record {rows}"
        red = sum(1 for test in results.tests.values() if test.status in BAD)
        red += len(results.problems) + len(results.collection_errors)
        if bundle.junit["failures"] + bundle.junit["errors"] != red:
            yield f"junit.xml has {bundle.junit['failures'] + bundle.junit['errors']} red rows and the record {red}"
    if manifest.get("exit_status") == 0 and any(test.status in BAD for test in results.tests.values()):
        yield "the exit status is 0 although a test is red"
    if results.unexpected:
        yield f"there are results of tests that were never collected: {results.unexpected[0]}"
    if (
        any(test.status is Status.NOT_RUN for test in results.tests.values())
        and manifest.get("exit_status") == 0
    ):
        yield "the exit status is 0 although a test has no result"


def _inventory(bundle: BundleInput) -> dict[str, object]:
    ids = sorted(bundle.results.tests)
    return {"count": len(ids), "sha256": hashlib.sha256("\n".join(ids).encode()).hexdigest()}
