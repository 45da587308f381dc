"""W3C trace context and baggage, by which logs and traces of the deployed system are found by test."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import quote

from gatehouse.core.journey_settings import CorrelationSettings


@dataclass(frozen=True)
class Correlation:
    """One attempt of a test as a trace of its own: `traceparent` and `baggage` as they are sent."""

    trace_id: str
    traceparent: str
    baggage: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers, in lower case as HTTP/2 has them."""
        return {"traceparent": self.traceparent, "baggage": self.baggage}


def correlate(settings: CorrelationSettings, run_id: str, test_id: str, attempt: int) -> Correlation:
    """The ids of an attempt of a test; the same ones for the same run, test and attempt.

    The forms are those of https://www.w3.org/TR/trace-context/ (sampled) and https://www.w3.org/TR/baggage/.
    """
    attempted = f"{run_id}\n{test_id}\n{attempt}"
    trace_id = hashlib.sha256(attempted.encode()).hexdigest()[:32]
    span_id = hashlib.sha256(f"span\n{attempted}".encode()).hexdigest()[:16]
    return Correlation(
        trace_id,
        f"00-{trace_id}-{span_id}-01",
        f"{settings.run}={quote(run_id, safe='')},{settings.test}={quote(test_id, safe='')}",
    )
