"""Folders of the user that outlive a run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gatehouse.core.errors import EnvironmentProblem

#: Bytes on the disk of the caches below which tools cannot even write their reports.
ROOM = 1 << 20

NEXT = "or set XDG_CACHE_HOME to another folder"


def cache_folder() -> Path:
    """Where tools' caches go: `$XDG_CACHE_HOME/gatehouse`, else `~/.cache/gatehouse`; made if it is not there.

    Raises `EnvironmentProblem` where it cannot be made.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatehouse"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"the folder for caches cannot be made: {folder}",
            seen=f"{type(error).__name__}: {error.strerror}",
            next_step=f"make it writable, {NEXT}",
        ) from error
    return folder


def require_room(folder: Path) -> None:
    """Raise `EnvironmentProblem` unless the folder can be written to, and its disk has room for a report."""
    free = shutil.disk_usage(folder).free
    if os.access(folder, os.W_OK) and free >= ROOM:
        return
    raise EnvironmentProblem(
        f"nothing can be written to the folder for caches: {folder}",
        expected=f"a folder that may be written to, on a disk with {ROOM} bytes free",
        seen=f"{free} bytes free" if free < ROOM else "the folder is read-only",
        next_step=f"make room, {NEXT}" if free < ROOM else f"make it writable, {NEXT}",
    )
