"""`gatehouse.yaml`: which systems to test, and where their tokens are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from gatehouse.core import yaml_file
from gatehouse.core.errors import UsageError
from gatehouse.core.guardrail_settings import GuardrailSettings
from gatehouse.core.inner_settings import InnerSettings
from gatehouse.core.journey_settings import PlaywrightTestProject
from gatehouse.core.preview_settings import PreviewSettings
from gatehouse.core.setting_types import Address, Secret, SecretSource
from gatehouse.core.smoke_settings import SmokeSettings
from gatehouse.core.task_settings import TaskSettings
from gatehouse.core.workspace_settings import WorkspaceBudgets
from gatehouse.core.yaml_file import StrictModel

FILE_NAME = "gatehouse.yaml"
CONFIG_VARIABLE = "GATEHOUSE_CONFIG"
TARGET_VARIABLE = "GATEHOUSE_TARGET"

#: The target that is started by Gatehouse itself, and the one that is made from the environment alone.
EMBEDDED = "embedded"
ENVIRONMENT = "environment"


class CoderSettings(StrictModel):
    """A Coder deployment, and what the smoke suite makes there."""

    url: Address
    token: Secret = SecretSource(env="CODER_SESSION_TOKEN")
    owner_token: Secret | None = Field(
        default=None,
        description="of an Owner, as no scope of tokens covers the health report: for it, the configuration, the "
        "users and the provisioners; default: what the token itself may",
    )
    ca_file: Path | None = Field(
        default=None, description="authorities to trust for this deployment besides the usual ones, as PEM"
    )
    template: str | None = Field(
        default=None, description="template of the smoke workspace; default: the only one there is"
    )
    app: str = Field(default="code-server", description="slug of the web editor's app")
    hold_seconds: float = Field(default=5.0, ge=0, description="a ready agent must still be ready after this")
    workspace_timeout_seconds: float = Field(default=900.0, gt=0, description="from the create call to ready")
    app_timeout_seconds: float = Field(
        default=60.0, gt=0, description="from ready to an answering web editor"
    )
    teardown_timeout_seconds: float = Field(default=600.0, gt=0)
    version: str | None = Field(default=None, description="that must run, such as v2.37.0")
    database_latency_ms: int = Field(default=150, gt=0, description="by the health report's own measurement")
    queue_seconds: float = Field(default=300.0, gt=0, description="no job may be pending for longer")
    minimum_token_seconds: float = Field(
        default=3600.0, ge=0, description="the token must be good for longer"
    )
    sign_in: dict[Literal["password", "github", "oidc"], bool] = Field(
        default_factory=dict, description="which ways to sign in must be on, and which off"
    )
    oidc_issuer: str | None = Field(default=None, description="the issuer that must be configured")
    login_type: str | None = Field(
        default=None, description="how the token's user must sign in: oidc, password …"
    )
    users: dict[str, str] = Field(
        default_factory=dict, description="users that must be there, with their login type; '' for any"
    )
    templates: list[str] = Field(default_factory=list, description="templates that must be there")
    external_auth: list[str] = Field(
        default_factory=list, description="providers that the token's user must have linked"
    )
    reconcile_seconds: float = Field(
        default=120.0, ge=0, description="in which jobs of the cluster may bring back what a reset has taken"
    )
    templates_under_test: list[str] = Field(
        default_factory=list,
        description="templates that workspaces are made from, one after the other; default: `template`, or the only "
        "one",
    )
    parameters: dict[str, str] = Field(
        default_factory=dict, description="values for the templates' parameters, where a template has them"
    )
    budgets: WorkspaceBudgets = Field(default_factory=WorkspaceBudgets)
    checkout: str | None = Field(
        default=None, description="folder of the checkout; default: the agent's folder, or the first below it"
    )
    checkout_commit: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{7,40}$",
        description="commit, or its beginning, that a new workspace must hold; default: what its branch points to",
    )
    image_marker: str | None = Field(
        default=None, description="shell command that only succeeds in the image that is meant"
    )
    authenticated_tools: dict[str, str] = Field(
        default_factory=dict,
        description="shell commands by name that must succeed in a new workspace, such as {gh: gh auth status}",
    )
    persistent_folder: str | None = Field(
        default=None, description="folder that must survive a stop; default: the agent's"
    )
    editor_folders: list[str] = Field(
        default_factory=lambda: [
            "/workspaces/.code-server",
            "/tmp/code-server",  # noqa: S108 - where Coder's own module installs it in a workspace
            "$HOME/.local/lib",
            "/usr/lib/code-server",
            "/opt/code-server",
        ],
        description="where the web editor may be installed, to find out why it does not answer",
    )
    editor_selector: str = Field(
        default=".monaco-workbench", description="CSS selector of what is there once the web editor is usable"
    )
    editor_console_ignored: list[str] = Field(
        default_factory=lambda: ["vsda", "vscode-regexp-languagedetection"],
        description="parts of console errors that mean nothing; the defaults are files that code-server lacks",
    )

    @property
    def longest_test_seconds(self) -> float:
        """More than any test of the smoke suite may take by these settings: one makes, stops, restarts and deletes."""
        builds = 2 * (self.workspace_timeout_seconds + self.teardown_timeout_seconds)
        return builds + self.app_timeout_seconds + self.hold_seconds + self.reconcile_seconds + 60.0

    @property
    def deployment_token(self) -> SecretSource:
        """The token by which the deployment itself is looked at."""
        return self.owner_token or self.token


class ArgoCDSettings(StrictModel):
    """An Argo CD API server; without one, its Application objects through the Kubernetes API."""

    server: Address | None = None
    namespace: str = Field(default="argocd", description="of the Applications, where there is no server")
    token: Secret = SecretSource(env="ARGOCD_AUTH_TOKEN")
    project: str | None = Field(
        default=None,
        description="sent with every look-up, so that a missing application is told from a forbidden one",
    )


class KubernetesSettings(StrictModel):
    """A cluster, by kubeconfig; without one, the service account of the pod this runs in."""

    kubeconfig: Path | None = None
    context: str | None = None


class GitHubSettings(StrictModel):
    """The code host: pull requests and their head commits."""

    api_url: Address = "https://api.github.com"
    repository: str = Field(pattern=r"^[^/\s]+/[^/\s]+$", description="owner/name")
    token: Secret | None = None


class Target(StrictModel):
    """One platform to test. A suite whose section is missing says so and does not run."""

    embedded: bool = Field(
        default=False, description="set by the embedded platform itself: its evidence is refused by default"
    )
    coder: CoderSettings | None = None
    argocd: ArgoCDSettings | None = None
    kubernetes: KubernetesSettings | None = None
    github: GitHubSettings | None = None
    preview: PreviewSettings | None = None
    smoke: SmokeSettings | None = None
    task: TaskSettings | None = None


class ReportSettings(StrictModel):
    """Where bundles are written."""

    root: Path = Path("reports")


class Settings(StrictModel):
    """The whole of `gatehouse.yaml`."""

    version: Literal[1] = 1
    default_target: str | None = None
    targets: dict[str, Target] = Field(default_factory=dict)
    inner: InnerSettings = InnerSettings()
    guardrails: GuardrailSettings = GuardrailSettings()
    playwright_test: list[PlaywrightTestProject] = Field(
        default_factory=list, description="projects of Playwright Test that belong to the preview suite"
    )
    reports: ReportSettings = ReportSettings()

    @model_validator(mode="after")
    def _default_target_exists(self) -> Settings:
        if self.default_target is not None and self.default_target not in self.targets:
            raise ValueError(
                f"default_target is {self.default_target!r}, but the targets are: "
                f"{', '.join(self.targets) or 'none'}"
            )
        return self


def find_settings_file(folder: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file named by `GATEHOUSE_CONFIG`, else `gatehouse.yaml` in `folder`, else None."""
    if named := environment.get(CONFIG_VARIABLE):
        return Path(named)
    beside = folder / FILE_NAME
    return beside if beside.is_file() else None


