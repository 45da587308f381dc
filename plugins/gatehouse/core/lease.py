"""Whether the process that wrote a file still lives: it holds a lock on it (flock) until it ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import platform
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gatehouse.core.deadline import SYSTEM_CLOCK, Clock

#: Pauses, in seconds, between attempts to tell a living process from another one that is asking just now.
ATTEMPTS = (0.0, 0.02, 0.05, 0.1)

#: Locks of this process by device and inode; kept until it ends, or until `release`.
_held: dict[tuple[int, int], int] = {}


class Holder(StrEnum):
    """What is known of the process that wrote a file. `UNKNOWN` on another machine, and for copies of the file."""

    ALIVE = "alive"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Lease:
    """Where a lock can be looked at: only on this machine, and only for the file itself, not for a copy."""

    host: str
    inode: int


def hold(path: Path) -> Lease | None:
    """Hold the lock of `path` until this process ends; None where the file system has no locks.

    Several processes may hold it. Raises `OSError` when the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    key = (status.st_dev, status.st_ino)
    if key in _held:
        os.close(descriptor)
    else:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except OSError:
            os.close(descriptor)
            return None
        _held[key] = descriptor
    return Lease(platform.node(), status.st_ino)


def release(path: Path) -> None:
    """Give up this process's lock of `path`, if it holds it."""
    try:
        status = path.stat()
    except OSError:
        return
    if descriptor := _held.pop((status.st_dev, status.st_ino), None):
        os.close(descriptor)


def holder(path: Path, lease: Lease | None, *, clock: Clock = SYSTEM_CLOCK) -> Holder:
    """Whether a process that holds the lease of `path` still lives; `lease` is what it wrote of it."""
    if lease is None or lease.host != platform.node():
        return Holder.UNKNOWN
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return Holder.UNKNOWN
    try:
        if os.fstat(descriptor).st_ino != lease.inode:
            return Holder.UNKNOWN
        return _asked(descriptor, clock)
    finally:
        os.close(descriptor)


def _asked(descriptor: int, clock: Clock) -> Holder:
    """The lock can be had alone only where nobody holds it; who asks at the same time holds it for a moment."""
    for pause in ATTEMPTS:
        clock.sleep(pause)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        except OSError:
            return Holder.UNKNOWN
        return Holder.ENDED
    return Holder.ALIVE
