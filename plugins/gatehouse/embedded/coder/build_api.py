"""Builds and agents: state, logs, terminals, and the proxy to an agent's apps."""

from __future__ import annotations

import httpx
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded import clock
from gatehouse.embedded.coder import streams
from gatehouse.embedded.coder.access import Access, CoderError, Json, deny
from gatehouse.embedded.coder.agent import Agents
from gatehouse.embedded.coder.records import AppState, Database
from gatehouse.embedded.coder.terminals import Terminals
from gatehouse.embedded.coder.wire import Wire
from gatehouse.embedded.forwarding import Forwarder, forward_socket

APP = "/@{user}/{target}/apps/{slug}/{path:path}"

#: What builds may be canceled in, as in the query of the call.
CANCELABLE = ("pending", "running")


class BuildApi:
    """Routes about builds, agents and apps."""

    def __init__(
        self,
        database: Database,
        access: Access,
        wire: Wire,
        agents: Agents,
        owner: ProcessOwner,
        forwarder: Forwarder,
    ) -> None:
        self._database = database
        self._access = access
        self._wire = wire
        self._agents = agents
        self._terminals = Terminals(owner)
        self._forwarder = forwarder

    def routes(self, api: str) -> list[BaseRoute]:
        """The routes below `api`, and those of the apps."""
        build, agent = f"{api}/workspacebuilds/{{build}}", f"{api}/workspaceagents/{{agent}}"
        return [
            Route(build, self._build),
            Route(f"{build}/parameters", self._parameters),
            Route(f"{build}/cancel", self._cancel, methods=["PATCH"]),
            Route(f"{build}/logs", self._build_logs),
            WebSocketRoute(f"{build}/logs", self._follow_build_logs),
            Route(agent, self._agent),
            Route(f"{agent}/logs", self._agent_logs),
            WebSocketRoute(f"{agent}/logs", self._follow_agent_logs),
            Route(f"{agent}/listening-ports", self._listening_ports),
            WebSocketRoute(f"{agent}/pty", self._terminal),
            Route(APP, self._app),
            WebSocketRoute(APP, self._app_socket),
        ]

    async def _build(self, request: Request) -> Response:
        return JSONResponse(self._wire.build(*self._access.build(request)))

    async def _parameters(self, request: Request) -> Response:
        _, build = self._access.build(request)
        return JSONResponse([{"name": name, "value": value} for name, value in build.parameters.items()])

    async def _cancel(self, request: Request) -> Response:
        _, build = self._access.build(request)
        expected = request.query_params.get("expect_status")
        if expected and expected not in CANCELABLE:
            raise CoderError(
                400, f"Invalid expect_status {expected!r}. Only 'running' or 'pending' are allowed."
            )
        if expected and build.job.status != expected:
            raise CoderError(412, f"Job is not in the expected state: {build.job.status}.")
        if build.job.status not in CANCELABLE:
            raise CoderError(400, "Job has already completed!")
        build.job.status, build.job.canceled_at = "canceled", clock.microseconds()
        build.job.completed_at = clock.microseconds()
        self._database.touch()
        return JSONResponse({"message": "Job has been marked as canceled..."})

    async def _build_logs(self, request: Request) -> Response:
        _, build = self._access.build(request)
        return _lines(request, build.log.lines)

    async def _follow_build_logs(self, socket: WebSocket) -> None:
        try:
            _, build = self._access.build(socket)
        except CoderError as error:
            await deny(socket, error)
            return
        await streams.follow_log(socket, build.log, int(socket.query_params.get("after", 0)), as_array=False)

    async def _agent(self, request: Request) -> Response:
        return JSONResponse(self._wire.agent(*self._access.agent(request)))

    async def _agent_logs(self, request: Request) -> Response:
        _, _, agent = self._access.agent(request)
        return _lines(request, agent.log.lines)

    async def _follow_agent_logs(self, socket: WebSocket) -> None:
        try:
            _, _, agent = self._access.agent(socket)
        except CoderError as error:
            await deny(socket, error)
            return
        await streams.follow_log(socket, agent.log, int(socket.query_params.get("after", 0)), as_array=True)

    async def _terminal(self, socket: WebSocket) -> None:
        try:
            workspace, _, agent = self._access.agent(socket)
            container = self._agents.container(workspace)
            if container is None or agent.status != "connected":
                raise CoderError(
                    400, f'Agent state is {agent.status!r}, it must be in the "connected" state.'
                )
        except CoderError as error:
            await deny(socket, error)
            return
        name = socket.query_params.get("reconnect", "")
        command = socket.query_params.get("command", "")
        terminal = await self._terminals.open(agent.id, name, container, command)
        height, width = (int(socket.query_params.get(side) or 0) for side in ("height", "width"))
        terminal.resize(height, width)
        await terminal.serve(socket)

    async def _listening_ports(self, request: Request) -> Response:
        workspace, _, agent = self._access.agent(request)
        if self._agents.container(workspace) is None or agent.status != "connected":
            raise CoderError(400, f'Agent state is "{agent.status}", it must be in the "connected" state.')
        ports = [
            {"process_name": state.app.slug, "network": "tcp", "port": state.port}
            for state in agent.apps
            if state.health == "healthy"
        ]
        return JSONResponse({"ports": ports})

    async def _app(self, request: Request) -> Response:
        state = self._app_state(request)
        if state is None:
            return _error_page(404, "Application Not Found")
        query = f"?{request.url.query}" if request.url.query else ""
        try:
            return await self._forwarder.forward(
                request, state.port, f"/{request.path_params['path']}{query}".encode()
            )
        except httpx.TransportError as error:
            return _error_page(502, "Bad Gateway", f"Failed to proxy request to application: {error}")

    async def _app_socket(self, socket: WebSocket) -> None:
        try:
            state = self._app_state(socket)
        except CoderError as error:
            await deny(socket, error)
            return
        if state is None:
            await socket.send_denial_response(_error_page(404, "Application Not Found"))
            return
        await forward_socket(socket, state.port, f"/{socket.path_params['path']}")

    def _app_state(self, connection: HTTPConnection) -> AppState | None:
        """The app in the path, None if there is none. Raises `CoderError` 401 or 404."""
        owner = self._access.named_member(connection)
        name, _, agent_name = connection.path_params["target"].partition(".")
        workspace = self._database.find_workspace(owner, name)
        agent = workspace.latest.agent if workspace else None
        if agent is None or (agent_name and agent.name != agent_name):
            return None
        return next((each for each in agent.apps if each.app.slug == connection.path_params["slug"]), None)


def _lines(request: Request, lines: list[Json]) -> Response:
    after, before = int(request.query_params.get("after", 0)), int(request.query_params.get("before", 0))
    wanted = [line for line in lines if line["id"] > after and (not before or line["id"] < before)]
    if request.query_params.get("format") == "text":
        return PlainTextResponse("".join(f"{line['created_at']} {line['output']}\n" for line in wanted))
    return JSONResponse(wanted)


def _error_page(status: int, title: str, text: str = "") -> Response:
    return HTMLResponse(
        f"<!doctype html><title>{status} - {title}</title><h1>{title}</h1><p>{text}</p>", status
    )
