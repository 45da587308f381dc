"""A required suite has no evidence, or more than one bundle claims to be it."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """Each required suite exactly once; how often one that runs at several places, another rule says."""
    for name, policy in question.policy.suites.items():
        bundles = question.of_suite(name)
        if not bundles and policy.required:
            yield Reason(
                "missing_suites",
                VerdictClass.INCOMPLETE,
                f"there is no evidence of the required suite {name}",
                "",
                f"run pytest -m {name} and hand over its bundle",
            )
        if len(bundles) > 1 and not policy.run_from:
            yield Reason(
                "missing_suites",
                VerdictClass.INCOMPLETE,
                f"{len(bundles)} bundles claim to be the suite {name}: {', '.join(bundle.path for bundle in bundles)}",
                bundles[0].path,
                "hand over exactly one; choosing between them is not the gate's business",
            )
    for bundle in question.bundles:
        unknown = [name for name in bundle.suites if name not in question.policy.suites]
        if unknown:
            yield Reason(
                "missing_suites",
                VerdictClass.INCOMPLETE,
                f"the policy knows no suite {', '.join(unknown)}",
                bundle.path,
                "add it to the policy, or leave its bundle out",
            )
