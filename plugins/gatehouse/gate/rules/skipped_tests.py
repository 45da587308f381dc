"""Tests that were skipped for a reason nobody has agreed to."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from gatehouse.evidence.results import Status
from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """Every skip reason must match a pattern of the policy."""
    for name, policy in question.policy.suites.items():
        for bundle in question.of_suite(name):
            for test in bundle.results.tests.values():
                reason = test.last.reason.removeprefix("Skipped: ")
                allowed = any(fnmatch.fnmatchcase(reason, pattern) for pattern in policy.allowed_skips)
                if test.status is Status.SKIPPED and not allowed:
                    yield Reason(
                        "skipped_tests",
                        VerdictClass.INCOMPLETE,
                        f"{test.id} was skipped: {reason or 'no reason given'}",
                        bundle.path,
                        f"make it run, or allow the reason in the policy (suites.{name}.allowed_skips)",
                    )
