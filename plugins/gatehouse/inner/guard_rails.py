"""The guard rails as a check of the inner suite: judged before anything else, in a few milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from gatehouse.guardrails.preflight import Examination, examine
from gatehouse.inner.inner_run import Before
from gatehouse.inner.model import Blame, Check, Finding, Package, Parsed, Phase

#: The name of the package that the check belongs to.
GUARD_RAILS = "guard-rails"


def examine_change(before: Before, profile: str | None, environment: Mapping[str, str]) -> Examination:
    """Judge what the checkout changes. Raises `UsageError` for a profile that does not exist."""
    return examine(
        before.checkout,
        before.base,
        before.changes,
        option_profile=profile,
        environment=environment,
        today=datetime.now(UTC).date(),
    )


def guard_check(root: Path, examination: Examination) -> Check:
    """The check whose findings are the violations."""

    def look() -> Parsed:
        return Parsed(
            tuple(
                Finding(each.path or GUARD_RAILS, each.message, each.line or None, rule=each.rule)
                for each in examination.violations
            )
        )

    first = next(iter(examination.violations), None)
    return Check(
        Package(root, "", GUARD_RAILS, GUARD_RAILS),
        str(examination.profile),
        Phase.CONTRACT,
        Blame.GUARD_RAIL,
        how_to_install=first.next_step if first else "",
        look=look,
    )
