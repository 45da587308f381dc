"""Old and new texts of changed files, read from git and from disk within limits."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gatehouse.core.changes import Change, Changes, Status
from gatehouse.core.checkout import Checkout
from gatehouse.core.work_tree import SUBMODULE
from gatehouse.guardrails.model import Diff

#: Bytes of a file that is read, and of all together. What is beyond is not judged by content, and that is said.
LARGEST_FILE = 1024 * 1024
LARGEST_TOTAL = 64 * 1024 * 1024

_TOO_LARGE = f"larger than {LARGEST_FILE // 1024} KiB"
_TOO_MUCH = f"the files before it hold {LARGEST_TOTAL // 1024 // 1024} MiB"


def read_diffs(checkout: Checkout, changes: Changes) -> tuple[Diff, ...]:
    """The changes with their texts: at most two processes of git, none when nothing changed."""
    wanted = {
        blob
        for change in changes
        for mode, blob in (
            (change.old_mode, change.old_blob),
            (change.new_mode, change.new_blob),
            (change.new_mode or change.old_mode, change.staged_blob),
        )
        if blob and mode != SUBMODULE
    }
    blobs = _Blobs(checkout, wanted)
    budget = _Budget()
    by_path = changes.entries
    return tuple(
        _read(checkout.root, change, by_path.get(change.renamed_from or ""), blobs, budget)
        for change in changes
    )


class _Budget:
    """Bytes of files on disk that may still be read."""

    def __init__(self) -> None:
        self.left = LARGEST_TOTAL


def _read(root: Path, change: Change, source: Change | None, blobs: _Blobs, budget: _Budget) -> Diff:
    if change.is_submodule:
        return Diff(change)
    old, unread = blobs.text(source.old_blob if source else change.old_blob)
    new, staged = None, None
    if change.status is not Status.DELETED:
        if change.new_blob:
            new, why = blobs.text(change.new_blob)
        else:
            new, why = _on_disk(root / change.path, budget)
        unread = unread or why
    if change.staged_blob:
        staged, why = blobs.text(change.staged_blob)
        unread = unread or why
    return Diff(change, old, new, staged, unread)


def _on_disk(path: Path, budget: _Budget) -> tuple[str | None, str]:
    try:
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            return os.fspath(path.readlink()), ""
        if not stat.S_ISREG(about.st_mode):
            return None, "not a file"
        if about.st_size > LARGEST_FILE:
            return None, _TOO_LARGE
        if about.st_size > budget.left:
            return None, _TOO_MUCH
        budget.left -= about.st_size
        return path.read_bytes().decode(errors="surrogateescape"), ""
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"


class _Blobs:
    """Texts of blobs by id, those that are too large left out."""

    def __init__(self, checkout: Checkout, wanted: Iterable[str]) -> None:
        self._texts: dict[str, str] = {}
        self._unread: dict[str, str] = {}
        names = sorted(wanted)
        if not names:
            return
        _, sizes, _ = checkout.ask("cat-file", "--batch-check", stdin=_lines(names))
        small, total = [], 0
        for line in sizes.splitlines():
            name, kind, *size = line.split(" ")
            if kind != "blob" or not size:
                self._unread[name] = "not in this clone"
            elif int(size[0]) > LARGEST_FILE:
                self._unread[name] = _TOO_LARGE
            elif (total := total + int(size[0])) > LARGEST_TOTAL:
                self._unread[name] = _TOO_MUCH
            else:
                small.append(name)
        if small:
            _, output, _ = checkout.ask("cat-file", "--batch", stdin=_lines(small))
            self._texts.update((name, text) for name, text in read_batch(output) if text is not None)

    def text(self, blob: str | None) -> tuple[str | None, str]:
        """The text of a blob, or why it was not read."""
        if blob is None:
            return None, ""
        if blob in self._texts:
            return self._texts[blob], ""
        return None, self._unread.get(blob, "not in this clone")


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode(errors="surrogateescape")


def read_batch(output: str) -> Iterator[tuple[str, str | None]]:
    """The id and text of each object that `git cat-file --batch` was asked for, in order; no text if it is no file."""
    content = output.encode(errors="surrogateescape")
    place = 0
    while place < len(content):
        end = content.index(b"\n", place)
        header = content[place:end].decode(errors="surrogateescape")
        place = end + 1
        if header.endswith(" missing"):
            yield header.removesuffix(" missing"), None
            continue
        name, kind, size = header.rsplit(" ", 2)
        text = content[place : place + int(size)].decode(errors="surrogateescape")
        yield name, text if kind == "blob" else None
        place += int(size) + 1
