"""What every file of a checkout holds, by id: two equal snapshots mean two equal trees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from gatehouse.core.checkout import Checkout
from gatehouse.core.work_tree import SUBMODULE, Entry, WorkTree, content_id, mode_on_disk

Snapshot = Mapping[str, str]


def snapshot(checkout: Checkout, tree: WorkTree | None = None) -> Snapshot:
    """The mode and content id (`100644 <id>`) of each file that is there, tracked or untracked, not ignored.

    For files that equal the index the id is git's own; others are read, and get the id that git would give to
    their bytes (see `content_id` for very large ones). A submodule or a repository inside this one counts with
    its commit, and with a digest of its own snapshot where it holds changes or is not tracked. Files that a
    sparse checkout leaves out are not there.
    """
    tree = tree or WorkTree.of(checkout)
    found = dict(tree.index)
    for path in tree.left_out:
        del found[path]
    for path in (*tree.differing, *tree.untracked):
        if (seen := _seen(checkout, path, tree.id_length)) is None:
            found.pop(path, None)
        else:
            found[path] = f"{seen.mode} {seen.blob}"
    for path in tree.nested:
        found[path] = f"{SUBMODULE} {_repository(checkout, path)}"
    return found


def _seen(checkout: Checkout, path: str, id_length: int) -> Entry | None:
    """What is on disk; None when nothing is, also when it vanished meanwhile."""
    place = checkout.root / path
    mode = mode_on_disk(place)
    if mode is None:
        return None
    if mode == SUBMODULE:
        return Entry(mode, _repository(checkout, path))
    blob = content_id(place, id_length)
    return Entry(mode, blob) if blob else None


def _repository(checkout: Checkout, path: str) -> str:
    """The commit of a repository inside the checkout, and a digest of its files if they differ from it."""
    inner = Checkout(checkout.root / path)
    tree = WorkTree.of(inner)
    commit = inner.head or "unborn"
    if not (tree.differing or tree.untracked or tree.nested or tree.staged):
        return commit
    digest = hashlib.sha256()
    for name, content in sorted(snapshot(inner, tree).items()):
        digest.update(f"{name}\0{content}\0".encode(errors="surrogateescape"))
    return f"{commit}+{digest.hexdigest()}"
