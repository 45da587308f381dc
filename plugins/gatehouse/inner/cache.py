"""A cache of passes by content, outside of every checkout. Failures are never in it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatehouse.inner.model import ChildOutcome, ChildTest

#: Tests of one check that are kept with its pass.
CHILDREN_LIMIT = 5000


@dataclass(frozen=True)
class Pass:
    """A check that passed: when (seconds since 1970), how long it took, and the tests it ran."""

    check: str
    at: float
    seconds: float
    tests: tuple[ChildTest, ...] = ()


class PassCache:
    """Passes by key, one file each. Entries are written whole or not at all, and are signed.

    The signature's key lies beside the entries, readable for their owner alone: it tells entries that were cut short,
    damaged, copied to another key or written by another user, not those that the owner forges on purpose.
    """

    def __init__(self, folder: Path, megabytes: int) -> None:
        """`folder` is made when something is stored; `megabytes` is the limit kept by `prune`."""
        self._folder = folder
        self._limit = megabytes * 1_000_000
        self._secret: bytes | None = None

    def find(self, key: str) -> Pass | None:
        """The pass with this key; None where there is none, or none that can be believed."""
        path = self._path(key)
        try:
            data = json.loads(path.read_bytes())
            body = data["pass"]
            if not hmac.compare_digest(str(data["signature"]), self._signature(key, body)):
                return None
            found = Pass(
                str(body["check"]),
                float(body["at"]),
                float(body["seconds"]),
                tuple(_child(each) for each in body["tests"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        _touch(path)
        return found

    def store(self, key: str, found: Pass) -> str:
        """Keep a pass. Returns why it could not be kept (a full disk), which harms nobody; empty when it was."""
        body: dict[str, Any] = asdict(found) | {
            "tests": [asdict(each) for each in found.tests[:CHILDREN_LIMIT]]
        }
        try:
            text = json.dumps({"pass": body, "signature": self._signature(key, body)})
            write_whole(self._path(key), text.encode())
        except OSError as error:
            return f"{error.strerror or error}: {self._folder}"
        return ""

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

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

    def _signature(self, key: str, body: Mapping[str, Any]) -> str:
        if self._secret is None:
            self._secret = _secret(self._folder / "signing-key")
        text = json.dumps([key, body], sort_keys=True)
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that others see all of it or what was there before. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _secret(path: Path) -> bytes:
    """The key of the signatures; the first who needs it makes it, whoever else starts at the same moment."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_bytes()


def _child(data: Mapping[str, Any]) -> ChildTest:
    return ChildTest(**{**data, "outcome": ChildOutcome(data["outcome"])})


def _touch(path: Path) -> None:
    """Note that an entry was used, once an hour at most."""
    try:
        if time.time() - path.stat().st_mtime > 3600:
            os.utime(path)
    except OSError:
        pass  # a cache on a disk that only reads
