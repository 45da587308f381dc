"""A cache of passes by content, outside of every checkout. Failures are never in it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatehouse.inner.model import ChildOutcome, ChildTest
from gatehouse.inner.signed_files import SignedFiles

#: Tests of one check that are kept with its pass.
CHILDREN_LIMIT = 5000


@dataclass(frozen=True)
class Pass:
    """A check that passed: when (seconds since 1970), how long it took, the tests it ran, and if they were counted."""

    check: str
    at: float
    seconds: float
    tests: tuple[ChildTest, ...] = ()
    counted: bool = True


class PassCache:
    """Passes by key, one file each. Failures are never kept."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """`folder` is made when something is stored; `megabytes` is the limit kept by `prune`."""
        self._files = SignedFiles(folder)
        self._folder = folder
        self._limit = megabytes * 1_000_000

    def find(self, key: str) -> Pass | None:
        """The pass with this key; None where there is none, or none that can be believed."""
        body = self._files.read(_name(key))
        if body is None:
            return None
        try:
            found = Pass(
                str(body["check"]),
                float(body["at"]),
                float(body["seconds"]),
                tuple(_child(each) for each in body["tests"]),
                bool(body["counted"]),
            )
        except (KeyError, TypeError, ValueError):
            return None
        _touch(self._folder / _name(key))
        return found

    def store(self, key: str, found: Pass) -> str:
        """Keep a pass. Returns why it could not be kept (a full disk), which harms nobody; empty when it was."""
        tests = [asdict(each) for each in found.tests[:CHILDREN_LIMIT]]
        return self._files.write(_name(key), asdict(found) | {"tests": tests})

    def prune(self) -> None:
        """Remove the entries that were not asked for longest, until the rest is within the limit."""
        entries = sorted(self._entries(), reverse=True)
        kept = 0
        for _used, size, path in entries:
            kept += size
            if kept > self._limit:
                path.unlink(missing_ok=True)

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.glob("??/*.json"):
            try:
                found = path.stat()
            except FileNotFoundError:
                continue  # another run's pruning was faster
            yield found.st_mtime, found.st_size, path


def _name(key: str) -> str:
    return f"{key[:2]}/{key}.json"


def _child(data: Mapping[str, Any]) -> ChildTest:
    return ChildTest(**{**data, "outcome": ChildOutcome(data["outcome"])})


def _touch(path: Path) -> None:
    """Note that an entry was used, once an hour at most."""
    try:
        if time.time() - path.stat().st_mtime > 3600:
            os.utime(path)
    except OSError:
        pass  # a cache on a disk that only reads
