"""`preview` in `gatehouse.yaml`: how a pull request's preview environment is recognised and proved."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from gatehouse.core.journey_settings import CorrelationSettings, PersonaSettings, SignInSettings
from gatehouse.core.setting_types import Address, Pattern, Secret
from gatehouse.core.yaml_file import StrictModel


def _ip_address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        raise ValueError(f"expected an IP address such as 10.0.0.1, found {value!r}") from error


IpAddress = Annotated[str, AfterValidator(_ip_address)]


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression)
    except re.error as error:
        raise ValueError(f"{expression!r} is not a regular expression: {error}") from error


class ServedCommitProbe(StrictModel):
    """Where the deployed application says which commit it is: in one answer, by one of four means."""

    url: str = Field(description="name of one of the preview's urls")
    path: str = "/version.json"
    json_field: str | None = Field(default=None, description="field of a JSON body; dots lead inside")
    header: str | None = Field(default=None, description="response header")
    meta: str | None = Field(default=None, description="name of a <meta> tag whose content is the commit")
    text: str | None = Field(
        default=None, description="regular expression over the body; its first group is the commit"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> ServedCommitProbe:
        if sum(each is not None for each in (self.json_field, self.header, self.meta, self.text)) != 1:
            raise ValueError("name exactly one of json_field, header, meta and text")
        if self.text is not None and _compiled(self.text).groups != 1:
            raise ValueError("text must have one group, which is the commit: build ([0-9a-f]+)")
        return self


class AnswerCheck(StrictModel):
    """What one of the preview's URLs must answer before the tests begin."""

    url: str = Field(description="name of one of the preview's urls")
    path: str = "/"
    status: list[int] = Field(default_factory=list, description="accepted; default: any below 500 but 404")
    contains: str | None = Field(default=None, description="text that the body must hold")


class TlsSettings(StrictModel):
    """How certificates of preview hostnames are verified."""

    ca_file: Path | None = Field(default=None, description="authorities to trust in place of the machine's")
    verify: bool = Field(default=True, description="false accepts any certificate; the record says so")

    @property
    def unknown_to_browsers(self) -> bool:
        """Whether a browser, which cannot be given an authority, must take certificates as they are."""
        return self.ca_file is not None or not self.verify


class UrlSource(StrictModel):
    """A key of a ConfigMap of the Applications' that holds an address."""

    config_map: str
    key: str
    name: str | None = Field(default=None, description="what the URL is called; default: the key")


class Component(StrictModel):
    """A part of the repository that becomes one image."""

    image: str = Field(description="image repository, without tag")
    paths: list[str] = Field(
        min_length=1, description="files it is built from, as in .gitignore's globs: services/www/**"
    )


class RegistrySettings(StrictModel):
    """How an image registry is asked whether an image is there (OCI distribution API)."""

    host: str = Field(description="as in image names, such as ghcr.io")
    address: Address | None = Field(default=None, description="default: https:// and the host")
    username: str = Field(default="token", description="sent with the token")
    token: Secret | None = Field(default=None, description="default: anonymous")


class StageBudgets(StrictModel):
    """Seconds each stage of the wait may take; time is counted while the environment is in the stage."""

    generation_seconds: float = Field(
        default=600.0, gt=0, description="until the ApplicationSets have made every Application"
    )
    images_seconds: float = Field(
        default=900.0, gt=0, description="until the registry has every expected image"
    )
    sync_seconds: float = Field(
        default=600.0, gt=0, description="until every Application is synced to what is asked"
    )
    rollout_seconds: float = Field(default=900.0, gt=0, description="until every Application's pods are well")
    edge_seconds: float = Field(default=300.0, gt=0, description="until every hostname answers as it should")


