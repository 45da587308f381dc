"""Connections that end as they do when something breaks: without an answer."""

from __future__ import annotations

import inspect
import socket
import struct
from typing import Any

from starlette.types import Receive, Send


async def reset(receive: Receive, send: Send) -> None:
    """End a connection without an answer, and with a reset."""
    abort(send)
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass


def abort(send: Send) -> None:
    """Reset the connection that the server's own `send` is for."""
    server: Any = inspect.unwrap(send)  # a bound method
    transport = server.__self__.transport
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
