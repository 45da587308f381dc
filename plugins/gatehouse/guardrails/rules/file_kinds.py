"""Files that became something else: a program, or a way out of the tree."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from gatehouse.core.changes import Status
from gatehouse.core.work_tree import EXECUTABLE, REGULAR, SYMLINK
from gatehouse.guardrails.model import Case, Diff, Violation, Weight


def check(case: Case) -> Iterator[Violation]:
    """New or changed symbolic links that lead out of the tree; files that became executable."""
    for diff in case.diffs:
        change = diff.change
        if change.new_mode == SYMLINK and diff.new is not None and leads_out(diff.path, diff.new):
            yield Violation(
                "symlink-out",
                diff.path,
                0,
                f"the symbolic link leads out of the tree, or into .git: {diff.new[:200]}",
                "let it lead to a file of the checkout by a relative path, or copy the file",
            )
        if change.status is Status.MODIFIED and (change.old_mode, change.new_mode) == (REGULAR, EXECUTABLE):
            yield _executable(diff)


def _executable(diff: Diff) -> Violation:
    return Violation(
        "became-executable",
        diff.path,
        0,
        "the file became executable",
        "`git update-index --chmod=-x` undoes it where it is not meant",
        Weight.NOBODY,
    )


def leads_out(path: str, target: str) -> bool:
    """Whether a symbolic link at `path` leads out of the tree that `path` is in, or into its `.git`."""
    if posixpath.isabs(target):
        return True
    parts = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).split("/")
    return parts[0] in ("..", ".git")
