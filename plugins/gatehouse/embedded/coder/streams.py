"""What Coder sends as it happens: logs and workspace watches."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehouse.embedded.coder.records import Database, Log

Json = dict[str, Any]


async def follow_log(socket: WebSocket, log: Log, after: int, as_array: bool) -> None:
    """Send each line after the one with id `after`, as text frames, until the log is finished."""
    await socket.accept()
    gone = asyncio.create_task(_until_closed(socket))
    try:
        while not gone.done():
            changed = log.changed
            for line in [line for line in log.lines if line["id"] > after]:
                after = line["id"]
                await socket.send_text(json.dumps([line] if as_array else line))
            if log.finished:
                await socket.close()
                return
            waiting = asyncio.create_task(changed.wait())
            await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    except (WebSocketDisconnect, RuntimeError):
        return
    finally:
        gone.cancel()


def watch_sse(database: Database, current: Callable[[], Json], keepalive: float) -> Response:
    """Server-sent events: the workspace at each change, a ping in between."""

    async def stream() -> AsyncIterator[bytes]:
        async for kind, data in _states(database, current, keepalive):
            yield f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()

    return StreamingResponse(stream(), media_type="text/event-stream")


async def watch_socket(
    socket: WebSocket, database: Database, current: Callable[[], Json], keepalive: float
) -> None:
    """The same over a WebSocket, as `{"type", "data"}` frames."""
    await socket.accept()
    gone = asyncio.create_task(_until_closed(socket))
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        async for kind, data in _states(database, current, keepalive):
            if gone.done():
                break
            await socket.send_json({"type": kind, "data": data})
    gone.cancel()


async def _states(
    database: Database, current: Callable[[], Json], keepalive: float
) -> AsyncIterator[tuple[str, Json | None]]:
    last: Json | None = None
    while True:
        changed = database.changed
        if (state := current()) != last:
            last = state
            yield "data", state
        try:
            async with asyncio.timeout(keepalive):
                await changed.wait()
        except TimeoutError:
            yield "ping", None


async def _until_closed(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive()
