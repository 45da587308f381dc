"""What lies in a work tree, from git's own listings: what is staged, what is changed on disk, what is untracked.

Two processes, whatever the size of the tree. Entries that git was told not to look at (assume-unchanged,
skip-worktree) are looked at here: they are where a change can hide.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.core.checkout import Checkout

REGULAR, EXECUTABLE, SYMLINK, SUBMODULE = "100644", "100755", "120000", "160000"

#: Bytes of a file up to which its content is read to tell whether it changed. Above it the file system is
#: believed: size, times and inode, where the time of the last change of the inode cannot be set by a program.
LARGEST_READ = 64 * 1024 * 1024

#: A monitor of the file system, or times that are only half compared, could say that nothing changed.
_BELIEVE_NOTHING = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.trustctime=true"),
    *("-c", "core.checkStat=default"),
)


@dataclass(frozen=True)
class Entry:
    """A version of a path: git's mode as six digits, and the id of the blob (or the submodule's commit)."""

    mode: str
    blob: str


@dataclass(frozen=True)
class Differing:
    """A path whose file differs from the index. `mode` is None when there is no file."""

    index: Entry | None
    mode: str | None
    #: Of a submodule: whether another commit is checked out in it than the index says.
    moved: bool = False


@dataclass(frozen=True)
class WorkTree:
    """The index, and how the files differ from it. Paths are below the root, with `/`."""

    root: Path
    #: What is staged without conflict: mode and id, with a space between, as git lists them.
    index: dict[str, str] = field(default_factory=dict)
    #: Paths in conflict in the middle of a merge.
    unmerged: frozenset[str] = frozenset()
    #: Paths whose file differs from the index, those in conflict included.
    differing: dict[str, Differing] = field(default_factory=dict)
    untracked: tuple[str, ...] = ()
    #: Folders that are repositories of their own and not tracked, as `folder`.
    nested: tuple[str, ...] = ()
    #: Paths that differ between the commit checked out and the index.
    staged: frozenset[str] = frozenset()
    #: Paths that a sparse checkout left out: in the index, not on disk, and not deleted either.
    left_out: frozenset[str] = frozenset()
    #: Digits of this repository's object ids: 40, or 64 where it uses SHA-256.
    id_length: int = 40

    @classmethod
    def of(cls, checkout: Checkout) -> WorkTree:
        """Reads a checkout. Raises `UsageError` with git's words when git cannot."""
        # The status first: it brings the index up to date, which the listing then shows.
        status = checkout.git(
            *(*_BELIEVE_NOTHING, "status", "--porcelain=v2", "-z", "--untracked-files=all"),
            *("--no-renames", "--ignore-submodules=none"),
        )
        listing = checkout.git("ls-files", "--stage", "-v", "-z")
        index, unmerged, unwatched = _read_listing(listing)
        differing, untracked, staged = _read_status(status)
        left_out = set()
        for path, entry, may_be_absent in unwatched:
            mode = mode_on_disk(checkout.root / path)
            if mode is None and may_be_absent:
                left_out.add(path)
            elif (found := _unlike(checkout, path, entry, mode)) is not None:
                differing.setdefault(path, found)
        return cls(
            root=checkout.root,
            index=index,
            unmerged=frozenset(unmerged),
            differing=differing,
            untracked=tuple(path for path in untracked if not path.endswith("/")),
            nested=tuple(path.rstrip("/") for path in untracked if path.endswith("/")),
            staged=frozenset(staged),
            left_out=frozenset(left_out),
            id_length=_id_length(checkout, index),
        )


def _id_length(checkout: Checkout, index: dict[str, str]) -> int:
    if index:
        return len(next(iter(index.values())).split(" ")[1])
    return 64 if "sha256" in checkout.git("rev-parse", "--show-object-format") else 40


def _read_listing(listing: str) -> tuple[dict[str, str], set[str], list[tuple[str, Entry, bool]]]:
    """The entries of `git ls-files --stage -v -z`, the paths in conflict, and the entries git does not watch.

    The last with whether the file may be absent without being deleted.
    """
    index: dict[str, str] = {}
    unmerged: set[str] = set()
    unwatched = []
    for line in listing.split("\0"):
        about, _, path = line.partition("\t")  # tag, mode, id, stage
        if not about:
            continue
        if not about.endswith(" 0"):
            unmerged.add(path)
            continue
        index[path] = about[2:-2]
        if about[0] != "H":
            mode, blob = about[2:-2].split(" ")
            unwatched.append((path, Entry(mode, blob), about[0] in "Ss"))
    return index, unmerged, unwatched


def _read_status(status: str) -> tuple[dict[str, Differing], list[str], set[str]]:
    """What `git status --porcelain=v2 -z --no-renames` says: differing paths, untracked ones, staged ones."""
    differing: dict[str, Differing] = {}
    untracked: list[str] = []
    staged: set[str] = set()
    for line in status.split("\0"):
        match line[:1]:
            case "?":
                untracked.append(line[2:])
            case "1":
                _, states, submodule, _, index_mode, mode, _, index_blob, path = line.split(" ", 8)
                if states[0] != ".":
                    staged.add(path)
                if states[1] != ".":
                    index = Entry(index_mode, index_blob) if index_mode != "000000" else None
                    moved = submodule[0] == "S" and submodule[1] == "C"
                    differing[path] = Differing(index, None if mode == "000000" else mode, moved)
            case "u":
                _, _, _, _, _, _, mode, _, _, _, path = line.split(" ", 10)
                differing[path] = Differing(None, None if mode == "000000" else mode)
    return differing, untracked, staged


def _unlike(checkout: Checkout, path: str, entry: Entry, mode: str | None) -> Differing | None:
    """How the file of an entry that git does not watch differs from it; None when it does not."""
    if entry.mode == SUBMODULE and (mode is None or mode == SUBMODULE):
        # One that is not checked out is an empty folder.
        moved = mode is not None and Checkout(checkout.root / path).head != entry.blob
        return Differing(entry, SUBMODULE, moved) if moved else None
    if mode == entry.mode and content_id(checkout.root / path, len(entry.blob)) == entry.blob:
        return None
    return Differing(entry, mode)


def mode_on_disk(path: Path) -> str | None:
    """Git's mode of what is at `path`; None where there is nothing that git could store."""
    try:
        found = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(found):
        return SYMLINK
    if stat.S_ISREG(found):
        return EXECUTABLE if found & stat.S_IXUSR else REGULAR
    if stat.S_ISDIR(found) and (path / ".git").exists():
        return SUBMODULE
    return None


def content_id(path: Path, id_length: int = 40, largest: int = LARGEST_READ) -> str:
    """The id git would give to the bytes of a file, or to the target of a symbolic link; `""` if it is gone.

    Of a file of more than `largest` bytes, or that cannot be read, an id made of its size, times and inode: it
    changes whenever the file does, and equals no other. Filters of git (line ends, large file storage) are not
    applied: the bytes are what programs see.
    """
    try:
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            content = os.fsencode(path.readlink())
        elif not stat.S_ISREG(about.st_mode) or about.st_size > largest:
            return _id_of_status(about)
        else:
            content = path.read_bytes()
    except FileNotFoundError:
        return ""
    except PermissionError:
        return _id_of_status(about)
    digest = hashlib.sha1(usedforsecurity=False) if id_length == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % len(content))
    digest.update(content)
    return digest.hexdigest()


def _id_of_status(about: os.stat_result) -> str:
    return f"unread:{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}:{about.st_dev}:{about.st_ino}"
