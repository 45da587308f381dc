"""A suite in which nothing, or too little, was really executed."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.evidence.results import Status
from gatehouse.gate.verdict import Question, Reason, VerdictClass

#: States of a test that was executed.
EXECUTED = frozenset(
    {Status.PASSED, Status.FAILED, Status.ERROR, Status.CRASHED, Status.XFAILED, Status.XPASSED}
)


def check(question: Question) -> Iterator[Reason]:
    """At least as many executed tests as the policy demands, and a result for every collected one."""
    for name, policy in question.policy.suites.items():
        for bundle in question.of_suite(name):
            tests = bundle.results.tests.values()
            executed = sum(1 for test in tests if test.status in EXECUTED)
            if executed < policy.min_executed:
                collected = f"{len(bundle.results.tests)} collected" if tests else "nothing was collected"
                yield Reason(
                    "nothing_ran",
                    VerdictClass.INCOMPLETE,
                    f"the {name} suite executed {executed} tests, of at least {policy.min_executed}; {collected}",
                    bundle.path,
                    "see why tests were skipped or not collected",
                )
            not_run = [test.id for test in tests if test.status is Status.NOT_RUN]
            if not_run:
                yield Reason(
                    "nothing_ran",
                    VerdictClass.INCOMPLETE,
                    f"{len(not_run)} collected tests of the {name} suite have no result: {not_run[0]}",
                    bundle.path,
                    "run the suite again to its end",
                )
