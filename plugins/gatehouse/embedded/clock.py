"""Time on the embedded platform: how it is written on the wire, and how long each step takes."""

from __future__ import annotations

import asyncio
import functools
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Here(threading.local):
    """How far the clock of the platform that runs in this thread is ahead of the machine's."""

    ahead = timedelta()


_here = _Here()


def set_ahead(difference: timedelta) -> None:
    """Have the clock of the platform that runs in this thread be ahead by so much; a negative time is behind."""
    _here.ahead = difference


def now() -> datetime:
    """The present moment by the platform's clock, aware, in UTC."""
    return datetime.now(UTC) + _here.ahead


def dated(application: ASGIApp) -> ASGIApp:
    """An application whose answers carry the time of the platform's clock, as servers' answers do."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        @functools.wraps(send)  # so that a connection can still be found behind it
        async def send_with_date(message: Message) -> None:
            if message["type"] in (
                "http.response.start",
                "websocket.http.response.start",
                "websocket.accept",
            ):
                date = format_datetime(now(), usegmt=True).encode()
                message["headers"] = [*message.get("headers", ()), (b"date", date)]
            await send(message)

        await application(scope, receive, send_with_date)

    return answer


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
