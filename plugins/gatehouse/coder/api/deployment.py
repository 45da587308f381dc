"""Calls about the deployment as a whole."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from gatehouse.coder import calls
from gatehouse.coder.api.base import Calls
from gatehouse.coder.api.rights import hidden_if_missing
from gatehouse.coder.connection import connection_problem
from gatehouse.coder.models import BuildInfo, HealthReport, Job, ProvisionerDaemon, Region, UpdateCheck
from gatehouse.coder.observed import VERSION_HEADER
from gatehouse.coder.sockets import SocketClosed
from gatehouse.core.errors import NotFound, UnexpectedAnswer

Object = dict[str, Any]


class DeploymentCalls(Calls):
    """Versions, health, configuration, provisioners, regions."""

    def healthz(self) -> str:
        """GET /healthz: the body, `OK` when the process is up. Says nothing of migrations (issue 21307)."""
        return self._transport.body(calls.HEALTHZ).text

    def build_info(self) -> BuildInfo:
        """GET /api/v2/buildinfo; needs no token."""
        return self._transport.read(calls.BUILD_INFO, BuildInfo)

    def sample_versions(self, samples: int) -> Counter[tuple[str, str]]:
        """How often each pair of version and deployment id answered, of so many requests for the build info.

        Each goes over a connection of its own, so that a load balancer may choose another replica each time. The
        version is that of the header, which the replica that answers writes itself.
        """
        seen: Counter[tuple[str, str]] = Counter()
        for _ in range(samples):
            answer = self._transport.fresh(calls.BUILD_INFO)
            info = BuildInfo.model_validate_json(answer.content)
            seen[answer.headers.get(VERSION_HEADER, info.version), info.deployment_id] += 1
        return seen

    def update_check(self) -> UpdateCheck:
        """GET /api/v2/updatecheck; needs no token."""
        return self._transport.read(calls.UPDATE_CHECK, UpdateCheck)

    def first_user_exists(self) -> bool:
        """GET /api/v2/users/first: False means that first-run set-up is open, so the database is empty.

        Raises `NotFound` where something else says 404 than Coder about its first user.
        """
        try:
            self._transport.read(calls.FIRST_USER, Object)
        except NotFound as error:
            if "initial user" in error.seen:
                return False
            raise
        return True

    def auth_methods(self) -> Object:
        """GET /api/v2/users/authmethods: `password`, `github` and `oidc`, each with `enabled`; needs no token."""
        return self._transport.read(calls.AUTH_METHODS, Object)

    def health(self, *, force: bool = True) -> HealthReport:
        """GET /api/v2/debug/health: the report made now or, without `force`, one up to ten minutes old.

        Needs `debug_info:read`. A check still under way (404 or 503 "in progress") is asked for again.
        """
        return self._transport.read(calls.HEALTH, HealthReport, {"force": "true"} if force else None)

    def dismissed_health_sections(self) -> list[str]:
        """GET /api/v2/debug/health/settings: sections that an administrator wants to hear nothing of."""
        answer = self._transport.read(calls.HEALTH_SETTINGS, Object)
        return list(answer.get("dismissed_healthchecks") or [])

    def entitlements(self) -> Object | None:
        """GET /api/v2/entitlements; None where an open-source build has no such route."""
        try:
            return self._transport.read(calls.ENTITLEMENTS, Object)
        except NotFound:
            return None

    def replicas(self) -> list[Object]:
        """GET /api/v2/replicas: the replicas of a licensed deployment. Raises `PremiumOnly`, `NoSuchCall` on others."""
        return self._transport.read_list(calls.REPLICAS, Object)

    def experiments(self) -> list[str]:
        """GET /api/v2/experiments: those that are switched on."""
        return self._transport.read_list(calls.EXPERIMENTS, str)

    def available_experiments(self) -> list[str]:
        """GET /api/v2/experiments/available: `safe` ones. The API description wrongly promises a list."""
        answer = self._transport.read(calls.AVAILABLE_EXPERIMENTS, Object)
        return list(answer.get("safe") or [])

    def deployment_config(self) -> Object:
        """GET /api/v2/deployment/config: `config` and `options`, without secrets. Needs `deployment_config:read`."""
        return self._transport.read(calls.DEPLOYMENT_CONFIG, Object)

    def deployment_stats(self) -> Object:
        """GET /api/v2/deployment/stats. Needs `deployment_stats:read`."""
        return self._transport.read(calls.DEPLOYMENT_STATS, Object)

    def ssh_config(self) -> Object:
        """GET /api/v2/deployment/ssh: `hostname_prefix`, `hostname_suffix`, `ssh_config_options`."""
        return self._transport.read(calls.DEPLOYMENT_SSH, Object)

    def regions(self) -> list[Region]:
        """GET /api/v2/regions: where apps are served."""
        return self._transport.read(calls.REGIONS, dict[str, list[Region]])["regions"]

    def app_host(self) -> str:
        """GET /api/v2/applications/host: the wildcard host of subdomain apps, empty if they are off; deprecated."""
        return str(self._transport.read(calls.APP_HOST, Object).get("host", ""))

    def provisioner_daemons(self, organization: str) -> list[ProvisionerDaemon]:
        """GET /api/v2/organizations/{organization}/provisionerdaemons, the newest fifty.

        Raises `PermissionDenied` without `provisioner_jobs:read`, which it needs in spite of its name.
        """
        with hidden_if_missing("provisioner daemons"):
            return self._transport.read_list(
                calls.PROVISIONER_DAEMONS, ProvisionerDaemon, organization=organization
            )

    def provisioner_jobs(self, organization: str, status: str = "") -> list[Job]:
        """GET /api/v2/organizations/{organization}/provisionerjobs, the newest fifty, of one status if given.

        Raises `PermissionDenied` without `provisioner_jobs:read`.
        """
        query = {"status": status} if status else None
        with hidden_if_missing("jobs of provisioners"):
            return self._transport.read_list(calls.PROVISIONER_JOBS, Job, query, organization=organization)

    def pending_jobs(self, organization: str) -> list[Job]:
        """The jobs that wait for a provisioner."""
        return self.provisioner_jobs(organization, "pending")

    def api_description(self) -> Object | None:
        """GET /swagger/doc.json, for `contract.missing_calls`; None unless CODER_SWAGGER_ENABLE is set."""
        try:
            return self._transport.read(calls.API_DESCRIPTION, Object)
        except (NotFound, UnexpectedAnswer):
            return None  # the dashboard answers in its place

    def derp_map(self, timeout: float = 10.0) -> Object:
        """The first message of /api/v2/derp-map, a WebSocket: relays by region. `timeout` in seconds."""
        with self._transport.socket(calls.DERP_MAP, timeout=timeout) as socket:
            try:
                found: Object = json.loads(socket.receive(timeout))
            except (SocketClosed, TimeoutError) as error:
                raise connection_problem(error, self._transport.url, str(calls.DERP_MAP)) from error
        return found

    def echo(self, text: str, timeout: float = 10.0) -> str:
        """Send a message to /api/v2/debug/ws and give what comes back; needs `debug_info:read`."""
        with self._transport.socket(calls.ECHO, timeout=timeout) as socket:
            try:
                socket.send(text)
                answer = socket.receive(timeout)
            except (SocketClosed, TimeoutError) as error:
                raise connection_problem(error, self._transport.url, str(calls.ECHO)) from error
        return answer if isinstance(answer, str) else answer.decode(errors="replace")
