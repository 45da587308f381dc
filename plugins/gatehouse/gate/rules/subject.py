"""Evidence about another repository, pull request or commit, or about a checkout with local changes."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """Every bundle must be about exactly what the gate was asked about."""
    asked = question.subject
    for bundle in question.bundles:
        if bundle.manifest is None:
            continue
        found = bundle.manifest.get("subject") or {}
        for what, wanted, seen, told_by in (
            ("repository", asked.repository, found.get("repository"), "GITHUB_REPOSITORY={}"),
            ("pull request", asked.pull_request, found.get("pull_request"), "--gate-pr {}"),
            ("commit", asked.commit, found.get("commit"), "--gate-commit {}"),
        ):
            if wanted is not None and seen != wanted:
                yield Reason(
                    "subject",
                    VerdictClass.UNTRUSTED,
                    f"the {bundle.name} evidence is about {what} {seen or 'unknown'}, not {wanted}",
                    bundle.path,
                    f"run the suite for it ({told_by.format(wanted)})",
                )
        if found.get("dirty"):
            yield Reason(
                "subject",
                VerdictClass.UNTRUSTED,
                f"the {bundle.name} evidence is of a checkout with changes that are in no commit",
                bundle.path,
                "commit or remove the changes and run the suite again",
            )
