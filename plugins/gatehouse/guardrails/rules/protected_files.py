"""Files that decide what is judged and how: a change to them is looked at by people."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.guardrails.model import Case, Diff, Violation, matches


def check(case: Case) -> Iterator[Violation]:
    """The configuration, the marker, the protected files, and files that call the gate."""
    settings = case.settings
    always = [f"/{case.config_file}", f"/{settings.marker}", *settings.protected]
    for diff in case.diffs:
        calls = matches(diff.path, settings.gate_callers) and _mentions(diff, settings.gate_words)
        if not (calls or matches(diff.path, always)):
            continue
        if matches(diff.path, case.profile.settings.may_change_protected):
            continue
        yield Violation(
            "protected-file",
            diff.path,
            0,
            f"it {'calls the gate' if calls else 'decides what is judged and how'} ({diff.change.status})",
            "undo the change; people change it in a pull request of its own, or the base's "
            f"guardrails.profiles.{case.profile.name}.may_change_protected names it",
        )


def _mentions(diff: Diff, words: list[str]) -> bool:
    if diff.unread:
        return True  # nobody can tell that it does not
    return any(word in text for text in (diff.old, diff.new, diff.staged) if text for word in words)
