"""Evidence from the embedded platform, which proves the harness and not the user's platform."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """Refused unless the policy says `allow_embedded: true`."""
    if question.policy.allow_embedded:
        return
    for bundle in question.bundles:
        declared = ((bundle.manifest or {}).get("target") or {}).get("embedded")
        recorded = (bundle.results.finished or {}).get("embedded") or (
            bundle.results.started.get("target") or {}
        ).get("embedded")
        if declared or recorded:
            yield Reason(
                "embedded_target",
                VerdictClass.UNTRUSTED,
                f"the {bundle.name} evidence comes from the embedded platform",
                bundle.path,
                "run the suite against the real platform (--gate-target), or set allow_embedded for a trial",
            )
