"""Templates, their versions and parameters."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gatehouse.embedded.coder.access import NOT_FOUND, Access, CoderError
from gatehouse.embedded.coder.records import Database
from gatehouse.embedded.coder.template_wire import import_log, template_resources
from gatehouse.embedded.coder.wire import Wire


class TemplateApi:
    """Routes about templates."""

    def __init__(self, database: Database, access: Access, wire: Wire) -> None:
        self._database = database
        self._access = access
        self._wire = wire

    def routes(self, api: str) -> list[BaseRoute]:
        """The routes below `api`."""
        return [
            Route(f"{api}/organizations/{{organization}}/templates", self._templates),
            Route(f"{api}/templates", self._templates),
            Route(f"{api}/templates/{{template}}", self._template),
            Route(f"{api}/templates/{{template}}/versions", self._versions),
            Route(f"{api}/templateversions/{{version}}", self._version),
            Route(f"{api}/templateversions/{{version}}/rich-parameters", self._parameters),
            Route(f"{api}/templateversions/{{version}}/presets", self._nothing),
            Route(f"{api}/templateversions/{{version}}/variables", self._nothing),
            Route(f"{api}/templateversions/{{version}}/resources", self._resources),
            Route(f"{api}/templateversions/{{version}}/logs", self._logs),
            Route(f"{api}/files/{{file}}", self._file),
        ]

    async def _templates(self, request: Request) -> Response:
        seen = self._database.templates.values() if self._access.key(request).covers("template:read") else ()
        return JSONResponse([self._wire.template(each) for each in seen])

    async def _template(self, request: Request) -> Response:
        return JSONResponse(self._wire.template(self._access.template(request)))

    async def _versions(self, request: Request) -> Response:
        versions = self._access.template(request).versions
        return JSONResponse([self._wire.template_version(each) for each in versions])

    async def _version(self, request: Request) -> Response:
        return JSONResponse(self._wire.template_version(self._access.version(request)))

    async def _parameters(self, request: Request) -> Response:
        return JSONResponse(self._wire.parameters(self._access.version(request)))

    async def _nothing(self, request: Request) -> Response:
        self._access.version(request)
        return JSONResponse([])

    async def _resources(self, request: Request) -> Response:
        version = self._access.version(request)
        if not version.job.completed_at:
            raise CoderError(400, "Job hasn't completed!")
        return JSONResponse(template_resources(version, with_agents=self._wire.makes_agents))

    async def _logs(self, request: Request) -> Response:
        return JSONResponse(import_log(self._access.version(request)))

    async def _file(self, request: Request) -> Response:
        if not self._access.may(request, "file:read"):
            raise NOT_FOUND
        for template in self._database.templates.values():
            for version in template.versions:
                if version.file_id == request.path_params["file"]:
                    return Response(version.archive, media_type="application/x-tar")
        raise NOT_FOUND
