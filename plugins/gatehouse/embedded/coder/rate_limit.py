"""The limit for requests a minute, counted and written into headers as go-chi/httprate does it."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field

from gatehouse.embedded import clock

#: Requests a minute for each user and endpoint, and for files.
RATE_LIMIT = 512
FILE_LIMIT = 12


@dataclass
class RateLimiter:
    """Counts requests in windows of `window` seconds. The window before counts as far as it is not yet over."""

    limit: int = RATE_LIMIT
    window: int = 60
    #: So many requests in all are let through first, and then none for `pause` seconds; None for no such thing.
    let_through: int | None = None
    pause: int = 60
    _refused_until: float | None = None
    _counts: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def counted(self) -> dict[str, int]:
        """The most requests of a user to an endpoint in one window, by both."""
        most: dict[str, int] = {}
        for (key, _window), count in self._counts.items():
            most[key] = max(most.get(key, 0), count)
        return most

    def take(self, user: str, path: str) -> tuple[bool, dict[str, str]]:
        """Whether a request is within the limit, and the headers that say so."""
        now = clock.now().timestamp()
        window = int(now // self.window)
        key = f"{user} {re.sub(r'[0-9a-f-]{36}', '{id}', path)}"
        limit = min(self.limit, FILE_LIMIT) if "/files/" in path else self.limit
        past = self._counts[key, window - 1] * (1 - (now % self.window) / self.window)
        rate = round(past + self._counts[key, window])
        headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Reset": str((window + 1) * self.window)}
        if rate + 1 > limit:
            # The wait is always the whole window.
            return False, headers | {
                "X-RateLimit-Remaining": str(limit - rate),
                "Retry-After": str(self.window),
            }
        if self.let_through is not None and sum(self._counts.values()) >= self.let_through:
            self._refused_until = self._refused_until or now + self.pause
            if (left := self._refused_until - now) > 0:
                return False, headers | {
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": str(math.ceil(self._refused_until)),
                    "Retry-After": str(math.ceil(left)),
                }
        self._counts[key, window] += 1
        return True, headers | {"X-RateLimit-Remaining": str(limit - rate - 1)}
