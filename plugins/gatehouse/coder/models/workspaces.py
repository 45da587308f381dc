"""What Coder answers about workspaces, their builds and agents."""

from __future__ import annotations

from datetime import datetime

from gatehouse.coder.models.base import Answer, Moment
from gatehouse.coder.models.deployment import Job
from gatehouse.coder.models.templates import MatchedProvisioners

#: States of an agent's life after which its start scripts say nothing more.
SCRIPTS_ENDED = (
    "ready",
    "start_error",
    "start_timeout",
    "shutting_down",
    "shutdown_timeout",
    "shutdown_error",
    "off",
)


class HealthCheck(Answer):
    """How the agent finds out whether an app is healthy; `interval` is in seconds."""

    url: str = ""
    interval: int = 0
    threshold: int = 0


class AgentApp(Answer):
    """A web application of an agent. The health `disabled` only means that there is no health check."""

    slug: str
    health: str = ""
    url: str = ""
    external: bool = False
    subdomain: bool = False
    subdomain_name: str = ""
    sharing_level: str = ""
    healthcheck: HealthCheck | None = None


class AgentHealth(Answer):
    """What the server makes of an agent's state."""

    healthy: bool = True
    reason: str = ""


class AgentScript(Answer):
    """A script of an agent; newer servers say here how it ended, too."""

    display_name: str = ""
    log_source_id: str = ""
    run_on_start: bool = False
    timeout: float = 0.0
    status: str = ""
    exit_code: int | None = None


class RegionLatency(Answer):
    """How far it is from an agent to a relay."""

    preferred: bool = False
    latency_ms: float = 0.0


class Agent(Answer):
    """The agent in a workspace. `parent_id` is set for agents of inner dev containers."""

    id: str
    name: str
    status: str
    lifecycle_state: str
    parent_id: str | None = None
    directory: str = ""
    expanded_directory: str = ""
    version: str = ""
    api_version: str = ""
    architecture: str = ""
    operating_system: str = ""
    connection_timeout_seconds: int = 0
    subsystems: list[str] = []
    logs_overflowed: bool = False
    created_at: Moment = None
    first_connected_at: Moment = None
    last_connected_at: Moment = None
    started_at: Moment = None
    ready_at: Moment = None
    health: AgentHealth = AgentHealth()
    latency: dict[str, RegionLatency] = {}
    apps: list[AgentApp] = []
    scripts: list[AgentScript] = []

    @property
    def ready(self) -> bool:
        """Connected, and all start scripts have ended well."""
        return self.status == "connected" and self.lifecycle_state == "ready"

    def app(self, slug: str) -> AgentApp | None:
        """The app of this name, if there is one."""
        return next((app for app in self.apps if app.slug == slug), None)


class ResourceMetadata(Answer):
    """What a template shows of a resource."""

    key: str
    value: str = ""
    sensitive: bool = False


class Resource(Answer):
    """Something a build made."""

    id: str = ""
    type: str = ""
    name: str = ""
    agents: list[Agent] | None = None
    metadata: list[ResourceMetadata] = []


class Build(Answer):
    """A workspace build. Its `status` follows from transition and job."""

    id: str
    build_number: int = 0
    transition: str
    status: str
    job: Job
    reason: str = ""
    initiator_id: str = ""
    created_at: Moment = None
    deadline: Moment = None
    template_version_id: str = ""
    template_version_name: str = ""
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


class Workspace(Answer):
    """A workspace and its latest build."""

    id: str
    name: str
    owner_id: str = ""
    owner_name: str = ""
    organization_id: str = ""
    template_name: str = ""
    template_id: str = ""
    template_active_version_id: str = ""
    outdated: bool = False
    ttl_ms: int | None = None
    created_at: datetime | None = None
    last_used_at: Moment = None
    latest_build: Build

    @property
    def agent(self) -> Agent | None:
        """The first agent, if the build has made one."""
        return next(iter(self.latest_build.agents), None)


class ListeningPort(Answer):
    """A port that something in the workspace listens on."""

    port: int
    network: str = ""
    process_name: str = ""


class WorkspacePage(Answer):
    """GET /api/v2/workspaces."""

    workspaces: list[Workspace] = []
    count: int = 0


class ListeningPorts(Answer):
    """GET /api/v2/workspaceagents/{agent}/listening-ports."""

    ports: list[ListeningPort] = []


class Parameter(Answer):
    """GET /api/v2/workspacebuilds/{build}/parameters: the value that a build was given."""

    name: str
    value: str = ""


class LogLine(Answer):
    """A line of a build's or an agent's log; builds have a `stage`, agents a `source_id`."""

    id: int
    output: str = ""
    created_at: Moment = None
    level: str = ""
    log_level: str = ""
    stage: str = ""
    source_id: str = ""


class ScriptTiming(Answer):
    """How a start script ended; `exit_code` 255 also stands for a script that was cut off."""

    display_name: str = ""
    stage: str = ""
    status: str = ""
    exit_code: int
    started_at: Moment = None
    ended_at: Moment = None


class StageTiming(Answer):
    """How long one step took, of a build (`plan`, `apply`) or of an agent (`connect`)."""

    stage: str = ""
    source: str = ""
    resource: str = ""
    started_at: Moment = None
    ended_at: Moment = None


class Timings(Answer):
    """GET /api/v2/workspaces/{workspace}/timings. What an agent reports arrives a little late."""

    provisioner_timings: list[StageTiming] = []
    agent_connection_timings: list[StageTiming] = []
    agent_script_timings: list[ScriptTiming] = []
