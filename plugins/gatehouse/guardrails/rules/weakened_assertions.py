"""Assertions that are gone, hold whatever the code does, or whose failure is caught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gatehouse.guardrails.languages import Language, language_of
from gatehouse.guardrails.model import Case, Diff, Violation

_RULE = "weakened-assertion"
_NEXT = "put the assertion back, and repair the code that it holds to its word"


def check(case: Case) -> Iterator[Violation]:
    """Fewer assertions in a test file that stays, those left out that went to another file of the change."""
    files = [(diff, language) for diff in case.diffs if (language := language_of(diff.path))]
    came = Counter(
        line.strip() for diff, language in files for _, line in diff.added if language.assertions.search(line)
    )
    for diff, language in files:
        if diff.old is not None and diff.new is not None:
            yield from _fewer(diff, language, came)
        yield from _empty(diff, language)


def _fewer(diff: Diff, language: Language, came: Counter[str]) -> Iterator[Violation]:
    gone = [line.strip() for _, line in diff.removed if language.assertions.search(line)]
    own = Counter(line.strip() for _, line in diff.added if language.assertions.search(line))
    moved = sum((Counter(gone) & (came - own)).values())
    lost = len(gone) - moved - sum(own.values())
    if lost <= 0:
        return
    # Fewer tests have fewer assertions; the rule about deleted tests judges those.
    if len(language.test_names(diff.new)) >= len(language.test_names(diff.old)):
        yield Violation(
            _RULE,
            diff.path,
            0,
            f"{lost} assertion{'s' if lost > 1 else ''} fewer than before, such as: {gone[0][:120]}",
            _NEXT,
        )


def _empty(diff: Diff, language: Language) -> Iterator[Violation]:
    lines = (diff.new or "").splitlines()
    for number, line in diff.added:
        following = lines[number] if number < len(lines) else ""
        if language.trivial.search(line):
            yield Violation(
                _RULE, diff.path, number, f"it holds whatever the code does: {line.strip()[:120]}", _NEXT
            )
        elif language.swallows.search(f"{line}\n{following}"):
            yield Violation(
                _RULE, diff.path, number, f"a failure is caught and forgotten: {line.strip()[:120]}", _NEXT
            )
