"""Settings of the journeys: who signs in and how, what requests carry, and projects of Playwright Test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from gatehouse.core.setting_types import Address, Pattern
from gatehouse.core.yaml_file import StrictModel


class SecretKey(StrictModel):
    """A key of a Kubernetes Secret, in whatever namespace it is."""

    namespace: Pattern
    name: str
    key: str


class CredentialSource(StrictModel):
    """Where a persona's user name or password is. Never its value."""

    env: str | None = None
    file: Path | None = None
    secret: SecretKey | None = Field(default=None, description="read through the target's kubernetes section")

    @model_validator(mode="before")
    @classmethod
    def _reference_only(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError("a literal is not accepted; write {env: NAME}, {file: PATH} or {secret: {…}}")  # noqa: TRY004 - pydantic shows a ValueError
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> CredentialSource:
        if sum(each is not None for each in (self.env, self.file, self.secret)) != 1:
            raise ValueError("name exactly one of {env: NAME}, {file: PATH} and {secret: {…}}")
        return self


class Refusal(StrictModel):
    """How the product turns a persona away that the identity provider knows."""

    status: list[int] = Field(
        default_factory=list, description="status of the page the login ends at; default: any"
    )
    path: str | None = Field(default=None, description="path of that page, such as /onboarding")
    contains: str | None = Field(default=None, description="text of that page")

    @model_validator(mode="after")
    def _says_something(self) -> Refusal:
        if not self.status and self.path is None and self.contains is None:
            raise ValueError("say by status, path or contains how the product turns the persona away")
        return self


class PersonaSettings(StrictModel):
    """A user of the product under test."""

    username: CredentialSource
    password: CredentialSource
    roles: list[str] = Field(
        default_factory=list, description="what the persona may do, in the product's words"
    )
    refused: Refusal | None = Field(
        default=None,
        description="for a persona that is invited, suspended or not a member: how the product turns it away",
    )


class MemberCheck(StrictModel):
    """What a signed-in persona must be answered, which shows that the product knows it, too."""

    path: str
    status: list[int] = Field(default_factory=lambda: [200])
    contains: str | None = Field(default=None, description="{username} is filled in")


class SignInSettings(StrictModel):
    """How personas sign in, without a browser."""

    url: str = Field(description="name of the preview's url that is signed in to")
    kind: Literal["form", "auth.js"] = Field(
        default="form",
        description="form: follow `path` to the form and send it; auth.js: ask its API for the way there",
    )
    path: str = Field(default="/login", description="form: where the way to the form begins")
    provider: str = Field(default="keycloak", description="auth.js: which of its providers")
    username_field: str = "username"
    password_field: str = "password"  # noqa: S105 - the name of a form's field
    identity_origins: list[Address] = Field(
        default_factory=list, description="origins of the identity provider, which a login may lead to"
    )
    member_check: MemberCheck | None = None
    timeout_seconds: float = Field(default=60.0, gt=0, description="for each persona's login")


_BAGGAGE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class CorrelationSettings(StrictModel):
    """What requests of tests carry, so that logs and traces of the deployed system can be searched for them."""

    send: Literal["none", "preview", "all"] = Field(
        default="none",
        description="which requests carry W3C traceparent and baggage: those to the preview's origins, or all",
    )
    run: str = Field(default="gatehouse.run_id", description="baggage name of the run's id")
    test: str = Field(default="gatehouse.test_id", description="baggage name of the test's id")

    @field_validator("run", "test")
    @classmethod
    def _is_a_token(cls, value: str) -> str:
        if not _BAGGAGE_NAME.fullmatch(value):
            raise ValueError(f"{value!r} cannot be a name in baggage (W3C): no spaces, commas, = or ;")
        return value


#: What the environment of a Playwright Test project may hold: {url:www}, {storage_state:owner}, {username:owner} …
PLACEHOLDER = re.compile(r"\{(?:(url|storage_state|username|password):([^{}]+)|(number|commit))\}")


class PlaywrightTestProject(StrictModel):
    """A project of Playwright Test (TypeScript or JavaScript) whose tests are run as they are."""

    folder: Path = Field(description="relative to gatehouse.yaml's folder")
    config: str | None = Field(
        default=None, description="name of its configuration file; default: the playwright.config.* there"
    )
    url: str | None = Field(
        default=None, description="name of the url that is its base URL; default: the first"
    )
    persona: str | None = Field(
        default=None, description="whose storage state its tests start with; default: nobody's"
    )
    workers: int | None = Field(default=None, ge=1, description="default: the project's own")
    shards: int = Field(default=1, ge=1, description="processes that share the tests")
    environment: dict[str, str] = Field(
        default_factory=dict,
        description="variables that its tests read; {url:NAME}, {storage_state:PERSONA}, {username:PERSONA}, "
        "{password:PERSONA}, {number} and {commit} are filled in",
    )
    timeout_seconds: float = Field(default=1800.0, gt=0, description="for the whole project")

    @field_validator("environment")
    @classmethod
    def _placeholders_are_known(cls, value: dict[str, str]) -> dict[str, str]:
        for name, pattern in value.items():
            if rest := re.search(r"\{[a-z_]+(:[^{}]*)?\}", PLACEHOLDER.sub("", pattern)):
                raise ValueError(f"{name}: unknown placeholder {rest[0]}")
        return value
