"""What Coder says of the deployment: version, health, users, provisioners, entitlements."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehouse.embedded import clock
from gatehouse.embedded.coder.access import Access, CoderError, Json, deny
from gatehouse.embedded.coder.health import HealthFaults, health_report
from gatehouse.embedded.coder.provisioner import DAEMON, Provisioner
from gatehouse.embedded.coder.records import ORGANIZATION, Database
from gatehouse.embedded.coder.wire import Wire

VERSION = "v2.36.4+embedded"


class DeploymentApi:
    """Routes about the deployment as a whole. `version` and `url` are what it says of itself."""

    def __init__(self, database: Database, access: Access, wire: Wire, provisioner: Provisioner) -> None:
        self._database = database
        self._access = access
        self._wire = wire
        self._provisioner = provisioner
        self.url = ""
        self.version = VERSION
        self.health = HealthFaults()

    def routes(self, api: str) -> list[BaseRoute]:
        """The routes below `api`."""
        organization = f"{api}/organizations/{{organization}}"
        return [
            Route("/healthz", lambda _request: PlainTextResponse("OK")),
            Route(f"{api}/", lambda _request: JSONResponse({"message": "👋"})),
            Route(f"{api}/buildinfo", self._build_info),
            Route(f"{api}/updatecheck", self._update_check),
            Route(f"{api}/auth/scopes", lambda _request: JSONResponse({"external": ["all"]})),
            Route(f"{api}/users/first", self._first_user),
            Route(f"{api}/users/authmethods", self._auth_methods),
            Route(f"{api}/users/{{user}}", self._user),
            Route(f"{api}/users/{{user}}/organizations", self._organizations),
            Route(f"{api}/organizations", self._organizations),
            Route(f"{organization}/provisionerdaemons", self._daemons),
            Route(f"{organization}/provisionerjobs", self._jobs),
            Route(f"{api}/entitlements", self._entitlements),
            Route(f"{api}/experiments", self._empty_list),
            Route(f"{api}/experiments/available", self._experiments),
            Route(f"{api}/regions", self._regions),
            Route(f"{api}/applications/host", self._app_host),
            Route(f"{api}/deployment/config", self._deployment_config),
            Route(f"{api}/deployment/stats", self._deployment_stats),
            Route(f"{api}/deployment/ssh", self._deployment_ssh),
            Route(f"{api}/debug/health", self._debug_health),
            WebSocketRoute(f"{api}/debug/ws", self._debug_socket),
        ]

    async def _build_info(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "version": self.version,
                "external_url": "https://github.com/coder/coder",
                "dashboard_url": self.url,
                "deployment_id": self._database.deployment_id,
                "agent_api_version": "2.7",
                "provisioner_api_version": "1.13",
                "telemetry": False,
                "upgrade_message": "",
                "workspace_proxy": False,
                "webpush_public_key": "",
            }
        )

    async def _update_check(self, _request: Request) -> Response:
        return JSONResponse({"current": True, "version": self.version.split("+")[0], "url": ""})

    async def _first_user(self, _request: Request) -> Response:
        if not self._database.users:
            raise CoderError(404, "The initial user has not been created!")
        return JSONResponse({"message": "The initial user has already been created!"})

    async def _auth_methods(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "password": {"enabled": True},
                "github": {"enabled": False, "default_provider_configured": False},
                "oidc": {"enabled": True, "signInText": "Sign in with Keycloak", "iconUrl": ""},
                "terms_of_service_url": "",
            }
        )

    async def _entitlements(self, request: Request) -> Response:
        self._access.caller(request)
        features = ("audit_log", "high_availability", "multiple_organizations", "template_rbac")
        return JSONResponse(
            {
                "features": {name: {"entitlement": "not_entitled", "enabled": False} for name in features},
                "has_license": False,
                "trial": False,
                "require_telemetry": False,
                "warnings": [],
                "errors": [],
                "refreshed_at": clock.microseconds(),
            }
        )

    async def _empty_list(self, request: Request) -> Response:
        self._access.caller(request)
        return JSONResponse([])

    async def _experiments(self, request: Request) -> Response:
        self._access.caller(request)
        return JSONResponse({"safe": []})

    async def _regions(self, request: Request) -> Response:
        self._access.caller(request)
        region = {
            "id": self._database.deployment_id,
            "name": "primary",
            "display_name": "Default",
            "healthy": True,
            "icon_url": "",
            "path_app_url": self.url,
            "wildcard_hostname": "",
        }
        return JSONResponse({"regions": [region]})

    async def _app_host(self, request: Request) -> Response:
        self._access.caller(request)
        return JSONResponse({"host": ""})

    async def _deployment_config(self, request: Request) -> Response:
        self._access.administrator(request)
        return JSONResponse({"config": {"access_url": self.url, "wildcard_access_url": ""}, "options": []})

    async def _deployment_stats(self, request: Request) -> Response:
        self._access.administrator(request)
        live = [each for each in self._database.workspaces.values() if not each.deleted]
        counts = {
            word: sum(1 for each in live if each.latest.status == status)
            for word, status in (
                ("pending", "pending"),
                ("building", "starting"),
                ("running", "running"),
                ("failed", "failed"),
                ("stopped", "stopped"),
            )
        }
        return JSONResponse({"collected_at": clock.microseconds(), "workspaces": counts, "session_count": {}})

    async def _deployment_ssh(self, request: Request) -> Response:
        self._access.caller(request)
        return JSONResponse(
            {"hostname_prefix": "coder.", "hostname_suffix": "coder", "ssh_config_options": {}}
        )

    async def _debug_health(self, request: Request) -> Response:
        self._access.administrator(request)
        return JSONResponse(health_report(self.version, self.url, self._online_daemons(), self.health))

    async def _debug_socket(self, socket: WebSocket) -> None:
        try:
            if not self._access.caller(socket).is_owner:
                raise CoderError(403, "Forbidden.")
        except CoderError as error:
            await deny(socket, error)
            return
        await socket.accept()
        try:
            while True:
                await socket.send_text(await socket.receive_text())
        except WebSocketDisconnect:
            return

    async def _user(self, request: Request) -> Response:
        return JSONResponse(self._wire.user(self._access.named_user(request)))

    async def _organizations(self, request: Request) -> Response:
        self._access.caller(request)
        organization = {
            "id": self._database.organization_id,
            "name": ORGANIZATION,
            "display_name": "Coder",
            "description": "",
            "icon": "",
            "is_default": True,
            "created_at": clock.microseconds(),
            "updated_at": clock.microseconds(),
        }
        return JSONResponse([organization])

    def _online_daemons(self) -> list[Json]:
        if self._provisioner.faults.offline:
            return []
        busy = any(build.job.status == "running" for _, build in self._database.builds())
        return [
            {
                "id": self._database.deployment_id,
                "organization_id": self._database.organization_id,
                "name": DAEMON,
                "version": self.version,
                "api_version": "1.13",
                "provisioners": ["terraform"],
                "tags": {"owner": "", "scope": "organization"},
                "status": "busy" if busy else "idle",
                "created_at": clock.microseconds(),
                "last_seen_at": clock.microseconds(),
                "key_id": "00000000-0000-0000-0000-000000000001",
                "key_name": "built-in",
            }
        ]

    async def _daemons(self, request: Request) -> Response:
        self._access.caller(request)
        return JSONResponse(self._online_daemons())

    async def _jobs(self, request: Request) -> Response:
        self._access.caller(request)
        wanted = set(filter(None, request.query_params.get("status", "").split(",")))
        jobs = [build.job for _, build in self._database.builds()]
        return JSONResponse([self._wire.job(job) for job in jobs if not wanted or job.status in wanted])
