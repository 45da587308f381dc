"""The client of a Coder deployment: all calls in one place. How they are sent is in `transport`."""

from __future__ import annotations

import ssl
from collections import Counter
from types import TracebackType

from gatehouse.coder.api.deployment import DeploymentCalls
from gatehouse.coder.api.identity import IdentityCalls
from gatehouse.coder.api.streams import StreamCalls
from gatehouse.coder.api.templates import TemplateCalls
from gatehouse.coder.calls import Call
from gatehouse.coder.observed import RateLimit
from gatehouse.coder.transport import RATE_LIMIT_BUDGET, Network, Transport
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock


class CoderClient(DeploymentCalls, IdentityCalls, TemplateCalls, StreamCalls):
    """A deployment at `url`, asked with `token`. Use as a context manager, or call `close`. For one thread.

    Every call raises the error that the answer stands for (see `errors` and `core.errors`), with the server's own
    words, method and path, and what to do next.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        clock: Clock = SYSTEM_CLOCK,
        transport: Network | None = None,
        trust: ssl.SSLContext | None = None,
        rate_limit_budget: float = RATE_LIMIT_BUDGET,
    ) -> None:
        """`transport` takes the place of the network, in tests. `trust` is for certificates not known here.

        `rate_limit_budget` is how many seconds a call waits at most for a rate limit to pass.
        """
        super().__init__(
            Transport(url, token, clock, network=transport, trust=trust, rate_limit_budget=rate_limit_budget)
        )

    def __enter__(self) -> CoderClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @property
    def url(self) -> str:
        """The deployment's address, without a slash at its end."""
        return self._transport.url

    @property
    def versions(self) -> set[str]:
        """Every server version seen on an answer; more than one means that replicas differ."""
        return self._transport.observed.versions

    @property
    def embedded(self) -> bool:
        """Whether any answer said that it comes from the embedded platform."""
        return self._transport.observed.embedded

    @property
    def license_warnings(self) -> set[str]:
        """What the deployment warned of about its license, on any answer."""
        return self._transport.observed.license_warnings

    @property
    def requests(self) -> Counter[Call]:
        """How often each call was sent, repetitions included."""
        return self._transport.observed.requests

    @property
    def rate_limits(self) -> dict[Call, RateLimit]:
        """What the newest answer to each call said of its limit, where it did."""
        return self._transport.observed.rate_limits

    @property
    def clock_skew_seconds(self) -> float:
        """How far the server's clock is ahead of this machine's; 0 for what may be the time the answer took."""
        return self._transport.observed.skew.total_seconds()
