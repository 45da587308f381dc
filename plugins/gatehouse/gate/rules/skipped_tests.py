"""Tests that were skipped for a reason nobody has agreed to."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence

from gatehouse.evidence.results import Status, TestResult
from gatehouse.gate.inputs import BundleInput
from gatehouse.gate.policy import UNVERIFIED, SuitePolicy
from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """Every skip reason must match a pattern of the policy, or be unverified here and verified at another place."""
    for name, policy in question.policy.suites.items():
        bundles = question.of_suite(name)
        for bundle in bundles:
            others = [each for each in bundles if each is not bundle] if len(policy.run_from) > 1 else []
            for test in bundle.results.tests.values():
                reason = _reason(test)
                if test.status is not Status.SKIPPED or _is_allowed(reason, policy):
                    continue
                if not others or not reason.startswith(UNVERIFIED):
                    yield Reason(
                        "skipped_tests",
                        VerdictClass.INCOMPLETE,
                        f"{test.id} was skipped: {reason or 'no reason given'}",
                        bundle.path,
                        f"make it run, or allow the reason in the policy (suites.{name}.allowed_skips)",
                    )
                elif not any(_settles(each.results.tests.get(test.id), policy) for each in others):
                    yield _verified_nowhere(test, bundle, others)


def _settles(test: TestResult | None, policy: SuitePolicy) -> bool:
    """Whether a test's result at another place says what could not be told here.

    That it passed; or that, seen from there, it does not apply for a reason that the policy agrees to.
    """
    if test is None:
        return False
    if test.status is Status.SKIPPED:
        return _is_allowed(_reason(test), policy)
    return test.status is Status.PASSED


def _verified_nowhere(test: TestResult, bundle: BundleInput, others: Sequence[BundleInput]) -> Reason:
    elsewhere = [(each.place or each.path, each.results.tests.get(test.id)) for each in others]
    told = [f"{bundle.place or bundle.path}: {_reason(test)}"]
    told += [f"{where}: {_told(found)}" for where, found in elsewhere]
    return Reason(
        "skipped_tests",
        VerdictClass.INCOMPLETE,
        f"{test.id} was verified nowhere ({'; '.join(told)})",
        bundle.path,
        "give the run at one of the places what it lacks, so that the test runs and passes there",
    )


def _told(test: TestResult | None) -> str:
    if test is None:
        return "not in its inventory"
    return _reason(test) if test.status is Status.SKIPPED else str(test.status)


def _reason(test: TestResult) -> str:
    return test.last.reason.removeprefix("Skipped: ")


def _is_allowed(reason: str, policy: SuitePolicy) -> bool:
    return any(fnmatch.fnmatchcase(reason, pattern) for pattern in policy.allowed_skips)
