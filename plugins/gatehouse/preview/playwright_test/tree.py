"""What a run has written into the checkout that it tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gatehouse.core.checkout import Checkout
from gatehouse.core.errors import GatehouseError, ProductFailure, UsageError

#: Folders that Python's journeys, which run at the same time, write to.
_OF_PYTEST = ("__pycache__", ".pytest_cache")

Snapshot = Mapping[str, tuple[str, int, int]]


def snapshot(folder: Path, passed_over: Sequence[Path]) -> Snapshot | None:
    """Files of the checkout around `folder` that differ from its commit, without ignored ones; None outside of one."""
    try:
        checkout = Checkout.find(folder)
    except UsageError:
        return None
    found = {}
    for entry in checkout.status():
        name = entry[3:]
        path = checkout.root / name
        if any(part in _OF_PYTEST for part in path.parts) or any(
            path.is_relative_to(each) for each in passed_over
        ):
            continue
        try:
            status = path.lstat()
        except OSError:  # deleted
            found[name] = (entry[:2], 0, 0)
        else:
            found[name] = (entry[:2], status.st_mtime_ns, status.st_size)
    return found


def changes(before: Snapshot | None, after: Snapshot | None) -> list[str]:
    """Names of files that are new, changed or gone."""
    if before is None or after is None:
        return []
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def left_behind(projects: Sequence[str], changed: Sequence[str]) -> GatehouseError:
    """The failure that names what was written."""
    return ProductFailure(
        f"the tests of {' and '.join(projects)} changed the checkout: {changed[0]}",
        expected="the same `git status` before and after",
        seen="; ".join(changed[:10]),
        next_step="have tests write to testInfo.outputPath(), which is in the evidence, or to an ignored file",
    )
