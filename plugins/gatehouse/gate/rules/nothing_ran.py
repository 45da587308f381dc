"""A suite in which nothing, or too little, was really executed."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.evidence.results import Status
from gatehouse.gate.inputs import BundleInput
from gatehouse.gate.policy import SuitePolicy
from gatehouse.gate.verdict import Question, Reason, VerdictClass

#: States of a test that was executed.
EXECUTED = frozenset(
    {Status.PASSED, Status.FAILED, Status.ERROR, Status.CRASHED, Status.XFAILED, Status.XPASSED}
)


def check(question: Question) -> Iterator[Reason]:
    """At least as many executed tests as the policy demands, and a result for every collected one."""
    for name, policy in question.policy.suites.items():
        bundles = question.of_suite(name)
        together = [bundles] if len(policy.run_from) > 1 and bundles else [[each] for each in bundles]
        for group in together:
            yield from _too_few(name, policy, group)
        for bundle in bundles:
            not_run = [test.id for test in bundle.results.tests.values() if test.status is Status.NOT_RUN]
            if not_run:
                yield Reason(
                    "nothing_ran",
                    VerdictClass.INCOMPLETE,
                    f"{len(not_run)} collected tests of the {name} suite have no result: {not_run[0]}",
                    bundle.path,
                    "run the suite again to its end",
                )


def _too_few(name: str, policy: SuitePolicy, bundles: list[BundleInput]) -> Iterator[Reason]:
    """A test that was executed at several places counts once."""
    tests = [test for bundle in bundles for test in bundle.results.tests.values()]
    executed = {test.id for test in tests if test.status in EXECUTED}
    if len(executed) < policy.min_executed:
        collected = f"{len({test.id for test in tests})} collected" if tests else "nothing was collected"
        yield Reason(
            "nothing_ran",
            VerdictClass.INCOMPLETE,
            f"the {name} suite executed {len(executed)} tests, of at least {policy.min_executed}; {collected}",
            bundles[0].path,
            "see why tests were skipped or not collected",
        )
