"""What Coder says of the deployment: version, health, provisioners, entitlements."""

from __future__ import annotations

import contextlib
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehouse.embedded import clock
from gatehouse.embedded.coder.access import NOT_FOUND, Access, CoderError, Json, deny
from gatehouse.embedded.coder.health import HealthFaults, health_report
from gatehouse.embedded.coder.provisioner import DAEMON, Provisioner
from gatehouse.embedded.coder.records import Database
from gatehouse.embedded.coder.wire import Wire

VERSION = "v2.36.4+embedded"


class DeploymentApi:
    """Routes about the deployment as a whole. `url` is what it says of itself."""

    def __init__(self, database: Database, access: Access, wire: Wire, provisioner: Provisioner) -> None:
        self._database = database
        self._access = access
        self._wire = wire
        self._provisioner = provisioner
        self.url = ""
        #: Where apps are said to be served, if not at `url`.
        self.app_url = ""
        #: One replica a version; they answer in turn.
        self.replicas = [VERSION]
        #: Whether the relay map holds nothing.
        self.no_relays = False
        self.health = HealthFaults()

    @property
    def version(self) -> str:
        """The version of the replica that answers."""
        return self.replicas[0]

    def next_replica(self) -> None:
        """Have another replica answer, if there are several."""
        self.replicas.append(self.replicas.pop(0))

    def routes(self, api: str) -> list[BaseRoute]:
        """The routes below `api`."""
        organization = f"{api}/organizations/{{organization}}"
        return [
            Route("/healthz", lambda _request: PlainTextResponse("OK")),
            Route(f"{api}/", lambda _request: JSONResponse({"message": "👋"})),
            Route(f"{api}/buildinfo", self._build_info),
            Route(f"{api}/updatecheck", self._update_check),
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
            Route(f"{api}/debug/health/settings", self._health_settings),
            Route(f"{api}/replicas", self._premium),
            WebSocketRoute(f"{api}/derp-map", self._derp_map),
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
            "path_app_url": self.app_url or self.url,
            "wildcard_hostname": "",
        }
        return JSONResponse({"regions": [region]})

    async def _app_host(self, request: Request) -> Response:
        self._access.caller(request)
        return JSONResponse({"host": ""})

    async def _deployment_config(self, request: Request) -> Response:
        self._access.require(request, "deployment_config:read")
        return JSONResponse({"config": {"access_url": self.url, "wildcard_access_url": ""}, "options": []})

    async def _deployment_stats(self, request: Request) -> Response:
        self._access.require(request, "deployment_stats:read")
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
        self._access.require(request, "debug_info:read")
        return JSONResponse(health_report(self.version, self.url, self._online_daemons(), self.health))

    async def _health_settings(self, request: Request) -> Response:
        self._access.require(request, "debug_info:read")
        return JSONResponse({"dismissed_healthchecks": sorted(self.health.dismissed)})

    async def _premium(self, request: Request) -> Response:
        self._access.caller(request)
        raise CoderError(403, "High Availability is a Premium feature. Contact sales!")

    async def _derp_map(self, socket: WebSocket) -> None:
        """The relays, as one binary message; needs no token. More would come at each change."""
        node = {"Name": "999a", "RegionID": 999, "HostName": "127.0.0.1", "STUNPort": -1, "ForceHTTP": True}
        region = {
            "EmbeddedRelay": True,
            "RegionID": 999,
            "RegionCode": "coder",
            "RegionName": "Coder Embedded Relay",
            "Nodes": [node],
        }
        await socket.accept()
        regions = {} if self.no_relays else {"999": region}
        await socket.send_bytes(json.dumps({"Regions": regions}).encode())
        with contextlib.suppress(WebSocketDisconnect):
            await socket.receive()

    async def _debug_socket(self, socket: WebSocket) -> None:
        try:
            self._access.require(socket, "debug_info:read")
        except CoderError as error:
            await deny(socket, error)
            return
        await socket.accept()
        try:
            while True:
                await socket.send_text(await socket.receive_text())
        except WebSocketDisconnect:
            return

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
        if not self._access.may(request, "provisioner_jobs:read"):
            raise NOT_FOUND
        return JSONResponse(self._online_daemons())

    async def _jobs(self, request: Request) -> Response:
        if not self._access.may(request, "provisioner_jobs:read"):
            raise NOT_FOUND
        wanted = set(filter(None, request.query_params.get("status", "").split(",")))
        jobs = [build.job for _, build in self._database.builds()]
        newest = [job for job in reversed(jobs) if not wanted or job.status in wanted]
        limit = int(request.query_params.get("limit", 50))
        return JSONResponse([self._wire.job(job) for job in newest[:limit]])
