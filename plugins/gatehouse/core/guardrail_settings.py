"""`guardrails` in `gatehouse.yaml`: what an agent of which profile may change. Read from the base revision."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, model_validator

from gatehouse.core import guardrail_defaults as defaults
from gatehouse.core.yaml_file import StrictModel

#: Patterns here and below are those of .gitignore; a leading slash binds them to the root.
Patterns = list[str]


class ProfileSettings(StrictModel):
    """What agents of one profile may change."""

    allowed: Patterns | None = Field(
        default=None, description="nothing else may change; an empty list: nothing at all; default: anything"
    )
    forbidden: Patterns = Field(default_factory=list, description="must not change, also where allowed")
    may_change_protected: Patterns = Field(
        default_factory=list, description="protected files that this profile may change"
    )
    submodules: bool = Field(default=False, description="may move, add and remove pointers of submodules")


def default_profiles() -> dict[str, ProfileSettings]:
    """The four profiles of the platform's design; a section of the same name replaces the keys it names."""
    promotion = ["/promotion/", "/promotions/", "/kargo/", "/.kargo/", "/environments/"]
    return {
        "code": ProfileSettings(forbidden=["/gitops/", *promotion]),
        "gitops": ProfileSettings(forbidden=["/services/", "/packages/", "/primitives/"]),
        "sre": ProfileSettings(allowed=[]),
        "external-executor": ProfileSettings(allowed=[]),
    }


class GuessSettings(StrictModel):
    """How a checkout looks that names no profile. A guess leads to notes, not to failures."""

    gitops_folders: list[str] = Field(default=["argocd", "applicationsets", "clusters", "environments"])
    code_folders: list[str] = Field(
        default=["services", "packages", "primitives", "src"], description="none of these is there"
    )


class SecretSettings(StrictModel):
    """Which added lines hold a secret."""

    test_data: Patterns = Field(
        default=[*defaults.TEST_DATA, *defaults.TEST_FILES],
        description="files whose secrets are taken for made up: notes, unless an agent's profile is named",
    )
    ignored_files: Patterns = Field(default_factory=list, description="not searched at all")
    placeholders: list[str] = Field(
        default=defaults.PLACEHOLDERS,
        description="words, in any case, of values that are obviously no secrets",
    )
    comment: str = Field(
        default="gatehouse: not a secret",
        description="in a line: what it holds is a note, for people to look at",
    )


class TamperingSettings(StrictModel):
    """Which files can make tests say less."""

    baselines: Patterns = Field(
        default=defaults.BASELINES, description="lists of accepted findings, which may only shrink"
    )
    snapshots: Patterns = Field(
        default=["__snapshots__/", "*.snap", "*-snapshots/", "snapshots/"],
        description="expected results that a tool writes; changes are noted",
    )
    soft_words: list[str] = Field(
        default=defaults.SOFT_WORDS, description="make a check green whatever it finds, or leave tests out"
    )
    soft_files: Patterns = Field(default=defaults.SOFT_FILES, description="files in which those words count")


class ContractSettings(StrictModel):
    """What a repository of the platform must hold."""

    devcontainer: str = ".devcontainer/coder/devcontainer.json"
    instructions: str = Field(default="AGENTS.md", description="beside the checkout, or at its root")
    workspaces: str = Field(
        default="/workspaces",
        description="the canonical layout is <this>/<profile>/<checkout>, instructions beside",
    )
    checkout: str = "repo"
    unsafe_words: dict[str, str] = Field(
        default=defaults.UNSAFE_WORDS,
        description="in any string of the development container, and what is wrong with it",
    )
    forbidden_dependencies: list[str] = Field(default=["telepresence"])
    dependency_files: Patterns = Field(
        default=defaults.DEPENDENCY_FILES, description="files in which a forbidden dependency counts"
    )


class AllowedViolation(StrictModel):
    """A violation that is accepted for a while, with its reason. It becomes a note."""

    rule: str
    path: str = Field(default="*", description="a pattern of .gitignore's syntax")
    reason: str = Field(min_length=10)
    until: date | None = Field(default=None, description="the last day on which it is accepted")


class GuardrailSettings(StrictModel):
    """The guard rails' policy."""

    marker: str = Field(default=".ameide/agent-profile", description="file that names the profile")
    variable: str = Field(default="AMEIDE_AGENT_PROFILE", description="variable that names the profile")
    default_profile: str | None = Field(
        default=None, description="profile of a checkout that names none; binding, where a guess is not"
    )
    aliases: dict[str, str] = Field(default={"365fo": "external-executor"})
    guess: GuessSettings = GuessSettings()
    profiles: dict[str, ProfileSettings] = Field(default_factory=default_profiles)
    protected: Patterns = Field(
        default=["/.ci/", "/.ameide/", "/.gatehouse/", "/policy.yaml", "CODEOWNERS", "/AGENTS.md"],
        description="files that decide what is judged and how; gatehouse.yaml and the marker always are",
    )
    gate_callers: Patterns = Field(
        default=[
            "/.github/workflows/",
            "/.gitlab-ci.yml",
            "/.buildkite/",
            "/azure-pipelines.yml",
            "/Jenkinsfile",
        ],
        description="files that are protected when they mention one of `gate_words`",
    )
    gate_words: list[str] = Field(default=["gatehouse", "pytest -m inner"])
    secrets: SecretSettings = SecretSettings()
    tampering: TamperingSettings = TamperingSettings()
    repository_contract: bool | None = Field(
        default=None,
        description="whether the repository is one of the platform; default: if it has the devcontainer or marker",
    )
    contract: ContractSettings = ContractSettings()
    allow: list[AllowedViolation] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _profiles_begin_with_the_defaults(cls, data: Any) -> Any:
        named = data.get("profiles") if isinstance(data, dict) else None
        if not isinstance(named, dict):
            return data
        merged: dict[str, Any] = {name: each.model_dump() for name, each in default_profiles().items()}
        for name, own in named.items():
            merged[name] = {**merged.get(name, {}), **own} if isinstance(own, dict) else own
        return {**data, "profiles": merged}

    @model_validator(mode="after")
    def _named_profiles_exist(self) -> GuardrailSettings:
        named = {
            "default_profile": self.default_profile,
            **{f"aliases.{k}": v for k, v in self.aliases.items()},
        }
        for key, name in named.items():
            if name is not None and name not in self.profiles:
                raise ValueError(f"{key} is {name!r}, but the profiles are: {', '.join(self.profiles)}")
        return self
