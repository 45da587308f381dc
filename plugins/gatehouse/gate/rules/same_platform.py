"""Evidence from inside and from outside that is not about one and the same platform."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.inputs import BundleInput
from gatehouse.gate.verdict import Question, Reason, VerdictClass


def check(question: Question) -> Iterator[Reason]:
    """The bundles of a suite that ran at several places name the same target, deployment and version."""
    for suite, policy in question.policy.suites.items():
        bundles = question.of_suite(suite)
        if len(policy.run_from) < 2 or len(bundles) < 2:
            continue
        for what, told in (("target", _target), ("Coder deployment", _deployment)):
            seen = [told(bundle) for bundle in bundles]
            if "" in seen or len(set(seen)) > 1:
                shown = "; ".join(
                    f"{bundle.place or bundle.path}: {value or 'unknown'}"
                    for bundle, value in zip(bundles, seen, strict=True)
                )
                yield Reason(
                    "same_platform",
                    VerdictClass.UNTRUSTED,
                    f"the evidence of the suite {suite} is not of one {what} ({shown})",
                    bundles[0].path,
                    f"run the suite at each place against the same {what}, with no upgrade between the runs",
                )


def _target(bundle: BundleInput) -> str:
    return str((bundle.results.started.get("target") or {}).get("name") or "")


def _deployment(bundle: BundleInput) -> str:
    """Id and version of the only deployment of the run; empty when it is not known, or there are several."""
    found = {
        f"{event['id']} {event['version']}"
        for event in bundle.results.deployments
        if event.get("id") and event.get("version")
    }
    return found.pop() if len(found) == 1 else ""
