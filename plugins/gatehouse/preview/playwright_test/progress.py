"""What is said while tests are awaited: failures as they happen, and now and then how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from gatehouse.preview.playwright_test.ending import Ending
from gatehouse.preview.playwright_test.failure import words
from gatehouse.preview.playwright_test.results import ListedTest, ShardEvents

#: Seconds between two lines that only count.
INTERVAL = 30.0


class Progress:
    """Says once of each attempt that it failed, and every `INTERVAL` seconds how many tests have ended."""

    def __init__(
        self, project: str, tests: Iterable[ListedTest], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._project = project
        self._names = {test.key: test.name for test in tests}
        self._monotonic = monotonic
        self._said: set[tuple[str, int]] = set()
        self._counted_at = monotonic()
        self._counted = 0

    def lines(self, seen: Iterable[tuple[ShardEvents, Ending | None]]) -> list[str]:
        """What is new since the last time."""
        attempts = [
            each
            for events, _ in seen
            for key, found in events.attempts.items()
            if key in self._names
            for each in found
        ]
        ended = {each.key for each in attempts if each.as_expected or each.retry >= each.retries}
        count = f"{len(ended)} of {len(self._names)} tests have ended"
        lines = []
        for each in attempts:
            if each.as_expected or each.did_not_run or (each.key, each.retry) in self._said:
                continue
            self._said.add((each.key, each.retry))
            message = words(each.errors[0].message if each.errors else "", each.status)[0]
            again = "; it is tried again" if each.retry < each.retries else ""
            lines.append(f"{self._project}: {self._names[each.key]}: {message}{again} ({count})")
        now = self._monotonic()
        if lines:
            self._counted_at, self._counted = now, len(ended)
        elif now - self._counted_at >= INTERVAL and len(ended) != self._counted:
            self._counted_at, self._counted = now, len(ended)
            lines.append(f"{self._project}: {count}")
        return lines
