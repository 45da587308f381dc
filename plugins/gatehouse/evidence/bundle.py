"""The folder of one run."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatehouse.core.errors import UsageError

LATEST = "latest"


@dataclass(frozen=True)
class Bundle:
    """`folder` holds everything that one run leaves behind; `run_id` is also in its record and manifest."""

    run_id: str
    folder: Path

    @classmethod
    def create(cls, root: Path, folder: Path | None = None) -> Bundle:
        """Make an empty folder: `folder`, or a new one named after the run in `root`.

        Points `latest` at it at once, so that a run that dies is not hidden behind an older green one.
        Raises `UsageError` when it cannot be written, or `folder` is there and not empty.
        """
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        chosen = folder or root / run_id
        try:
            make_root(chosen.parent)
            if folder and folder.is_dir() and any(folder.iterdir()):
                raise UsageError(
                    f"the evidence folder {folder} is not empty",
                    next_step="name a new one: evidence of two runs in one folder proves nothing",
                )
            chosen.mkdir(mode=0o700, exist_ok=folder is not None)
            (chosen / "attachments").mkdir()
        except OSError as error:
            raise UsageError(
                f"evidence cannot be written to {chosen}",
                seen=f"{type(error).__name__}: {error.strerror or error}",
                next_step="make the folder writable, or name another with --gate-evidence",
            ) from error
        bundle = cls(run_id, chosen)
        if folder is None:
            bundle._point_latest_here()
        return bundle

    def _point_latest_here(self) -> None:
        link = self.folder.parent / LATEST
        temporary = self.folder.parent / f".{LATEST}-{self.run_id}"
        try:
            temporary.symlink_to(self.folder.name)
            temporary.replace(link)
        except OSError:  # a file system without links: the newest name still sorts last
            temporary.unlink(missing_ok=True)


def make_root(root: Path) -> None:
    """Make the folder of all bundles; a new one tells git to pass it over, so that no checkout gets dirty.

    Raises `OSError`.
    """
    try:
        root.mkdir(parents=True)
    except FileExistsError:  # made before, or by another run at this moment
        if not root.is_dir():
            raise
        if not os.access(root, os.W_OK):
            raise PermissionError(13, "Permission denied", str(root)) from None
        return
    (root / ".gitignore").write_text("*\n")
