"""Files whose content was not judged, because they are too large or cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.guardrails.model import Case, Violation, Weight


def check(case: Case) -> Iterator[Violation]:
    """One note for all: what was not looked at must not look as if it were in order."""
    unread = [diff for diff in case.diffs if diff.unread]
    if unread:
        first = unread[0]
        more = f", and {len(unread) - 1} other files" if len(unread) > 1 else ""
        yield Violation(
            "not-read",
            first.path,
            0,
            f"its content was not judged ({first.unread}){more}",
            "look at it by eye, or keep large files elsewhere",
            Weight.NOBODY,
        )
