"""What files outside of git's list are: programs, installed dependencies, interpreters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Bytes up to which a file outside of git's list is told by its content; larger ones by size and time.
CONTENT_LIMIT = 1 << 20


@dataclass
class Identities:
    """What files outside of git's list are, as far as it can be told without running them; asked once each."""

    root: Path
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, path: str) -> str:
        """A text that is another one once the file, or the list of what is in the folder, is another one."""
        if path not in self._known:
            self._known[path] = identity(Path(path))
        return self._known[path]

    @property
    def asked(self) -> Mapping[str, str]:
        """All that was told so far, by path."""
        return dict(self._known)


def identity(path: Path) -> str:
    """Content of a small file, names in a folder; size and time of a large file; `absent`."""
    try:
        found = path.stat()
        if path.is_dir():
            return "folder " + digest(sorted(each.name for each in path.iterdir()))
        if found.st_size <= CONTENT_LIMIT:
            return "content " + hashlib.sha256(path.read_bytes()).hexdigest()
        return f"file {path.resolve().name} {found.st_size} {found.st_mtime_ns}"
    except OSError:
        return "absent"


def digest(lines: Iterable[str]) -> str:
    """One digest of several texts."""
    found = hashlib.sha256()
    for line in lines:
        found.update(line.encode(errors="surrogateescape"))
        found.update(b"\n")
    return found.hexdigest()
