"""What Coder sends as it happens: logs, workspace watches, terminals."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import struct
import termios
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded.coder.records import Database, Log
from gatehouse.embedded.kubernetes.kubelet import Container, end_process

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


async def serve_terminal(socket: WebSocket, container: Container, command: str, owner: ProcessOwner) -> None:
    """A real terminal: bytes out as binary frames, `{"data", "height", "width"}` in. It ends without a code."""
    await socket.accept()
    controller, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        "sh",
        *(["-c", container.real(command)] if command else ["-i"]),
        cwd=container.working_folder,
        env=owner.environment({**container.environment, "TERM": "xterm-256color", "PS1": "$ "}),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    container.commands.add(process)
    loop = asyncio.get_running_loop()
    output: asyncio.Queue[bytes] = asyncio.Queue()

    def readable() -> None:
        try:
            data = os.read(controller, 65536)
        except OSError:
            data = b""
        output.put_nowait(data)
        if not data:
            loop.remove_reader(controller)

    loop.add_reader(controller, readable)
    typing = asyncio.create_task(_read_keys(socket, controller))
    try:
        while data := await output.get():
            await socket.send_bytes(data)
        await socket.close()
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        typing.cancel()
        loop.remove_reader(controller)
        await end_process(process)
        container.commands.discard(process)
        os.close(controller)


async def _read_keys(socket: WebSocket, controller: int) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, ValueError, OSError):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            frame = json.loads(message.get("bytes") or message.get("text") or "{}")
            if frame.get("height") and frame.get("width"):
                size = struct.pack("HHHH", frame["height"], frame["width"], 0, 0)
                fcntl.ioctl(controller, termios.TIOCSWINSZ, size)
            os.write(controller, frame.get("data", "").encode())
