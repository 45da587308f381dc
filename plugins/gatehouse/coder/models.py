"""What Coder answers. Unknown fields and values are accepted, so that a newer server does not break a run.

Shapes: Coder's API reference, v2.30, as of /api/v2.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class BuildInfo(_Answer):
    """GET /api/v2/buildinfo."""

    version: str
    deployment_id: str = ""
    dashboard_url: str = ""


class User(_Answer):
    """GET /api/v2/users/{user}."""

    id: str
    username: str
    login_type: str = ""
    organization_ids: list[str] = []


class HealthSection(_Answer):
    """One section of the health report."""

    severity: str = "ok"
    dismissed: bool = False
    error: str | None = None
    warnings: list[dict[str, Any]] = []


class HealthReport(_Answer):
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


class ProvisionerDaemon(_Answer):
    """GET /api/v2/organizations/{organization}/provisionerdaemons."""

    name: str
    status: str | None = None
    version: str = ""


class Job(_Answer):
    """A provisioner job."""

    id: str
    status: str
    error: str = ""
    error_code: str = ""
    created_at: datetime | None = None


class Template(_Answer):
    """GET /api/v2/templates."""

    id: str
    name: str
    active_version_id: str
    deprecated: bool = False


class TemplateVersion(_Answer):
    """GET /api/v2/templateversions/{version}."""

    id: str
    name: str
    job: Job


class TemplateParameter(_Answer):
    """GET /api/v2/templateversions/{version}/rich-parameters."""

    name: str
    required: bool = False
    default_value: str = ""


class AgentApp(_Answer):
    """A web application of an agent."""

    slug: str
    health: str = ""
    url: str = ""


class Agent(_Answer):
    """The agent in a workspace. `parent_id` is set for agents of inner dev containers."""

    id: str
    name: str
    status: str
    lifecycle_state: str
    parent_id: str | None = None
    directory: str = ""
    expanded_directory: str = ""
    version: str = ""
    apps: list[AgentApp] = []

    @property
    def ready(self) -> bool:
        """Connected, and all start scripts have ended well."""
        return self.status == "connected" and self.lifecycle_state == "ready"


class Resource(_Answer):
    """Something a build made."""

    type: str = ""
    agents: list[Agent] | None = None


class MatchedProvisioners(_Answer):
    """How many daemons could take a job."""

    count: int = 0
    available: int = 0


class Build(_Answer):
    """A workspace build."""

    id: str
    build_number: int = 0
    transition: str
    status: str
    job: Job
    template_version_id: str = ""
    resources: list[Resource] | None = None
    matched_provisioners: MatchedProvisioners | None = None

    @property
    def agents(self) -> list[Agent]:
        """The agents of the workspace itself, without those of inner dev containers."""
        return [
            agent
            for resource in self.resources or []
            for agent in resource.agents or []
            if not agent.parent_id
        ]


class Workspace(_Answer):
    """A workspace and its latest build."""

    id: str
    name: str
    owner_name: str = ""
    template_name: str = ""
    template_id: str = ""
    created_at: datetime | None = None
    latest_build: Build

    @property
    def agent(self) -> Agent | None:
        """The first agent, if the build has made one."""
        return next(iter(self.latest_build.agents), None)


class LogLine(_Answer):
    """A line of a build's or an agent's log."""

    id: int
    output: str = ""


class ScriptTiming(_Answer):
    """How a start script ended; `exit_code` 255 also stands for a script that was cut off."""

    display_name: str = ""
    stage: str = ""
    status: str = ""
    exit_code: int
