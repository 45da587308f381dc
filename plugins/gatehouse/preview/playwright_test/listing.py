"""The tests of a project, as its own Playwright lists them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gatehouse.core.errors import EnvironmentProblem, GatehouseError, ProductFailure, error_data, error_of
from gatehouse.core.journey_settings import PlaywrightTestProject
from gatehouse.core.processes import ProcessOwner
from gatehouse.core.settings import find_settings_file
from gatehouse.preview.playwright_test.command import (
    GIVEN_VARIABLE,
    Shard,
    command,
    environment,
    write_given,
)
from gatehouse.preview.playwright_test.ending import Ending
from gatehouse.preview.playwright_test.failure import words
from gatehouse.preview.playwright_test.given import given_for_listing
from gatehouse.preview.playwright_test.judge import global_error
from gatehouse.preview.playwright_test.project import find_config, installation
from gatehouse.preview.playwright_test.results import Follower, ListedTest

#: Seconds that listing may take.
LISTING_TIMEOUT = 180.0

#: What Playwright says of a project without tests.
NO_TESTS = "No tests found"

EMPTY_STATE = '{"cookies": [], "origins": []}'


@dataclass(frozen=True)
class JourneyProject:
    """A project of the settings, or of the command line: its configuration file, and its name for people and files."""

    settings: PlaywrightTestProject
    config: Path
    folder: Path
    name: str

    @property
    def key(self) -> str:
        """A name for its folder in the bundle; it holds a dot, which those of pytest's workers do not."""
        return re.sub(r"[^\w.-]+", "-", self.name).strip("-.") or "playwright.config"


@dataclass(frozen=True)
class Listing:
    """What a project consists of; or why it cannot be listed."""

    tests: tuple[ListedTest, ...] = ()
    version: str = ""
    web_server: bool = False
    error: GatehouseError | None = None

    def required(self) -> Listing:
        """The listing itself. Raises why there is none."""
        if self.error is not None:
            raise self.error
        return self

    def write(self, path: Path) -> None:
        """Write it for the other processes of the run."""
        tests = [{**asdict(test), "spec": str(test.spec), "file": str(test.file)} for test in self.tests]
        error = error_data(self.error) if self.error else None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(
                {"tests": tests, "version": self.version, "web_server": self.web_server, "error": error}
            )
        )

    @classmethod
    def read(cls, path: Path) -> Listing:
        """What `write` has written."""
        data = json.loads(path.read_text())
        tests = [
            ListedTest(**{**test, "spec": Path(test["spec"]), "file": Path(test["file"])})
            for test in data["tests"]
        ]
        error = error_of(data["error"]) if data["error"] else None
        return cls(tuple(tests), data["version"], data["web_server"], error)


def configured(settings: PlaywrightTestProject, settings_folder: Path, root: Path) -> JourneyProject:
    """A project of gatehouse.yaml. Raises `EnvironmentProblem` when its folder or configuration is not there."""
    folder = (settings_folder / settings.folder).resolve()
    config = find_config(folder, settings.config).resolve()
    return JourneyProject(settings, config, folder, _shown(config, root))


def configured_projects(projects: Iterable[PlaywrightTestProject], root: Path) -> list[JourneyProject]:
    """The projects of gatehouse.yaml. Raises what `configured` raises."""
    file = find_settings_file(root)
    folder = file.resolve().parent if file else root
    return [configured(each, folder, root) for each in projects]


def named(config: Path, root: Path) -> JourneyProject:
    """A project that only the command line names, with the default settings."""
    settings = PlaywrightTestProject(folder=config.parent, config=config.name)
    return JourneyProject(settings, config.resolve(), config.resolve().parent, _shown(config.resolve(), root))


def list_tests(project: JourneyProject, base: Mapping[str, str], known_secrets: frozenset[str]) -> Listing:
    """Ask the project's Playwright; what keeps it from answering is in the listing."""
    try:
        return _list(project, base, known_secrets)
    except GatehouseError as error:
        return Listing(error=error)


def _list(project: JourneyProject, base: Mapping[str, str], known_secrets: frozenset[str]) -> Listing:
    installed = installation(project.config)
    with tempfile.TemporaryDirectory(prefix="gatehouse-playwright-") as name, ProcessOwner() as owner:
        folder = Path(name).resolve()
        shard = Shard(1, folder)
        state = folder / "state.json"
        state.write_text(EMPTY_STATE)
        given = given_for_listing(project.settings, state)
        file = folder / "given.json"
        write_given(file, installed, project.settings, given, shard, items={}, video=False)
        variables = environment(
            base, known_secrets, given.base_url(project.settings), given.environment(project.settings)
        )
        timeout = min(LISTING_TIMEOUT, project.settings.timeout_seconds)
        done = owner.run(
            command(installed, project.settings, None),
            timeout=timeout,
            cwd=project.folder,
            env={**variables, GIVEN_VARIABLE: str(file)},
        )
        events = Follower(shard.results, project.config.parent).read()
    ending = Ending.of(done, timeout, stopped=False)
    errors = [each for each in events.errors if NO_TESTS not in each.message]
    if errors:
        raise global_error(project.name, errors[0].message, errors[0].place)
    if not events.tests and (events.begun or events.errors):
        raise ProductFailure(
            f"{project.name} has no tests",
            expected="at least one test",
            seen="`playwright test --list` shows none",
            next_step="correct testDir and testMatch in it, or take the project out of gatehouse.yaml",
        )
    if not events.begun or ending.exit_code != 0:
        raise _cannot_be_listed(project, ending)
    return Listing(tuple(events.tests), events.version, events.web_server)


def _cannot_be_listed(project: JourneyProject, ending: Ending) -> GatehouseError:
    if not ending.by_itself:
        return EnvironmentProblem(f"{project.name}: listing its tests {ending}", seen=ending.last_words)
    summary, seen = words(ending.output, f"playwright test --list {ending}")
    place = re.search(
        rf"({re.escape(str(project.folder))}/[^\s:()]+)(?::(\d+)|: [^\n]*\((\d+):)", ending.output
    )
    return ProductFailure(
        f"{project.name} cannot be used: {summary}",
        seen=seen,
        where=f"{place[1]}:{place[2] or place[3]}" if place else str(project.config),
        next_step=f"run `npx playwright test --list` in {project.folder}, and repair what it says",
    )


def distinct(projects: list[JourneyProject]) -> list[JourneyProject]:
    """Each configuration once; names that would be the same in the bundle are told apart."""
    found: dict[Path, JourneyProject] = {}
    for project in projects:
        found.setdefault(project.config, project)
    keys: set[str] = set()
    result = []
    for project in found.values():
        while project.key in keys:
            project = replace(project, name=project.name + ".2")
        keys.add(project.key)
        result.append(project)
    return result


def _shown(config: Path, root: Path) -> str:
    try:
        return config.relative_to(root.resolve()).as_posix()
    except ValueError:
        return str(config)
