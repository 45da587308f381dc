"""A suite that must have run both inside and outside of the cluster, and did not."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.policy import Place
from gatehouse.gate.verdict import Question, Reason, VerdictClass

#: How to come by the evidence of each place.
COMMANDS: dict[Place, str] = {
    "outside": "run pytest -m {suite} outside of the cluster",
    "inside": "run gatehouse job -m {suite}",
}


def check(question: Question) -> Iterator[Reason]:
    """Exactly one bundle for each place that the policy names, and none from elsewhere."""
    for suite, policy in question.policy.suites.items():
        bundles = question.of_suite(suite)
        if not policy.run_from or not bundles:
            continue  # where there is none at all, the rule about missing suites says it
        for bundle in bundles:
            if bundle.place not in policy.run_from:
                where = bundle.place or "a place that its record does not name"
                yield Reason(
                    "places",
                    VerdictClass.INCOMPLETE,
                    f"the {suite} evidence comes from {where}; the policy wants it from "
                    f"{' and '.join(policy.run_from)}",
                    bundle.path,
                    "hand over one bundle for each place, made by a Gatehouse that records where it ran",
                )
        for place in policy.run_from:
            here = [bundle.path for bundle in bundles if bundle.place == place]
            command = COMMANDS[place].format(suite=suite)
            if not here:
                yield Reason(
                    "places",
                    VerdictClass.INCOMPLETE,
                    f"there is no evidence of the suite {suite} from {place} the cluster",
                    bundles[0].path,
                    f"{command}, and hand over its bundle too",
                )
            if len(here) > 1:
                yield Reason(
                    "places",
                    VerdictClass.INCOMPLETE,
                    f"{len(here)} bundles of the suite {suite} were made {place} the cluster: {', '.join(here)}",
                    here[0],
                    "hand over exactly one of them; choosing is not the gate's business",
                )
