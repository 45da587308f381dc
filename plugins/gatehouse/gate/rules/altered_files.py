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
                f"the evidence was altered: {problem}",
                bundle.path,
                "run the suite again and hand over its bundle as it is",
            )
        for problem in bundle.unreadable:
            yield Reason(
                "altered_files",
                VerdictClass.UNTRUSTED if bundle.manifest else VerdictClass.INCOMPLETE,
                f"the evidence cannot be read: {problem}",
                bundle.path,
                "run the suite again",
            )
