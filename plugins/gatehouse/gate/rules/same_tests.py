"""Runs at several places that did not select the same tests: nobody chose to leave any of them out of both."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass

#: Tests that are named.
NAMED = 3


def check(question: Question) -> Iterator[Reason]:
    """Every test of a suite is in the inventory of each place; one that cannot run there is skipped with a reason."""
    for suite, policy in question.policy.suites.items():
        bundles = question.of_suite(suite)
        if len(policy.run_from) < 2:
            continue
        everything = {id_: None for bundle in bundles for id_ in bundle.results.tests}
        for bundle in bundles:
            here = bundle.results.tests
            missing = [id_ for id_ in everything if id_ not in here]
            if missing:
                named = ", ".join(missing[:NAMED])
                more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
                yield Reason(
                    "same_tests",
                    VerdictClass.INCOMPLETE,
                    f"the {suite} run from {bundle.place or 'nobody knows where'} lacks tests that the other has: "
                    f"{named}{more}",
                    bundle.path,
                    "run the same tests in the same version at each place, with the same -k and the same settings",
                )
