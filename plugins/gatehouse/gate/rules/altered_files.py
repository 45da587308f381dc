"""A file of a bundle was changed, removed or added after the run."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """Every file must be as the manifest says; one too many is as bad as one too few."""
    for bundle in question.bundles:
        for problem in bundle.tampered:
            yield Reason(
                "altered_files",
                VerdictClass.UNTRUSTED,
                f"the {bundle.name} evidence was altered: {problem}",
                bundle.path,
                "run the suite again and hand over its bundle as it is",
            )
        if bundle.unfinished:
            continue  # what a run that did not end left unreadable is said by the rule about unfinished runs
        for problem in bundle.unreadable:
            yield Reason(
                "altered_files",
                VerdictClass.UNTRUSTED,
                f"the {bundle.name} evidence cannot be read: {problem}",
                bundle.path,
                "run the suite again",
            )
