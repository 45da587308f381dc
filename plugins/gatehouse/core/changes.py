"""What a work tree holds that its base does not: committed, staged, unstaged and untracked, as one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gatehouse.core.checkout import Checkout
from gatehouse.core.work_tree import SUBMODULE, Entry, WorkTree, content_id, mode_on_disk

#: Files that git compares with each other to find renames of edited files, each with each.
RENAME_LIMIT = 400

#: Files not yet staged that are read to find whether they are renames of deleted ones, and bytes of each.
_READ_FOR_RENAMES, _LARGEST_RENAMED = 1000, 1024 * 1024

#: The tree without files, which git knows in every repository, by the length of its object ids.
_EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


class Status(StrEnum):
    """How a path differs from the base."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"


class Origin(StrEnum):
    """Where the latest version of a changed path is."""

    COMMITTED = "committed"
    STAGED = "staged"
    UNSTAGED = "unstaged"
    UNTRACKED = "untracked"


@dataclass(frozen=True)
class Change:
    """One path that differs from the base; a rename is two: a deletion and an addition.

    Modes are git's six digits (100644, 100755 executable, 120000 symbolic link, 160000 submodule), None where the
    path is not there. `new_blob` is None when the new version is only on disk. Of a submodule the blobs are its
    commits; equal ones mean that the pointer stands and files inside differ. `staged_blob` is a third version
    that is staged and neither the base's nor the one on disk.
    """

    path: str
    status: Status
    origin: Origin
    old_mode: str | None = None
    new_mode: str | None = None
    old_blob: str | None = None
    new_blob: str | None = None
    renamed_from: str | None = None
    renamed_to: str | None = None
    staged_blob: str | None = None

    @property
    def is_submodule(self) -> bool:
        """Whether it is, or was, the pointer to another repository's commit."""
        return SUBMODULE in (self.old_mode, self.new_mode)


@dataclass(frozen=True)
class Changes:
    """All that differs from `base`, by path. `base` is None when only what is not committed was looked at."""

    base: str | None
    entries: Mapping[str, Change]

    def __iter__(self) -> Iterator[Change]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def paths(self) -> frozenset[str]:
        """Every path that differs, both ends of renames included."""
        return frozenset(self.entries)


def changes_since(checkout: Checkout, base: str | None, tree: WorkTree | None = None) -> Changes:
    """What differs from the commit `base`; without one, from the commit checked out (before the first: all).

    `tree` saves reading it again. Paths that a sparse checkout leaves out are not deletions; repositories inside
    this one that are not tracked are left out. Raises `UsageError` with git's words when git cannot.
    """
    tree = tree or WorkTree.of(checkout)
    since = base or checkout.head or _EMPTY_TREES[tree.id_length]
    listing = checkout.git(
        *("diff-index", "--cached", "--raw", "-z", "--find-renames", f"-l{RENAME_LIMIT}"),
        *("--no-relative", "--ignore-submodules=none", since, "--"),
    )
    in_index = read_raw(listing)
    found: dict[str, Change] = {}
    untracked = frozenset(tree.untracked)
    for path in sorted({*in_index, *tree.differing, *untracked}):
        if change := _change(tree, path, in_index.get(path), path in untracked):
            found[path] = change
    return Changes(base, _with_renames(tree, found))


def read_raw(listing: str) -> dict[str, Change]:
    """The entries of `git diff-index --cached --raw -z`, with renames as two; those in conflict as deletions."""
    found: dict[str, Change] = {}
    fields = iter(listing.split("\0"))
    for about in fields:
        if not about:
            continue
        old_mode, new_mode, old_blob, new_blob, kind = about[1:].split(" ")
        path = next(fields)
        old, new = _entry(old_mode, old_blob), _entry(new_mode, new_blob)
        if kind[0] == "R":
            target = next(fields)
            found[path] = replace(_between(path, Origin.COMMITTED, old, None), renamed_to=target)
            found[target] = replace(_between(target, Origin.COMMITTED, None, new), renamed_from=path)
        else:
            found[path] = _between(path, Origin.COMMITTED, old, new)
    return found


def _entry(mode: str | None, blob: str | None) -> Entry | None:
    return Entry(mode, blob) if mode and blob and mode != "000000" else None


def _between(path: str, origin: Origin, old: Entry | None, new: Entry | None) -> Change:
    status = Status.ADDED if old is None else Status.DELETED if new is None else Status.MODIFIED
    return Change(
        path,
        status,
        origin,
        old_mode=old.mode if old else None,
        new_mode=new.mode if new else None,
        old_blob=old.blob if old else None,
        new_blob=(new.blob or None) if new else None,
    )


def _change(tree: WorkTree, path: str, in_index: Change | None, untracked: bool) -> Change | None:
    """How one path differs from the base; None when it vanished while it was looked at."""
    differing = tree.differing.get(path)
    if in_index is not None:
        in_index = replace(in_index, origin=Origin.STAGED if path in tree.staged else Origin.COMMITTED)
    if differing is None and not untracked:
        return in_index
    if in_index is not None:
        old = _entry(in_index.old_mode, in_index.old_blob)
    else:
        old = differing.index if differing else None
    if differing and differing.mode == SUBMODULE and differing.index and not differing.moved:
        # The pointer stands; what differs is inside.
        return in_index or _between(path, Origin.UNSTAGED, old, differing.index)
    mode = differing.mode if differing else mode_on_disk(tree.root / path)
    if mode is None and old is None and in_index is None:
        return None
    staged_blob = in_index.new_blob if in_index else None
    if in_index is not None and path not in tree.unmerged and _is_on_disk(tree, path, mode, old):
        return in_index
    change = _between(
        path, Origin.UNSTAGED if differing else Origin.UNTRACKED, old, Entry(mode, "") if mode else None
    )
    return replace(change, renamed_from=in_index.renamed_from if in_index else None, staged_blob=staged_blob)


def _is_on_disk(tree: WorkTree, path: str, mode: str | None, version: Entry | None) -> bool:
    """Whether just this version of a path, or its absence, is what lies on disk."""
    if version is None or mode != version.mode:
        return version is None and mode is None
    if mode == SUBMODULE:
        return False
    return content_id(tree.root / path, tree.id_length) == version.blob


def _with_renames(tree: WorkTree, found: dict[str, Change]) -> dict[str, Change]:
    """`found` with renames that are not staged yet: a file that is new holds just what a deleted one held."""
    gone = {
        change.old_blob: change.path
        for change in found.values()
        if change.status is Status.DELETED and not change.renamed_to and change.old_mode != SUBMODULE
    }
    new = [
        change.path
        for change in found.values()
        if change.origin is Origin.UNTRACKED and change.status is Status.ADDED
    ]
    if not gone:
        return found
    for path in new[:_READ_FOR_RENAMES]:
        if source := gone.pop(content_id(tree.root / path, tree.id_length, _LARGEST_RENAMED), None):
            found[path] = replace(found[path], renamed_from=source)
            found[source] = replace(found[source], renamed_to=path)
    return found
