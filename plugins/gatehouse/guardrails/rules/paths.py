"""Files that the profile must not change, or that are not among those it may."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.guardrails.model import Case, Violation, matches


def check(case: Case) -> Iterator[Violation]:
    """Every changed path, both ends of a rename, against the profile's `forbidden` and `allowed`."""
    profile = case.profile.settings
    where = f"guardrails.profiles.{case.profile.name}"
    for diff in case.diffs:
        if matches(diff.path, profile.forbidden):
            yield Violation(
                "forbidden-path",
                diff.path,
                0,
                f"the profile {case.profile.name} must not change it ({diff.change.status}, {diff.change.origin})",
                f"undo the change and leave it to the profile it belongs to; the list is {where}.forbidden",
            )
        elif profile.allowed is not None and not matches(diff.path, profile.allowed):
            yield Violation(
                "not-allowed-path",
                diff.path,
                0,
                f"the profile {case.profile.name} may change {_listed(profile.allowed)} "
                f"({diff.change.status}, {diff.change.origin})",
                f"undo the change, or have the path added to {where}.allowed on the base branch",
            )


def _listed(patterns: list[str]) -> str:
    if not patterns:
        return "nothing"
    shown = ", ".join(patterns[:5])
    return f"only {shown}" + (f" and {len(patterns) - 5} more" if len(patterns) > 5 else "")
