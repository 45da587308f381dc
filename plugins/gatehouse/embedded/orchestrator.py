"""A look-alike of an orchestrator of agents' sessions behind its own edge: pages, an API, its description, a socket."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

_PAGE = '<!doctype html><html lang="en"><title>Sessions</title><div id="root"></div></html>'
_REFERENCE = (
    '<!doctype html><html lang="en"><title>API</title><script data-url="/openapi.json"></script></html>'
)

#: The custom resources that it works with.
CUSTOM_RESOURCES = {
    "sessions.agents.shop.example": "Session",
    "harnessruns.agents.shop.example": "HarnessRun",
}


class Orchestrator:
    """Its edge and its API in one. `pages_for_api` says that the edge serves its page for the API's paths, too."""

    def __init__(self) -> None:
        self.pages_for_api = False

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/", lambda _request: HTMLResponse(_PAGE)),
                Route("/scalar", lambda _request: HTMLResponse(_REFERENCE)),
                Route("/openapi.json", self._description),
                Route("/healthz", lambda _request: PlainTextResponse("ok")),
                Route("/readyz", lambda _request: PlainTextResponse("ok")),
                Route("/api/v1/sessions", self._sessions),
                WebSocketRoute("/api/v1/sessions/{session}/attach", self._attach),
            ]
        )

    async def _description(self, _request: Request) -> Response:
        paths = {"/api/v1/sessions": {"get": {"responses": {"200": {"description": "All sessions"}}}}}
        return JSONResponse(
            {"openapi": "3.1.0", "info": {"title": "Sessions", "version": "1"}, "paths": paths}
        )

    async def _sessions(self, request: Request) -> Response:
        if self.pages_for_api:
            return HTMLResponse(_PAGE)
        if "authorization" not in request.headers:
            return JSONResponse({"error": {"message": "a bearer token is required"}}, 401)
        return JSONResponse({"items": []})

    async def _attach(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                await socket.send_text(await socket.receive_text())
        except (WebSocketDisconnect, KeyError):
            return
