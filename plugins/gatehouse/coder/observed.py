"""What a deployment says of itself on each answer, whatever was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatehouse.coder.calls import Call
from gatehouse.core.answers import EMBEDDED_SERVER
from gatehouse.core.deadline import clock_skew

VERSION_HEADER = "X-Coder-Build-Version"
WARNING_HEADER = "X-Coder-Entitlements-Warning"


@dataclass(frozen=True)
class RateLimit:
    """How many requests a minute this user may make to an endpoint, and how many are left."""

    limit: int
    remaining: int


@dataclass
class Observed:
    """Grows with every answer."""

    #: Every server version seen; more than one means that replicas differ.
    versions: set[str] = field(default_factory=set)
    #: Whether any answer said that it comes from the embedded platform.
    embedded: bool = False
    #: What the deployment warns of about its license.
    license_warnings: set[str] = field(default_factory=set)
    #: How often each call was sent.
    requests: Counter[Call] = field(default_factory=Counter)
    #: The newest that was said of the limit, by call.
    rate_limits: dict[Call, RateLimit] = field(default_factory=dict)
    #: How far the server's clock is ahead of this machine's.
    skew: timedelta = timedelta()

    def note(self, call: Call, headers: Mapping[str, str], now: datetime) -> None:
        """Take what the headers of an answer say; `now` is this machine's time, and names are in any case."""
        if version := headers.get(VERSION_HEADER):
            self.versions.add(version)
        if warning := headers.get(WARNING_HEADER):
            self.license_warnings.add(warning)
        self.embedded = self.embedded or headers.get("Server") == EMBEDDED_SERVER
        limit, remaining = headers.get("X-RateLimit-Limit", ""), headers.get("X-RateLimit-Remaining", "")
        if limit.isdigit() and remaining.lstrip("-").isdigit():
            self.rate_limits[call] = RateLimit(int(limit), max(0, int(remaining)))
        if (skew := clock_skew(headers.get("Date", ""), now)) is not None:
            self.skew = skew
