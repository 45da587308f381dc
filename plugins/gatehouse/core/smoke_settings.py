"""`smoke` of a target in `gatehouse.yaml`: what the suite expects of the cluster, its edge and its workspaces."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from gatehouse.core.setting_types import Address
from gatehouse.core.yaml_file import StrictModel


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from error
    return value


def _host_and_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"expected host:port such as github.com:443, found {value!r}")
    return value


Expression = Annotated[str, AfterValidator(_expression)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]


class ControlPlaneSettings(StrictModel):
    """Where Coder's own Deployment is."""

    namespace: str | None = Field(default=None, description="default: where the Deployment is found")
    deployment: str | None = Field(
        default=None, description="default: the one labelled app.kubernetes.io/name=coder, as the chart does"
    )


class SignInCheck(StrictModel):
    """An authorise request to an OpenID Connect provider, which must end at its login page."""

    issuer: Address
    client_id: str
    redirect_uri: str
    scope: str = "openid profile email"


class NameSettings(StrictModel):
    """A name that people and programs use, and what must be answered there."""

    url: Address
    status: list[int] = Field(default_factory=list, description="accepted; default: any below 500 but 404")
    contains: str | None = Field(default=None, description="text that the body must hold")
    subject_name: str | None = Field(
        default=None, description="name that the certificate must hold; default: the URL's hostname"
    )
    websocket: str | None = Field(
        default=None, description="path at which a connection must be upgraded to a WebSocket"
    )
    subprotocol: str | None = Field(default=None, description="of that WebSocket")
    inside: bool = Field(default=True, description="also asked for from inside a workspace")
    outside: bool = Field(default=True, description="also asked for from where the suite runs")
    sign_in: SignInCheck | None = None


class EdgeSettings(StrictModel):
    """Canonical names, how they are reached, and how long certificates must still be valid."""

    names: dict[str, NameSettings] = Field(
        default_factory=dict, description="default: Coder's access URL, its wildcard host, its OIDC issuer"
    )
    ca_file: Path | None = Field(default=None, description="authorities to trust besides the usual ones")
    addresses: dict[str, str] = Field(
        default_factory=dict, description="hostname → IP address to connect to from outside, past DNS"
    )
    certificate_days: float = Field(default=14, ge=0, description="that certificates must still be valid")
    timeout_seconds: float = Field(default=10.0, gt=0, description="for one connection")
    services: list[str] = Field(
        default=["*"], description="names or patterns of Services beside Coder that must lead to a ready pod"
    )
    gateway_namespaces: list[str] = Field(
        default_factory=list, description="whose Gateways are looked at; default: all"
    )


class ConsistencySettings(StrictModel):
    """Coder against the cluster, and the health of the platform's own pods."""

    namespace_pattern: Expression | None = Field(
        default=r"^.+-ws-(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        description="namespaces that belong to a workspace; the group `id` is the workspace's",
    )
    settle_seconds: float = Field(
        default=20.0, ge=0, description="between two looks: only what both find is reported"
    )
    namespaces: list[str] = Field(
        default_factory=list, description="whose pods are looked at besides those of Coder's own namespace"
    )
    pods: list[str] = Field(default=["*"], description="names or patterns of those pods")
    restart_window_seconds: float = Field(
        default=3600.0, gt=0, description="a restart within it is a failure; an older one is only recorded"
    )
    pending_seconds: float = Field(default=300.0, ge=0, description="that a pod may stay Pending")
    log_window_seconds: float = Field(default=600.0, gt=0, description="of the logs that are looked at")
    log_noise: list[Expression] = Field(
        default=[r"(?i)\bforbidden\b", r"(?i)connection refused", r"(?i)\bpanic:"],
        description="lines that must not be in the logs of Coder's pods",
    )
    log_accepted: list[Expression] = Field(default_factory=list, description="lines that may be there")


class ForbiddenRight(StrictModel):
    """A right that no workspace's service account may have."""

    verb: str
    resource: str = Field(description="may name a subresource, such as pods/exec")
    group: str = ""
    namespace: str | None = Field(
        default=None, description="`own` is the workspace's; default: the whole cluster"
    )


