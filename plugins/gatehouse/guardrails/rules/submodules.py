"""Pointers to commits of other repositories: a change whose content no diff shows."""

from __future__ import annotations

from collections.abc import Iterator

from gatehouse.core.changes import Status
from gatehouse.guardrails.model import Case, Violation

_MODULES_FILE = ".gitmodules"


def check(case: Case) -> Iterator[Violation]:
    """Pointers that were added, moved or removed, and the file that says where they lead."""
    if case.profile.settings.submodules:
        return
    for diff in case.diffs:
        change = diff.change
        moved = change.is_submodule and (
            change.status is not Status.MODIFIED or change.old_blob != change.new_blob
        )
        if moved or change.path == _MODULES_FILE:
            old, new = (each[:12] if each else "none" for each in (change.old_blob, change.new_blob))
            told = f"the pointer of the submodule was {change.status} ({old} → {new})"
            yield Violation(
                "submodule-pointer",
                change.path,
                0,
                told if moved else f"the list of submodules was {change.status}",
                f"undo it, or have guardrails.profiles.{case.profile.name}.submodules set on the base branch",
            )
