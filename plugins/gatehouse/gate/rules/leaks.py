"""Something a run made is still there, or nobody could look."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """Every leak proof in the evidence must be clean, and suites whose policy demands one must have one."""
    for bundle in question.bundles:
        for event in bundle.results.leaks:
            proof = event.get("proof") or {}
            if proof.get("outcome") != "clean":
                found = [*(proof.get("left") or []), *(proof.get("unverified") or [])]
                left = "; ".join(found[:2]) + (f" and {len(found) - 2} more" if len(found) > 2 else "")
                yield Reason(
                    "leaks",
                    VerdictClass.LEAK,
                    f"the workspace {proof.get('workspace')} is {proof.get('outcome')}: {left}",
                    bundle.path,
                    "remove what is listed, and find out why its teardown did not",
                )
    for name, policy in question.policy.suites.items():
        bundles = question.of_suite(name)
        # Of several places, one may be able to look into the cluster; a proof that is not clean closes wherever it is.
        shared = len(policy.run_from) > 1 and any(bundle.results.leaks for bundle in bundles)
        for bundle in bundles:
            if policy.leak_proof and not bundle.results.leaks and not shared:
                yield Reason(
                    "leaks",
                    VerdictClass.INCOMPLETE,
                    f"the {name} suite holds no proof that its teardown left nothing behind",
                    bundle.path,
                    "run the whole suite, its teardown included",
                )
