"""The tests ran against something, but nobody proved that it was the commit under test."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.gate.verdict import Question, Reason, VerdictClass

#: The only outcome of a proof that counts (see preview.subject.Outcome).
THIS_COMMIT = "this commit"


def check(question: Question) -> Iterator[Reason]:
    """Suites whose policy demands it need a proof of the commit before the tests and one after them."""
    for name, policy in question.policy.suites.items():
        if not policy.deployment_proof:
            continue
        for bundle in question.of_suite(name):
            if not bundle.results.proofs and bundle.results.problems:
                continue  # the run ended before it could prove anything, and the rule about failures says why
            for stage in ("start", "end"):
                yield from _stage(question, bundle.path, name, stage, bundle.results.proofs)


def _stage(
    question: Question, path: str, suite: str, stage: str, proofs: list[dict[str, object]]
) -> Iterator[Reason]:
    when = "before the tests" if stage == "start" else "after the tests"
    proof = next((each for each in reversed(proofs) if each.get("stage") == stage), None)
    if proof is None:
        if stage == "end" and any(each.get("outcome") != THIS_COMMIT for each in proofs):
            return  # nothing was deployed to begin with, which the first stage says
        message = f"the {suite} suite has no proof of what was deployed {when}"
        yield Reason(
            "deployment_proof", VerdictClass.UNTRUSTED, message, path, "run the suite again to its end"
        )
        return
    details = proof.get("proof")
    commit = details.get("commit") if isinstance(details, dict) else None
    if proof.get("outcome") == THIS_COMMIT and commit == question.subject.commit:
        return
    failure = proof.get("failure")
    if isinstance(failure, dict) and failure.get("class") != "untrusted":
        return  # the environment never got ready: a failure like any other, and the tests say so
    said = failure.get("summary") if isinstance(failure, dict) else f"{proof.get('outcome')}, commit {commit}"
    seen = f": {failure['details']}" if isinstance(failure, dict) and failure.get("details") else ""
    yield Reason(
        "deployment_proof",
        VerdictClass.UNTRUSTED,
        f"the {suite} suite did not test {question.subject.commit[:12]} ({when}): {said}{seen}".replace(
            "\n", "; "
        ),
        path,
        str(failure.get("next", ""))
        if isinstance(failure, dict)
        else "deploy the commit and run the suite again",
    )
