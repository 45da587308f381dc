"""Secrets in lines that the change adds: once pushed they are known, whatever a later commit takes away."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gatehouse.guardrails.model import Case, Diff, Violation, Weight, matches
from gatehouse.guardrails.secret_shapes import Seen, secrets_in

#: Files in which values stand without quotes.
_PLAIN_VALUES = ["*.env", ".env*", "*.y*ml", "*.tfvars", "*.properties", "*.ini", "*.cfg", "*.conf", "*.toml"]

#: Of one file so many are shown: one is as bad as all.
_SHOWN = 5


def check(case: Case) -> Iterator[Violation]:
    """Every added line of a text, staged versions included. The value itself is never shown."""
    for diff in case.diffs:
        if matches(diff.path, case.settings.secrets.ignored_files) or "\0" in (diff.new or "")[:8000]:
            continue
        added = (*diff.added, *diff.added_when_staged)
        found = secrets_in(
            [line for _, line in added],
            case.settings.secrets.placeholders,
            unquoted=matches(diff.path, _PLAIN_VALUES),
        )
        for place, seen in islice(found, _SHOWN):
            yield _violation(case, diff, *added[place], seen)


def _violation(case: Case, diff: Diff, number: int, line: str, seen: Seen) -> Violation:
    settings = case.settings.secrets
    test_data = matches(diff.path, settings.test_data)
    if settings.comment in line:
        weight = Weight.NOBODY
    elif seen.certain:
        weight = Weight.PROFILES if test_data else Weight.EVERYBODY
    else:
        weight = Weight.NOBODY if test_data else Weight.PROFILES
    return Violation(
        "new-secret",
        diff.path,
        number,
        f"the line adds {seen.kind}",
        "take it out of the file and of the commits, revoke it, and refer to it by name; "
        f"if it is none, say so in the line with the comment `{settings.comment}`",
        weight,
    )
