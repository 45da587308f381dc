"""A run that did not come to its end: killed, crashed, interrupted, or still going."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """There must be a manifest, an end marker in the record, and no interruption."""
    for bundle in question.bundles:
        for problem in bundle.unfinished:
            yield Reason(
                "unfinished_runs",
                VerdictClass.INCOMPLETE,
                f"the run {bundle.name} is not finished: {problem}",
                bundle.path,
                "wait for it, or run the suite again",
            )
        if bundle.results.interrupted or (bundle.results.finished or {}).get("exit_status") == 2:
            yield Reason(
                "unfinished_runs",
                VerdictClass.INTERRUPTED,
                f"the run {bundle.name} was interrupted: {bundle.results.interrupted or 'exit status 2'}",
                bundle.path,
                "run the suite again to its end",
            )
        elif bundle.results.started and bundle.results.finished is None:
            yield Reason(
                "unfinished_runs",
                VerdictClass.INCOMPLETE,
                f"the record of the run {bundle.name} has no end",
                bundle.path,
                "run the suite again to its end",
            )
