"""Tests that are gone, and are nowhere else in the change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gatehouse.guardrails.languages import Language, language_of
from gatehouse.guardrails.model import Case, Diff, Violation, Weight


def check(case: Case) -> Iterator[Violation]:
    """Names of tests before and after, over all changed files: one that moved to another file is not gone.

    A file in which as many tests came as went may just have renamed them, which is a note.
    """
    files = [(diff, language) for diff in case.diffs if (language := language_of(diff.path))]
    names = [
        (diff, language, language.test_names(diff.old), language.test_names(diff.new))
        for diff, language in files
    ]
    elsewhere = Counter[str]()
    for diff, _, old, new in names:
        if not _went_on(diff):
            elsewhere += Counter(new) - Counter(old)
    for diff, language, old, new in names:
        if _went_on(diff):
            continue  # judged where it went
        gone = _take(Counter(old) - Counter(new), elsewhere)
        if gone:
            came = sum((Counter(new) - Counter(old)).values())
            yield _violation(diff, language, gone, renamed=came >= len(gone))


def _went_on(diff: Diff) -> bool:
    """Whether the file was renamed, and not so that nobody takes it for tests any more."""
    return diff.change.renamed_to is not None and language_of(diff.change.renamed_to) is not None


def _take(gone: Counter[str], elsewhere: Counter[str]) -> list[str]:
    """Those of `gone` that are not elsewhere; those that are count no second time."""
    left = []
    for name in gone.elements():
        if elsewhere[name] > 0:
            elsewhere[name] -= 1
        else:
            left.append(name)
    return left


def _violation(diff: Diff, language: Language, gone: list[str], *, renamed: bool) -> Violation:
    shown = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")
    if diff.new is None:
        shown += "; the file was deleted"
    tests = f"{len(gone)} {language.name} test{'s' if len(gone) > 1 else ''}"
    return Violation(
        "deleted-test",
        diff.path,
        0,
        f"{tests} {'renamed or replaced' if renamed else 'deleted'}: {shown}",
        "put them back, and repair what they test; if they are to go, guardrails.allow at the base says so",
        Weight.NOBODY if renamed else Weight.PROFILES,
    )