DEFAULT_FORBIDDEN = [
    ForbiddenRight(verb="*", resource="*", group="*"),
    ForbiddenRight(verb="list", resource="secrets"),
    ForbiddenRight(verb="list", resource="secrets", namespace="own"),
    ForbiddenRight(verb="get", resource="secrets"),
    ForbiddenRight(verb="create", resource="pods"),
    ForbiddenRight(verb="create", resource="pods/exec"),
    ForbiddenRight(verb="create", resource="clusterrolebindings", group="rbac.authorization.k8s.io"),
    ForbiddenRight(verb="create", resource="serviceaccounts/token"),
    ForbiddenRight(verb="impersonate", resource="users"),
    ForbiddenRight(verb="escalate", resource="clusterroles", group="rbac.authorization.k8s.io"),
]


class PostureSettings(StrictModel):
    """What workspaces' pods and service accounts may not have."""

    capabilities: list[str] = Field(
        default=["NET_ADMIN", "SYS_ADMIN", "ALL"], description="that containers may not add"
    )
    pod_security_level: str | None = Field(
        default=None,
        pattern="^(baseline|restricted)$",
        description="that the workspaces' namespaces must enforce; default: only recorded",
    )
    forbidden_rights: list[ForbiddenRight] = Field(default=DEFAULT_FORBIDDEN)
    known_secret_variables: list[str] = Field(
        default=["CODER_AGENT_TOKEN", "ENVBUILDER_*"],
        description="patterns of variables that Coder's own templates set to a secret",
    )


class EgressSettings(StrictModel):
    """What workspaces may connect to."""

    open: bool = Field(default=False, description="outbound traffic is not restricted on purpose")
    enforced_elsewhere: bool = Field(
        default=False, description="by other means than NetworkPolicy objects: only connections are tried"
    )
    open_ports: list[int] = Field(
        default=[53, 853], description="ports that may be open to every address, such as those of DNS"
    )
    allowed: list[HostAndPort] = Field(default=["github.com:443"], description="must be connected to")
    forbidden: list[HostAndPort] = Field(
        default=["example.com:443", "1.1.1.1:443"], description="must not be connected to"
    )
    timeout_seconds: float = Field(default=5.0, gt=0, description="for one connection")


class ToolSettings(StrictModel):
    """A program that workspaces must have."""

    command: str = Field(description="shell command that prints the version")
    version: list[str] = Field(
        default_factory=list,
        description="each must be printed: `3.14` also stands for 3.14.2, `>=2.40` for it and later ones",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_version_is_a_list(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("version"), str):
            return {**data, "version": [data["version"]]}
        return data

    @model_validator(mode="after")
    def _versions_are_numbers(self) -> ToolSettings:
        for version in self.version:
            if not re.fullmatch(r"(>=)?\d+(\.\d+)*", version):
                raise ValueError(f"expected a version such as 3.14 or >=2.40, found {version!r}")
        return self


class BaseImageSettings(StrictModel):
    """The tool chains of the workspaces' image."""

    tools: dict[str, ToolSettings] = Field(default_factory=dict)
    timeout_seconds: float = Field(default=60.0, gt=0, description="for all commands together")


class SmokeWorkspaceSettings(StrictModel):
    """What works in a fresh workspace."""

    authenticated: list[str] = Field(
        default_factory=list, description="shell commands that end with 0 only for who is signed in"
    )
    container: str | None = Field(default=None, description="of the workspace's pod; default: the first")
    timeout_seconds: float = Field(default=60.0, gt=0, description="for one command")


class OrchestratorSettings(StrictModel):
    """The edge of an orchestrator of agents' sessions."""

    url: Address
    pages: list[str] = Field(default=["/", "/scalar"], description="paths of HTML pages")
    description: str = Field(default="/openapi.json", description="path of its OpenAPI description")
    api: list[str] = Field(
        default=["/api/v1/sessions"], description="paths that answer in JSON, also when they refuse (401)"
    )
    health: list[str] = Field(default=["/healthz", "/readyz"])
    attach: str | None = Field(
        default=None, description="path that upgrades to a WebSocket, or refuses without a token"
    )
    custom_resources: list[str] = Field(
        default_factory=list, description="names of CRDs, such as sessions.agents.example.com"
    )


class SmokeSettings(StrictModel):
    """What the smoke suite expects besides a Coder that works."""

    control_plane: ControlPlaneSettings = ControlPlaneSettings()
    edge: EdgeSettings = EdgeSettings()
    consistency: ConsistencySettings = ConsistencySettings()
    posture: PostureSettings = PostureSettings()
    egress: EgressSettings = EgressSettings()
    base_image: BaseImageSettings = BaseImageSettings()
    workspace: SmokeWorkspaceSettings = SmokeWorkspaceSettings()
    orchestrator: OrchestratorSettings | None = None
