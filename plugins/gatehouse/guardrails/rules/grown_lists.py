"""Lists of accepted findings that grew, expected results that were written anew, checks that were made soft."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.core.changes import Status
from gatehouse.guardrails.model import Case, Diff, Violation, Weight, matches


def check(case: Case) -> Iterator[Violation]:
    """Baselines and allow-lists may only shrink; snapshots are noted; soft switches are not to be added."""
    settings = case.settings.tampering
    for diff in case.diffs:
        if matches(diff.path, settings.baselines):
            yield from _grown(diff)
        elif matches(diff.path, settings.snapshots) and not diff.is_new:
            yield Violation(
                "changed-snapshot",
                diff.path,
                0,
                f"an expected result was {diff.change.status}",
                "look whether the new result is meant",
                Weight.NOBODY,
            )
        elif matches(diff.path, settings.soft_files):
            yield from _soft(diff, settings.soft_words)


def _grown(diff: Diff) -> Iterator[Violation]:
    more = len(diff.added) - len(diff.removed)
    if diff.change.status is not Status.DELETED and more > 0:
        yield Violation(
            "grown-baseline",
            diff.path,
            diff.added[0][0],
            f"the list of accepted findings grew by {more} line{'s' if more > 1 else ''}",
            "repair the finding instead of accepting it; such a list may only shrink",
        )


def _soft(diff: Diff, words: list[str]) -> Iterator[Violation]:
    for number, line in diff.added:
        if word := next((word for word in words if word in line), None):
            yield Violation(
                "soft-check",
                diff.path,
                number,
                f"{word} makes a check find less, or pass whatever it finds",
                "take it out, and repair what the check finds",
            )
