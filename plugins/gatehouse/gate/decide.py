"""Asks every rule, and makes the verdict."""

from __future__ import annotations

from typing import Any

from gatehouse.gate.rules import RULES
from gatehouse.gate.verdict import PRECEDENCE, Question, Verdict


def decide(question: Question) -> Verdict:
    """Ask every rule. Reasons come in the order of their classes, the most basic first."""
    reasons = [reason for rule in RULES for reason in rule(question)]
    reasons.sort(key=lambda reason: PRECEDENCE.index(reason.verdict_class))
    suites: dict[str, dict[str, Any]] = {}
    for bundle in question.bundles:
        for name in bundle.suites:
            facts = {
                "bundle": bundle.path,
                "run_id": (bundle.manifest or {}).get("run_id"),
                "place": bundle.place,
                "counts": bundle.results.counts,
                "embedded": bool(((bundle.manifest or {}).get("target") or {}).get("embedded")),
            }
            if name in suites:
                suites[name].setdefault("others", []).append(facts)
            else:
                suites[name] = facts
    return Verdict(tuple(reasons), question.subject, suites, question.policy.allow_embedded)
