"""Coder's control plane over HTTP: all routes, the version header and the rate limit."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.coder.access import TOKEN_HEADER, Access, CoderError, deny
from gatehouse.embedded.coder.agent import Agents
from gatehouse.embedded.coder.build_api import BuildApi
from gatehouse.embedded.coder.deployment_api import DeploymentApi
from gatehouse.embedded.coder.faults import WireFaults, breaking
from gatehouse.embedded.coder.identity_api import IdentityApi
from gatehouse.embedded.coder.provisioner import Provisioner
from gatehouse.embedded.coder.rate_limit import RateLimiter
from gatehouse.embedded.coder.records import Database
from gatehouse.embedded.coder.relay import Relay
from gatehouse.embedded.coder.template_api import TemplateApi
from gatehouse.embedded.coder.users import new_id
from gatehouse.embedded.coder.wire import Wire
from gatehouse.embedded.coder.workspace_api import WorkspaceApi
from gatehouse.embedded.forwarding import Forwarder

API = "/api/v2"


class CoderApi:
    """The control plane."""

    def __init__(
        self,
        database: Database,
        provisioner: Provisioner,
        agents: Agents,
        timings: Timings,
        owner: ProcessOwner,
        forwarder: Forwarder,
    ) -> None:
        access, wire = Access(database), Wire(database, provisioner.faults)
        self._database = database
        self.rate_limiter = RateLimiter()
        self.faults = WireFaults()
        self.deployment = DeploymentApi(database, access, wire, provisioner)
        self._rooms = (
            self.deployment,
            IdentityApi(database, access, wire),
            TemplateApi(database, access, wire),
            WorkspaceApi(database, access, wire, provisioner, timings),
            BuildApi(database, access, wire, agents, owner, forwarder),
            Relay(),
        )

    def application(self) -> ASGIApp:
        """The ASGI application."""
        return breaking(self._application(), self.faults)

    def _application(self) -> Starlette:
        return Starlette(
            routes=[route for room in self._rooms for route in room.routes(API)],
            middleware=[Middleware(self._every_request)],
            exception_handlers={CoderError: _on_coder_error, HTTPException: _on_http_error},
        )

    def _every_request(self, application: ASGIApp) -> ASGIApp:
        """Middleware: the version header on every answer, 429 above the rate limit, 404 for what it does not know."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await pause(self.faults.seconds)
            self.deployment.next_replica()
            headers = {"X-Coder-Build-Version": self.deployment.version}

            async def send_with_headers(message: Message) -> None:
                if message["type"] in ("http.response.start", "websocket.http.response.start"):
                    MutableHeaders(scope=message).update(headers)
                elif message["type"] == "websocket.accept":
                    message["headers"] = [
                        *message.get("headers", ()),
                        *((name.lower().encode(), value.encode()) for name, value in headers.items()),
                    ]
                await send(message)

            if scope["type"] in ("http", "websocket") and (instead := self.faults.answer(scope)):
                response = Response(instead.body, instead.status, media_type=instead.media_type)
                if scope["type"] == "http":
                    await response(scope, receive, send_with_headers)
                else:
                    await WebSocket(scope, receive, send_with_headers).send_denial_response(response)
            elif scope["type"] == "http":
                within, limits = self._take(Request(scope))
                headers |= limits
                await (application if within else _LIMITED)(scope, receive, send_with_headers)
            elif any(re.fullmatch(path, scope["path"]) for path in self.faults.unknown_sockets):
                await deny(WebSocket(scope, receive, send_with_headers), CoderError(404, "Route not found."))
            else:
                await application(scope, receive, send_with_headers)

        return answer

    def _take(self, request: Request) -> tuple[bool, dict[str, str]]:
        """Whether a request is within the limit, and what is said of it; only the API has one."""
        if not request.url.path.startswith(API):
            return True, {}
        user = self._database.tokens.get(request.headers.get(TOKEN_HEADER, ""))
        if user and user.is_owner and request.headers.get("X-Coder-Bypass-Ratelimit") == "true":
            return True, {}
        return self.rate_limiter.take(user.username if user else "", request.url.path)


_LIMITED = JSONResponse({"message": "You've been rate limited for sending too many requests!"}, 429)


def new_token() -> str:
    """A session token in Coder's form: ten characters, a hyphen, twenty-two characters."""
    digits = (new_id() + new_id()).replace("-", "")
    return f"{digits[:10]}-{digits[10:32]}"


async def _on_coder_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CoderError)
    return JSONResponse(error.body, error.status)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Below the API an unknown route is a JSON 404; anywhere else the dashboard answers."""
    assert isinstance(error, HTTPException)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"message": "Route not found."}, error.status_code)
    return HTMLResponse("<!doctype html><title>Coder</title><div id=root></div>")