class PreviewSettings(StrictModel):
    """How a pull request's preview environment is recognised."""

    application_selector: Pattern | None = Field(
        default=None,
        description="label selector of the pull request's Applications, such as preview/pr={number}",
    )
    applications: list[Pattern] = Field(
        default_factory=list, description="names of the Applications, in place of a selector"
    )
    application_count: int = Field(default=1, ge=1, description="at least so many Applications must match")
    urls: dict[str, Pattern] = Field(
        default_factory=dict, description="name → address pattern; the first is base_url"
    )
    url_sources: list[UrlSource] = Field(
        default_factory=list, description="keys of ConfigMaps that hold further addresses"
    )
    discovered_url: str = Field(
        default="https://{host}",
        description="how a route's hostname becomes an address where none is configured",
    )
    cross_check_urls: bool = Field(
        default=True, description="a configured hostname must be one that the Applications' routes serve"
    )
    product_images: list[str] = Field(
        default_factory=list, description="image repositories built from the repository under test; * matches"
    )
    image_tag: Pattern = Field(default="{commit}", description="tag of the pull request's images")
    components: dict[str, Component] = Field(
        default_factory=dict,
        description="parts of the repository: with these, only what changed must run the commit's image",
    )
    registries: list[RegistrySettings] = Field(
        default_factory=list, description="asked whether an image is there, and for its digest"
    )
    probe: ServedCommitProbe | None = None
    checks: list[AnswerCheck] = Field(default_factory=list, description="what URLs must answer")
    answers_in_a_row: int = Field(
        default=3, ge=1, description="right answers, each on a fresh connection, that every URL must give"
    )
    tls: TlsSettings = TlsSettings()
    addresses: dict[str, IpAddress] = Field(
        default_factory=dict,
        description="hostname → IP address to connect to instead of asking DNS; * matches",
    )
    sign_in: SignInSettings | None = None
    personas: dict[str, PersonaSettings] = Field(
        default_factory=dict, description="name → a user of the product, for sign_in"
    )
    other_origins: list[Address] = Field(
        default_factory=list, description="origins that a journey may open and ask besides the preview's own"
    )
    correlation: CorrelationSettings = CorrelationSettings()
    timeout_seconds: float = Field(default=3600.0, gt=0, description="all stages together")
    budgets: StageBudgets = StageBudgets()
    settle_seconds: float = Field(default=5.0, ge=0, description="readiness must hold for this long")
    failure_grace_seconds: float = Field(
        default=30.0, ge=0, description="a bad state that may pass must last this long to end the wait"
    )
    operation_grace_seconds: float = Field(
        default=60.0, ge=0, description="likewise for an operation on another revision than the one asked for"
    )
    allow_suspended: bool = Field(default=False, description="a paused rollout counts as well")

    @property
    def origins_besides_its_own(self) -> list[str]:
        """Addresses of other origins that pages of a journey may be of: those named, and the identity provider's."""
        return [*self.other_origins, *(self.sign_in.identity_origins if self.sign_in else ())]

    @field_validator("discovered_url")
    @classmethod
    def _holds_the_host(cls, value: str) -> str:
        if "{host}" not in value or re.search(r"[{}]", value.replace("{host}", "")):
            raise ValueError(
                f"expected an address with {{host}}, such as https://{{host}}:8443, found {value!r}"
            )
        return value

    @model_validator(mode="after")
    def _the_commit_can_be_told(self) -> PreviewSettings:
        if not self.probe and not re.search(r"\{(short_)?commit(_7)?\}", self.image_tag):
            raise ValueError(
                f"image_tag {self.image_tag!r} is the same for every commit of a pull request, so it proves none: "
                "let it hold {commit}, {short_commit} or {short_commit_7}, or add a probe"
            )
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> PreviewSettings:
        if self.application_selector and self.applications:
            raise ValueError("name the Applications by application_selector or by applications, not by both")
        named = {*self.urls, *(each.name or each.key for each in self.url_sources)}
        if self.personas and not self.sign_in:
            raise ValueError("personas are there, but sign_in does not say how they sign in")
        asked = (
            ("probe", self.probe),
            ("sign_in", self.sign_in),
            *(("checks", check) for check in self.checks),
        )
        for what, each in asked:
            if each and self.urls and each.url not in named:
                raise ValueError(
                    f"{what}.url names {each.url!r}, which is not one of urls: {', '.join(self.urls)}"
                )
        return self
