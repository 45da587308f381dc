"""Evidence that is too old, or comes from the future."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gatehouse.gate.verdict import Question, Reason, VerdictClass

#: Clocks of two machines may differ by this much.
SKEW = timedelta(minutes=5)


def check(question: Question) -> Iterator[Reason]:
    """The record's own start time must lie within the policy's limit."""
    limit = timedelta(hours=question.policy.max_age_hours)
    for bundle in question.bundles:
        if bundle.started is None:
            continue  # a record without a start cannot be read at all, which another rule says
        age = question.now - bundle.started
        if age > limit or age < -SKEW:
            when = (
                "is from the future"
                if age < timedelta()
                else f"is {age.total_seconds() / 3600:.1f} hours old"
            )
            yield Reason(
                "age",
                VerdictClass.UNTRUSTED,
                f"the {bundle.name} evidence {when}; the policy allows {limit.total_seconds() / 3600:.0f}",
                bundle.path,
                "run the suite again",
            )
