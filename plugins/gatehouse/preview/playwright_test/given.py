"""What a run gives to the projects of Playwright Test: addresses, browser, states, credentials, correlation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from gatehouse.core.errors import EnvironmentProblem, GatehouseError
from gatehouse.core.journey_settings import PLACEHOLDER, CorrelationSettings, PlaywrightTestProject
from gatehouse.core.preview_settings import PreviewSettings
from gatehouse.preview.browser import find_browser, resolver_arguments
from gatehouse.preview.journeys.findings import origin_of

Value = TypeVar("Value")


@dataclass(frozen=True)
class Given:
    """Made once the preview is proved. The first of `urls` is the default base URL.

    `allowed_origins` are those that a main frame may show; with none, all are. `executable` is the Chromium to
    drive, None for Playwright's own.
    """

    urls: Mapping[str, str]
    number: int
    commit: str
    run_id: str
    storage_states: Mapping[str, Path] = field(default_factory=dict)
    credentials: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    #: Why a persona could not sign in.
    problems: Mapping[str, GatehouseError] = field(default_factory=dict)
    executable: str | None = None
    arguments: tuple[str, ...] = ()
    ignore_https_errors: bool = False
    allowed_origins: tuple[str, ...] = ()
    correlation: CorrelationSettings = field(default_factory=CorrelationSettings)

    def base_url(self, project: PlaywrightTestProject) -> str:
        """The base URL of a project. Raises `EnvironmentProblem` for a name that is not the preview's."""
        if project.url is None:
            return next(iter(self.urls.values()))
        return _named(self.urls, project.url, "url", "url of the preview")

    def storage_state(self, project: PlaywrightTestProject) -> Path | None:
        """The state that a project's tests start with, if it names a persona."""
        if project.persona is None:
            return None
        return self._state(project.persona, "persona")

    def environment(self, project: PlaywrightTestProject) -> dict[str, str]:
        """A project's variables with their placeholders filled in."""
        return {name: PLACEHOLDER.sub(self._filled, text) for name, text in project.environment.items()}

    def _state(self, name: str, key: str) -> Path:
        if name in self.problems:
            raise self.problems[name]
        return _named(self.storage_states, name, key, "persona that has signed in")

    def _filled(self, match: re.Match[str]) -> str:
        kind, name, plain = match.groups()
        if plain:
            return str(self.number) if plain == "number" else self.commit
        if kind == "url":
            return _named(self.urls, name, "environment", "url of the preview")
        if kind == "storage_state":
            return str(self._state(name, "environment"))
        username, password = _named(
            self.credentials, name, "environment", "persona whose credentials are known"
        )
        return username if kind == "username" else password


def given_from(
    settings: PreviewSettings | None,
    *,
    urls: Mapping[str, str],
    number: int,
    commit: str,
    run_id: str,
) -> Given:
    """What the settings and a proved preview say; personas are added by who signs them in."""
    others = settings.origins_besides_its_own if settings else []
    return Given(
        urls=urls,
        number=number,
        commit=commit,
        run_id=run_id,
        executable=find_browser(),
        arguments=tuple(resolver_arguments(settings.addresses)) if settings else (),
        ignore_https_errors=settings is not None and settings.tls.unknown_to_browsers,
        allowed_origins=tuple(dict.fromkeys(origin_of(each) for each in [*urls.values(), *others])),
        correlation=settings.correlation if settings else CorrelationSettings(),
    )


def given_for_listing(project: PlaywrightTestProject, empty_state: Path) -> Given:
    """Stand-ins for what is not known before the preview is proved, so that configurations can be read."""
    address = "http://preview.invalid"
    names = {match[2] for text in project.environment.values() for match in PLACEHOLDER.finditer(text)}
    names |= {project.url, project.persona}
    every = [each for each in names if each]
    return Given(
        urls={"preview": address, **dict.fromkeys(every, address)},
        number=0,
        commit="0" * 40,
        run_id="listing",
        storage_states=dict.fromkeys(every, empty_state),
        credentials=dict.fromkeys(every, ("listing", "listing")),
    )


def _named(values: Mapping[str, Value], name: str, key: str, what: str) -> Value:
    if name not in values:
        raise EnvironmentProblem(
            f"a Playwright Test project names {name!r}, but there is no such {what}",
            expected=", ".join(values) or "none is known",
            next_step=f"correct playwright_test[].{key} in gatehouse.yaml",
        )
    return values[name]
