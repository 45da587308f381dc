"""Folders of the user that outlive a run."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where tools' caches go: `$XDG_CACHE_HOME/gatehouse`, else `~/.cache/gatehouse`; made if it is not there."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatehouse"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