def load_settings(path: Path | None) -> Settings:
    """The settings in `path`; defaults without one. Raises `SettingsError`."""
    return yaml_file.load(path, Settings) if path else Settings()


def choose_target(
    settings: Settings, option: str | None, environment: Mapping[str, str] = os.environ
) -> tuple[str, Target | None]:
    """The name of the target to use and its settings; None for an embedded platform that is to be started.

    In this order: the option, `GATEHOUSE_TARGET`, `default_target`, the only target that is configured, the
    environment if it names a Coder or Argo CD server, the embedded platform. Variables such as `CODER_URL`
    override what the file says. Raises `UsageError` for a name that is not configured, and for several
    targets of which none is chosen.
    """
    name = option or environment.get(TARGET_VARIABLE) or settings.default_target
    if name is None and settings.targets:
        if len(settings.targets) > 1:
            raise UsageError(
                f"which target is to be tested? {FILE_NAME} has several, and no default_target",
                expected=f"one of: {', '.join(settings.targets)}",
                next_step="choose one with --gate-target NAME, or set default_target",
            )
        name = next(iter(settings.targets))
    if name is None:
        name = ENVIRONMENT if {"CODER_URL", "ARGOCD_SERVER"} & environment.keys() else EMBEDDED
    if name in settings.targets:
        return name, _with_environment(settings.targets[name], environment)
    if name == EMBEDDED:
        return name, None
    if name == ENVIRONMENT:
        return name, _with_environment(Target(), environment)
    known = [*settings.targets, ENVIRONMENT, EMBEDDED]
    raise UsageError(
        f"there is no target {name!r}",
        expected=f"one of: {', '.join(dict.fromkeys(known))}",
        next_step=f"add it under targets in {FILE_NAME}, or choose another with --gate-target",
    )


