"""What Coder's database holds: users, templates, workspaces, builds, agents and their logs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gatehouse.embedded import clock
from gatehouse.embedded.coder.users import ExternalProvider, Key, User, new_id

ORGANIZATION = "coder"


@dataclass
class Parameter:
    """A rich parameter of a template version."""

    name: str
    description: str = ""
    default: str | None = None
    mutable: bool = True


@dataclass
class App:
    """A web application of an agent; `command` starts it, with `$PORT` and `$BASE_PATH` in its environment."""

    slug: str
    display_name: str
    command: tuple[str, ...]
    health_path: str = "/healthz"


@dataclass
class Script:
    """A start script of an agent."""

    display_name: str
    text: str


@dataclass
class TemplateVersion:
    """One imported version. `always` and `started` are manifests with `${…}` placeholders."""

    name: str
    parameters: list[Parameter]
    always: list[dict[str, Any]]
    started: list[dict[str, Any]]
    agent_directory: str
    scripts: list[Script]
    apps: list[App]
    environment: dict[str, str]
    template_id: str = ""
    #: The template's files, as they were pushed.
    archive: bytes = b""
    file_id: str = field(default_factory=new_id)
    id: str = field(default_factory=new_id)
    job: Job = field(default_factory=lambda: Job(type="template_version_import", status="succeeded"))
    created_at: str = field(default_factory=clock.microseconds)


@dataclass
class Template:
    """A template and its versions, the active one by id."""

    name: str
    display_name: str
    description: str
    versions: list[TemplateVersion]
    active_version_id: str
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=clock.microseconds)

    @property
    def active(self) -> TemplateVersion:
        """The version new workspaces get."""
        return self.version(self.active_version_id)

    def version(self, version_id: str) -> TemplateVersion:
        """A version by id. Raises `KeyError`."""
        for version in self.versions:
            if version.id == version_id:
                return version
        raise KeyError(version_id)


@dataclass
class Job:
    """A provisioner's piece of work."""

    type: str = "workspace_build"
    status: str = "pending"
    error: str = ""
    error_code: str = ""
    worker_id: str = ""
    worker_name: str = ""
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=clock.microseconds)
    started_at: str | None = None
    completed_at: str | None = None
    canceled_at: str | None = None


@dataclass
class Log:
    """Lines that can be read as a list or followed."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    overflowed: bool = False
    finished: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    #: Bytes of output kept; what comes after is dropped and `overflowed` is set.
    LIMIT = 1024 * 1024

    def add(self, **line: Any) -> None:
        """Add a line; it gets an id and a time."""
        if sum(len(each["output"]) for each in self.lines) > self.LIMIT:
            self.overflowed = True
        else:
            self.lines.append({"id": len(self.lines) + 1, "created_at": clock.microseconds(), **line})
        self._tell()

    def finish(self) -> None:
        """No more lines will come."""
        self.finished = True
        self._tell()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


@dataclass
class AppState:
    """A running application of an agent."""

    app: App
    id: str = field(default_factory=new_id)
    health: str = "initializing"
    port: int = 0


@dataclass
class ScriptRun:
    """How a start script ended."""

    script: Script
    id: str = field(default_factory=new_id)
    source_id: str = field(default_factory=new_id)
    started_at: str = ""
    ended_at: str = ""
    exit_code: int | None = None


@dataclass
class Agent:
    """The agent of one start build."""

    directory: str
    apps: list[AppState]
    scripts: list[ScriptRun]
    version: str
    name: str = "main"
    id: str = field(default_factory=new_id)
    token: str = field(default_factory=new_id)
    expanded_directory: str = ""
    status: str = "connecting"
    lifecycle_state: str = "created"
    created_at: str = field(default_factory=clock.microseconds)
    first_connected_at: str | None = None
    last_connected_at: str | None = None
    disconnected_at: str | None = None
    started_at: str | None = None
    ready_at: str | None = None
    log: Log = field(default_factory=Log)
    #: Whether a scenario has cut the connection.
    cut: bool = False


@dataclass
class Build:
    """One transition of a workspace."""

    number: int
    transition: str
    version: TemplateVersion
    parameters: dict[str, str]
    initiator: User
    reason: str = "initiator"
    orphan: bool = False
    agent: Agent | None = None
    id: str = field(default_factory=new_id)
    resource_id: str = field(default_factory=new_id)
    job: Job = field(default_factory=Job)
    log: Log = field(default_factory=Log)
    created_at: str = field(default_factory=clock.microseconds)
    deadline: datetime | None = None

    @property
    def status(self) -> str:
        """`latest_build.status`, which follows from transition and job."""
        words = {
            "start": ("starting", "running"),
            "stop": ("stopping", "stopped"),
            "delete": ("deleting", "deleted"),
        }[self.transition]
        return {"running": words[0], "succeeded": words[1]}.get(self.job.status, self.job.status)


@dataclass
class Workspace:
    """A workspace; deleted ones are kept and hidden."""

    name: str
    owner: User
    template: Template
    ttl_ms: int | None
    automatic_updates: str = "never"
    id: str = field(default_factory=new_id)
    builds: list[Build] = field(default_factory=list)
    deleted: bool = False
    #: What Terraform has made for it: kind, namespace and name.
    state: set[tuple[str, str, str]] = field(default_factory=set)
    created_at: str = field(default_factory=clock.microseconds)
    last_used_at: str = field(default_factory=clock.microseconds)

    @property
    def latest(self) -> Build:
        """The newest build."""
        return self.builds[-1]

    @property
    def namespace(self) -> str:
        """The Kubernetes namespace that is this workspace's own."""
        return f"coder-ws-{self.id}"


class Database:
    """Everything; `changed` is set anew at each change of a workspace."""

    def __init__(self) -> None:
        self.deployment_id = new_id()
        self.organization_id = new_id()
        self.users: dict[str, User] = {}
        self.tokens: dict[str, User] = {}
        self.external_providers: dict[str, ExternalProvider] = {}
        self._keys: dict[str, Key] = {}
        self.templates: dict[str, Template] = {}
        self.workspaces: dict[str, Workspace] = {}
        self.changed = asyncio.Event()

    def touch(self) -> None:
        """Tell those who watch workspaces that something has changed."""
        self.changed.set()
        self.changed = asyncio.Event()

    def key(self, token: str) -> Key | None:
        """What is kept of a token that is known."""
        user = self.tokens.get(token)
        if user is None:
            return None
        return self._keys.setdefault(token, Key(user, token.partition("-")[0]))

    def find_workspace(self, owner: User, name: str, *, include_deleted: bool = False) -> Workspace | None:
        """A workspace by owner and name: the live one, else the last that was deleted if so wanted."""
        of_name = [each for each in self.workspaces.values() if each.owner is owner and each.name == name]
        live = [each for each in of_name if not each.deleted]
        found = live or (of_name if include_deleted else [])
        return found[-1] if found else None

    def builds(self) -> list[tuple[Workspace, Build]]:
        """All builds with their workspaces."""
        return [(workspace, build) for workspace in self.workspaces.values() for build in workspace.builds]

    def agents(self) -> list[tuple[Workspace, Build, Agent]]:
        """All agents with their builds."""
        return [(workspace, build, build.agent) for workspace, build in self.builds() if build.agent]
