"""Coder's control plane over HTTP: all routes, the version header and the rate limit."""

from __future__ import annotations

import re
import time
from collections import defaultdict

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded.clock import Timings
from gatehouse.embedded.coder.access import TOKEN_HEADER, Access, CoderError
from gatehouse.embedded.coder.agent import Agents
from gatehouse.embedded.coder.build_api import BuildApi
from gatehouse.embedded.coder.deployment_api import DeploymentApi
from gatehouse.embedded.coder.provisioner import Provisioner
from gatehouse.embedded.coder.records import Database, new_id
from gatehouse.embedded.coder.relay import Relay
from gatehouse.embedded.coder.template_api import TemplateApi
from gatehouse.embedded.coder.wire import Wire
from gatehouse.embedded.coder.workspace_api import WorkspaceApi
from gatehouse.embedded.forwarding import Forwarder

API = "/api/v2"

#: Requests a minute for each user and endpoint.
RATE_LIMIT = 512


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
        self._requests: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.deployment = DeploymentApi(database, access, wire, provisioner)
        self._rooms = (
            self.deployment,
            TemplateApi(database, access, wire),
            WorkspaceApi(database, access, wire, provisioner, timings),
            BuildApi(database, access, wire, agents, owner, forwarder),
            Relay(),
        )
        self.rate_limit = RATE_LIMIT

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[route for room in self._rooms for route in room.routes(API)],
            middleware=[Middleware(self._every_request)],
            exception_handlers={CoderError: _on_coder_error, HTTPException: _on_http_error},
        )

    def _every_request(self, application: ASGIApp) -> ASGIApp:
        """Middleware: the version header on every answer, 429 above the rate limit."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_with_version(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message)["X-Coder-Build-Version"] = self.deployment.version
                await send(message)

            limited = self._over_limit(Request(scope)) if scope["type"] == "http" else None
            await (limited or application)(scope, receive, send_with_version)

        return answer

    def _over_limit(self, request: Request) -> Response | None:
        user = self._database.tokens.get(request.headers.get(TOKEN_HEADER, ""))
        if user and user.is_owner and request.headers.get("X-Coder-Bypass-Ratelimit") == "true":
            return None
        endpoint = re.sub(r"[0-9a-f-]{36}", "{id}", request.url.path)
        recent = self._requests[(user.username if user else "", endpoint)]
        present = time.monotonic()
        recent[:] = [moment for moment in recent if present - moment < 60]
        if len(recent) >= self.rate_limit:
            message = "You've been rate limited for sending too many requests!"
            headers = {"Retry-After": str(int(61 - (present - recent[0])))}
            return JSONResponse({"message": message}, 429, headers=headers)
        recent.append(present)
        return None


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
