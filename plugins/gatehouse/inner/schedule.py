"""Which of the waiting checks may start: a pure decision."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence

from gatehouse.inner.model import Check


def slowest_first(checks: Sequence[Check], seconds: Mapping[str, float]) -> list[Check]:
    """The checks by the seconds they took the last time; those never seen count as the median of the others."""
    known = [seconds[check.id] for check in checks if check.id in seconds]
    usual = statistics.median(known) if known else 0.0
    return sorted(checks, key=lambda check: (-seconds.get(check.id, usual), check.id))


def next_to_start(waiting: Sequence[Check], running: Collection[Check], workers: int) -> Check | None:
    """The first of `waiting` for which there is room: processors, and nobody who holds the same resource.

    A check that wants more processors than there are gets all of them.
    """
    free = workers - sum(slots(check, workers) for check in running)
    held = {check.resource for check in running if check.resource}
    for check in waiting:
        if slots(check, workers) <= free and check.resource not in held:
            return check
    return None


def slots(check: Check, workers: int) -> int:
    """How many of the workers a check occupies; 0 as its weight means all of them."""
    return min(check.weight or workers, workers)
