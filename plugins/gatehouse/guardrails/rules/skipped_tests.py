"""Tests that are newly skipped, expected to fail, or left alone by a focus on others."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.guardrails.languages import language_of
from gatehouse.guardrails.model import Case, Violation, Weight

_SHOWN = 5


def check(case: Case) -> Iterator[Violation]:
    """Added lines of test files; in a file that is new as a whole, a note."""
    for diff in case.diffs:
        language = language_of(diff.path)
        if language is None:
            continue
        found = [
            (number, line)
            for number, line in diff.added
            if language.skips.search(line) and not line.lstrip().startswith(language.comment + " ")
        ]
        for number, line in found[:_SHOWN]:
            yield Violation(
                "skipped-test",
                diff.path,
                number,
                f"a test is newly skipped, expected to fail, or focused: {line.strip()[:120]}",
                "let the test run, and repair what it finds",
                Weight.NOBODY if diff.is_new else Weight.PROFILES,
            )
