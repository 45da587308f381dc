"""How long checks took the last time, so that the slowest start first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from gatehouse.inner.signed_files import write_whole


def read_timings(cache: Path, root: Path) -> dict[str, float]:
    """Seconds by check id of the checkout at `root`; empty where nothing can be read."""
    try:
        data = json.loads(_file(cache, root).read_bytes())
        return {str(check): float(seconds) for check, seconds in data.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def add_timings(cache: Path, root: Path, seconds: Mapping[str, float]) -> None:
    """Remember newer times. A disk that is full loses them, and nothing else."""
    known = read_timings(cache, root) | {check: round(took, 3) for check, took in seconds.items()}
    try:
        write_whole(_file(cache, root), json.dumps(known, sort_keys=True).encode())
    except OSError:
        return


def _file(cache: Path, root: Path) -> Path:
    return (
        cache
        / "inner"
        / "timings"
        / f"{hashlib.sha256(str(root).encode(errors='surrogateescape')).hexdigest()}.json"
    )
