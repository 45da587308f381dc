"""What the gateway and Coder's app proxy have in common: passing a request on to a port of this machine."""

from __future__ import annotations

import asyncio
import contextlib
from http.cookiejar import DefaultCookiePolicy

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

#: Headers that belong to one connection and are not passed on (RFC 9110, section 7.6.1), and those that the
#: forwarder sets itself.
_NOT_PASSED_ON = {
    *("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"),
    *("content-length", "content-encoding", "server", "date"),
}

#: Seconds that the program behind may take for one answer.
TIMEOUT = 30.0


class Forwarder:
    """Forwards requests. It keeps no cookies: one visitor's session must never reach another."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=TIMEOUT)
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def forward(self, request: Request, port: int, raw_path: bytes) -> Response:
        """The answer of whatever listens on `port`. Raises `httpx.TransportError` if nothing does."""
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_PASSED_ON}
        answer = await self._client.request(
            request.method,
            httpx.URL(f"http://127.0.0.1:{port}", raw_path=raw_path),
            headers=headers,
            content=await request.body(),
        )
        response = Response(answer.content, answer.status_code)
        for name, value in answer.headers.multi_items():
            if name not in _NOT_PASSED_ON:
                response.headers.append(name, value)
        return response

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


async def forward_socket(socket: WebSocket, port: int, path: str) -> None:
    """Join a client's WebSocket with one of whatever listens on `port`; 502 before it is opened if nothing does."""
    query = socket.scope["query_string"].decode()
    address = f"ws://127.0.0.1:{port}{path}{'?' + query if query else ''}"
    protocols = [Subprotocol(each) for each in socket.scope.get("subprotocols", [])]
    try:
        async with connect(address, subprotocols=protocols or None, proxy=None) as behind:
            await socket.accept(behind.subprotocol)
            both = {
                asyncio.create_task(_from_client(socket, behind)),
                asyncio.create_task(_from_behind(socket, behind)),
            }
            _, left = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
    except (OSError, WebSocketException) as error:
        if socket.application_state is WebSocketState.CONNECTING:
            await socket.send_denial_response(PlainTextResponse(f"Bad Gateway: {error}", 502))


async def _from_client(socket: WebSocket, behind: ClientConnection) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, ConnectionClosed):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            content = message.get("text")
            await behind.send(content if content is not None else message["bytes"])


async def _from_behind(socket: WebSocket, behind: ClientConnection) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        async for content in behind:
            await (socket.send_text(content) if isinstance(content, str) else socket.send_bytes(content))
        await socket.close()
