"""The relay for workspace connections (DERP): open to everybody, a WebSocket for who names its subprotocol."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PROTOCOL = "derp"


class Relay:
    """Accepts connections, and relays nothing: workspaces are on this machine."""

    def routes(self, _api: str) -> list[BaseRoute]:
        """The routes, which are not below the API."""
        return [Route("/derp", self._plain), WebSocketRoute("/derp", self._socket)]

    async def _plain(self, _request: Request) -> Response:
        return PlainTextResponse("DERP requires connection upgrade\n", 426)

    async def _socket(self, socket: WebSocket) -> None:
        if PROTOCOL not in socket.scope.get("subprotocols", []):
            await socket.send_denial_response(PlainTextResponse("DERP requires connection upgrade\n", 426))
            return
        await socket.accept(PROTOCOL)
        try:
            while True:
                await socket.receive_bytes()
        except (WebSocketDisconnect, KeyError):
            return
