"""Tests that failed, and failures of a run as a whole."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from gatehouse.evidence.record import Event
from gatehouse.evidence.results import Failure, Status
from gatehouse.gate.inputs import BundleInput
from gatehouse.gate.verdict import Question, Reason, VerdictClass

#: Classes of failure as the record names them; anything unknown is infrastructure.
CLASSES = {
    "product": VerdictClass.PRODUCT,
    "leak": VerdictClass.LEAK,
    "untrusted": VerdictClass.UNTRUSTED,
    "guard rail": VerdictClass.GUARD_RAIL,
    "infrastructure": VerdictClass.INFRASTRUCTURE,
    "environment": VerdictClass.INFRASTRUCTURE,
}

#: An exit status that the record does not explain.
UNEXPLAINED = Failure("infrastructure", "")


def check(question: Question) -> Iterator[Reason]:
    """Every red test and every problem is a reason; so is an exit status other than 0 without either."""
    for bundle in question.bundles:
        found = False
        leaking = {str(event.get("test")) for event in bundle.results.leaks if _is_leak(event)}
        for test in bundle.results.red:
            if test.status is Status.NOT_RUN:
                continue
            found = True
            if test.failure and test.failure.failure_class == "leak" and test.id in leaking:
                continue  # the rule about leaks says it, with what is left
            yield _reason(bundle, test.id, test.failure or Failure("infrastructure", str(test.status)))
        for problem in [*bundle.results.problems, *bundle.results.collection_errors]:
            found = True
            yield _reason(bundle, problem.where or "the run", problem)
        status = (bundle.manifest or {}).get("exit_status")
        if bundle.manifest is not None and status != 0 and not found:
            yield Reason(
                "failures",
                VerdictClass.INCOMPLETE if status == 5 else VerdictClass.INFRASTRUCTURE,
                f"the {bundle.name} run ended with exit status {status}",
                bundle.path,
                "read the run's output and run the suite again",
            )


def _is_leak(event: Event) -> bool:
    return (event.get("proof") or {}).get("outcome") != "clean"


def _reason(bundle: BundleInput, where: str, failure: Failure) -> Reason:
    return Reason(
        "failures",
        CLASSES.get(failure.failure_class, VerdictClass.INFRASTRUCTURE),
        f"{where}: {failure.summary}",
        bundle.path,
        failure.next_step or shlex.join(["pytest", "-m", " or ".join(bundle.suites), where]),
    )
