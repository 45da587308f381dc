"""What Coder answers about the deployment as a whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gatehouse.coder.models.base import Answer, Moment


class BuildInfo(Answer):
    """GET /api/v2/buildinfo. The same `deployment_id` before and after an upgrade means the same database."""

    version: str
    deployment_id: str = ""
    dashboard_url: str = ""
    agent_api_version: str = ""
    provisioner_api_version: str = ""
    upgrade_message: str = ""
    telemetry: bool = False
    workspace_proxy: bool = False


class UpdateCheck(Answer):
    """GET /api/v2/updatecheck."""

    current: bool
    version: str = ""
    url: str = ""


class HealthSection(Answer):
    """One section of the health report."""

    severity: str = "ok"
    dismissed: bool = False
    error: str | None = None
    warnings: list[dict[str, Any]] = []


class HealthReport(Answer):
    """GET /api/v2/debug/health."""

    time: datetime
    severity: str
    coder_version: str = ""
    access_url: HealthSection = HealthSection()
    database: HealthSection = HealthSection()
    derp: HealthSection = HealthSection()
    websocket: HealthSection = HealthSection()
    workspace_proxy: HealthSection = HealthSection()
    provisioner_daemons: HealthSection = HealthSection()

    @property
    def sections(self) -> dict[str, HealthSection]:
        """The sections by name."""
        names = ("access_url", "database", "derp", "websocket", "workspace_proxy", "provisioner_daemons")
        return {name: getattr(self, name) for name in names}


class Entitlement(Answer):
    """What a license says of one feature: `entitled`, `grace_period` or `not_entitled`."""

    entitlement: str = ""
    enabled: bool = False


class DaemonJob(Answer):
    """The job that a daemon has, or had last."""

    id: str
    status: str = ""


class ProvisionerDaemon(Answer):
    """GET /api/v2/organizations/{organization}/provisionerdaemons; `status` is idle, busy or offline."""

    name: str
    id: str = ""
    status: str | None = None
    version: str = ""
    api_version: str = ""
    last_seen_at: Moment = None
    tags: dict[str, str] = {}
    key_name: str = ""
    current_job: DaemonJob | None = None
    previous_job: DaemonJob | None = None


class Job(Answer):
    """A provisioner's job; `status` is pending, running, succeeded, canceling, canceled, failed or unknown."""

    id: str
    status: str
    type: str = ""
    error: str = ""
    error_code: str = ""
    created_at: datetime | None = None
    started_at: Moment = None
    completed_at: Moment = None
    canceled_at: Moment = None
    worker_name: str = ""
    available_workers: list[str] = []
    queue_position: int = 0
    queue_size: int = 0
    tags: dict[str, str] = {}
    file_id: str = ""
    logs_overflowed: bool = False

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not."""
        return self.status in ("succeeded", "failed", "canceled")


class Region(Answer):
    """GET /api/v2/regions: where apps are served. An empty `wildcard_hostname` means path apps only."""

    name: str
    id: str = ""
    healthy: bool = False
    path_app_url: str = ""
    wildcard_hostname: str = ""