def _with_environment(target: Target, environment: Mapping[str, str]) -> Target:
    """`target` with the addresses and tokens that the environment names put in place of the file's."""
    data = target.model_dump(exclude_unset=True)
    overrides = (
        ("coder", "url", "CODER_URL", "CODER_SESSION_TOKEN"),
        ("argocd", "server", "ARGOCD_SERVER", "ARGOCD_AUTH_TOKEN"),
    )
    for section, address, address_variable, token_variable in overrides:
        if value := environment.get(address_variable):
            # The argocd command accepts a bare host name in ARGOCD_SERVER, so it is accepted here too.
            data.setdefault(section, {})[address] = value if "://" in value else f"https://{value}"
        if section in data and environment.get(token_variable):
            data[section]["token"] = {"env": token_variable}
    if kubeconfig := environment.get("KUBECONFIG"):
        # KUBECONFIG can list several files, which the client library merges when it is not given one.
        kubernetes = data.setdefault("kubernetes", {})
        if os.pathsep not in kubeconfig:
            kubernetes["kubeconfig"] = kubeconfig
        else:
            kubernetes.pop("kubeconfig", None)
    if repository := environment.get("GITHUB_REPOSITORY"):
        github = data.setdefault("github", {})
        github["repository"] = repository
        if api_url := environment.get("GITHUB_API_URL"):
            github["api_url"] = api_url
    if "github" in data and environment.get("GITHUB_TOKEN"):
        data["github"]["token"] = {"env": "GITHUB_TOKEN"}
    try:
        return Target.model_validate(data)
    except ValidationError as error:
        raise UsageError(
            "the environment does not name a usable platform",
            seen="; ".join(
                f"{yaml_file.dotted(each['loc'])}: {each['msg'].removeprefix('Value error, ')}"
                for each in error.errors()
            ),
            next_step="check CODER_URL, ARGOCD_SERVER, GITHUB_API_URL and GITHUB_REPOSITORY",
        ) from error
