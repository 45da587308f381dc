"""Workspaces: create, list, build, watch."""

from __future__ import annotations

import re
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from gatehouse.embedded import clock
from gatehouse.embedded.clock import Timings
from gatehouse.embedded.coder import streams
from gatehouse.embedded.coder.access import NOT_FOUND, Access, CoderError, Json, deny, request_body
from gatehouse.embedded.coder.provisioner import Provisioner
from gatehouse.embedded.coder.records import Build, Database, Template, TemplateVersion, Workspace
from gatehouse.embedded.coder.wire import Wire

NAME = re.compile(r"^[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$")


class WorkspaceApi:
    """Routes about workspaces."""

    def __init__(
        self, database: Database, access: Access, wire: Wire, provisioner: Provisioner, timings: Timings
    ) -> None:
        self._database = database
        self._access = access
        self._wire = wire
        self._provisioner = provisioner
        self._timings = timings

    def routes(self, api: str) -> list[BaseRoute]:
        """The routes below `api`."""
        workspace = f"{api}/workspaces/{{workspace}}"
        return [
            Route(f"{api}/users/{{user}}/workspace/{{name}}", self._workspace_by_name),
            Route(f"{api}/users/{{user}}/workspaces", self._create_workspace, methods=["POST"]),
            Route(f"{api}/workspaces", self._list_workspaces),
            Route(workspace, self._workspace),
            Route(f"{workspace}/builds", self._builds, methods=["GET", "POST"]),
            Route(f"{workspace}/timings", self._timings_of),
            Route(f"{workspace}/extend", self._extend, methods=["PUT"]),
            Route(f"{workspace}/ttl", self._ttl, methods=["PUT"]),
            Route(f"{workspace}/watch", self._watch),
            WebSocketRoute(f"{workspace}/watch-ws", self._watch_socket),
        ]

    async def _create_workspace(self, request: Request) -> Response:
        owner = self._access.named_member(request)
        caller = self._access.caller(request)
        body = await request_body(request)
        name = body.get("name", "")
        if not NAME.match(name) or len(name) > 32 or name in ("new", "create"):
            detail = 'Validation failed for tag "workspace_name" with value: ' + repr(name)
            raise CoderError(400, "Validation failed.", fields={"name": detail})
        if bool(body.get("template_id")) == bool(body.get("template_version_id")):
            raise CoderError(
                400,
                "Validation failed.",
                fields={"template_id": "exactly one of template_id and template_version_id"},
            )
        template, version = self._chosen(body)
        if self._database.find_workspace(owner, name):
            raise CoderError(
                409,
                f'Workspace "{name}" already exists.',
                fields={"name": "This value is already in use and should be unique."},
            )
        ttl = body.get("ttl_ms")
        _check_ttl(ttl)
        parameters = self._values(version, body.get("rich_parameter_values") or [])
        workspace = Workspace(name, owner, template, ttl, body.get("automatic_updates", "never"))
        self._database.workspaces[workspace.id] = workspace
        self._enqueue(workspace, Build(1, "start", version, parameters, caller))
        return JSONResponse(self._wire.workspace(workspace), 201)

    def _chosen(self, body: Json) -> tuple[Template, TemplateVersion]:
        for template in self._database.templates.values():
            if template.id == body.get("template_id"):
                return template, template.active
            for version in template.versions:
                if version.id == body.get("template_version_id"):
                    return template, version
        field = "template_id" if body.get("template_id") else "template_version_id"
        raise CoderError(
            400, f'Template "{body.get(field)}" doesn\'t exist.', fields={field: "template not found"}
        )

    @staticmethod
    def _values(
        version: TemplateVersion, given: list[Json], before: dict[str, str] | None = None
    ) -> dict[str, str]:
        values = {each["name"]: each["value"] for each in given}
        known = {parameter.name for parameter in version.parameters}
        if unknown := sorted(set(values) - known):
            raise CoderError(
                400,
                "Unable to validate parameters",
                fields={unknown[0]: "parameter does not exist on the template version"},
            )
        for parameter in version.parameters:
            fallback = (before or {}).get(parameter.name, parameter.default)
            if fallback is not None:
                values.setdefault(parameter.name, fallback)
            if parameter.name not in values:
                raise CoderError(
                    400,
                    "Unable to validate parameters",
                    fields={parameter.name: "required parameter has no value"},
                )
        return values

    def _enqueue(self, workspace: Workspace, build: Build) -> None:
        workspace.builds.append(build)
        self._provisioner.enqueue(workspace, build)
        self._database.touch()

    async def _list_workspaces(self, request: Request) -> Response:
        caller = self._access.caller(request)
        terms = dict(term.split(":", 1) for term in request.query_params.get("q", "").split() if ":" in term)

        def wanted(workspace: Workspace) -> bool:
            owner = terms.get("owner", "")
            return (
                not workspace.deleted
                and (workspace.owner is caller or caller.is_owner)
                and (not owner or workspace.owner.username == (caller.username if owner == "me" else owner))
                and terms.get("name", "") in workspace.name  # a part of the name is enough
                and terms.get("template", workspace.template.name) == workspace.template.name
                and terms.get("status", workspace.latest.status) == workspace.latest.status
            )

        found = [each for each in self._database.workspaces.values() if wanted(each)]
        offset, limit = (
            int(request.query_params.get(name, default)) for name, default in (("offset", 0), ("limit", 0))
        )
        page = found[offset : offset + limit if limit else None]
        return JSONResponse(
            {"workspaces": [self._wire.workspace(each) for each in page], "count": len(found)}
        )

    async def _workspace(self, request: Request) -> Response:
        workspace = self._access.workspace(request)
        if workspace.deleted and request.query_params.get("include_deleted") != "true":
            raise CoderError(
                410,
                f'Workspace "{workspace.name}" was deleted. You can view this workspace by specifying '
                "'?include_deleted=true' and trying again.",
            )
        return JSONResponse(self._wire.workspace(workspace))

    async def _workspace_by_name(self, request: Request) -> Response:
        workspace = self._database.find_workspace(
            self._access.named_member(request),
            request.path_params["name"],
            include_deleted=request.query_params.get("include_deleted") == "true",
        )
        if workspace is None:
            raise NOT_FOUND
        return JSONResponse(self._wire.workspace(workspace))

    async def _builds(self, request: Request) -> Response:
        workspace = self._access.workspace(request)
        if request.method == "GET":
            builds = [self._wire.build(workspace, each) for each in reversed(workspace.builds)]
            offset, limit = (int(request.query_params.get(name) or 0) for name in ("offset", "limit"))
            return JSONResponse(builds[offset : offset + limit if limit else None])
        body = await request_body(request)
        transition = body.get("transition")
        if transition not in ("start", "stop", "delete"):
            raise CoderError(
                400, "Validation failed.", fields={"transition": 'must be one of "start", "stop", "delete"'}
            )
        if workspace.deleted:
            raise CoderError(410, f'Workspace "{workspace.name}" was deleted.')
        if workspace.latest.job.status in ("pending", "running"):
            raise CoderError(409, "A workspace build is already active.")
        version = workspace.latest.version
        if wanted := body.get("template_version_id"):
            version = workspace.template.version(wanted)
        parameters = self._values(
            version, body.get("rich_parameter_values") or [], workspace.latest.parameters
        )
        build = Build(
            len(workspace.builds) + 1,
            transition,
            version,
            parameters,
            self._access.caller(request),
            orphan=bool(body.get("orphan")),
        )
        self._enqueue(workspace, build)
        return JSONResponse(self._wire.build(workspace, build), 201)

    async def _timings_of(self, request: Request) -> Response:
        return JSONResponse(self._wire.timings(self._access.workspace(request).latest))

    async def _extend(self, request: Request) -> Response:
        workspace = self._access.workspace(request)
        deadline = clock.parse((await request_body(request)).get("deadline", ""))
        if deadline < clock.now() + timedelta(minutes=30):
            raise CoderError(
                400, "Cannot extend workspace.", "new deadline must be at least 30 minutes in the future"
            )
        workspace.latest.deadline = deadline
        return JSONResponse({"message": "Deadline updated."})

    async def _ttl(self, request: Request) -> Response:
        workspace = self._access.workspace(request)
        ttl = (await request_body(request)).get("ttl_ms")
        _check_ttl(ttl)
        workspace.ttl_ms = ttl
        self._database.touch()
        return Response(status_code=204)

    async def _watch(self, request: Request) -> Response:
        workspace = self._access.workspace(request)
        return streams.watch_sse(
            self._database, lambda: self._wire.workspace(workspace), self._timings.stream_keepalive
        )

    async def _watch_socket(self, socket: WebSocket) -> None:
        try:
            workspace = self._access.workspace(socket)
        except CoderError as error:
            await deny(socket, error)
            return
        await streams.watch_socket(
            socket, self._database, lambda: self._wire.workspace(workspace), self._timings.stream_keepalive
        )


def _check_ttl(milliseconds: int | None) -> None:
    if milliseconds is not None and not 60_000 <= milliseconds < 30 * 86_400_000:
        raise CoderError(
            400, "Validation failed.", fields={"ttl_ms": "time until shutdown must be at least one minute"}
        )
