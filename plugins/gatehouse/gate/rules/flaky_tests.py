"""Tests that passed only after a failed attempt."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """No more of them than the policy's budget."""
    for name, policy in question.policy.suites.items():
        for bundle in question.of_suite(name):
            flaky = [test.id for test in bundle.results.flaky]
            if len(flaky) > policy.max_flaky:
                yield Reason(
                    "flaky_tests",
                    VerdictClass.FLAKY,
                    f"{len(flaky)} tests of the {name} suite passed only after a failed attempt: {flaky[0]}",
                    bundle.path,
                    "repair the test, or what makes it fail at times",
                )
