"""Time on the embedded platform: how it is written on the wire, and how long each step takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def whole_seconds(moment: datetime | None = None) -> str:
    """RFC 3339 without fractions, as Kubernetes and Argo CD write their times."""
    return (moment or now()).strftime("%Y-%m-%dT%H:%M:%SZ")


def microseconds(moment: datetime | None = None) -> str:
    """RFC 3339 with six digits, as Coder and Kubernetes' events write their times."""
    return (moment or now()).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """The moment written in RFC 3339."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass
class Timings:
    """Seconds that each step takes; a scenario may change any of them."""

    image_build: float = 0.3
    pod_schedule: float = 0.05
    image_pull: float = 0.1
    image_pull_backoff: float = 0.5
    crash_backoff: float = 0.5
    readiness_period: float = 0.1
    pod_termination: float = 0.1
    namespace_termination: float = 0.1
    volume_binding: float = 0.05
    progress_deadline: float = 600.0

    build_queue: float = 0.1
    build_apply: float = 0.3
    agent_connect: float = 0.2
    app_check: float = 0.1

    application_set_poll: float = 1.0
    application_compare: float = 0.1
    application_poll: float = 30.0
    sync_wave: float = 0.1
    sync_retry: float = 0.5
    self_heal: float = 0.2
    event_batch: float = 0.02
    namespace_janitor: float = 0.5

    stream_keepalive: float = 15.0


async def pause(seconds: float) -> None:
    """Let a step take its time; even a step of 0 seconds lets other work go on."""
    await asyncio.sleep(seconds)
