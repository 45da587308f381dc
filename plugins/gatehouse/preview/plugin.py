"""The preview suite: nothing is opened before the environment is proved to be the one under test."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

import allure
import pytest

from gatehouse.core.errors import GatehouseError, UsageError
from gatehouse.core.folders import cache_folder
from gatehouse.preview.browser import find_browser, point_node_at
from gatehouse.preview.outcome import Outcome
from gatehouse.preview.video import prepare_video
from gatehouse.run import Run, current_run, required_run

if TYPE_CHECKING:  # what waits and shows is not imported by the many pytest runs that preview nothing
    from gatehouse.preview.personas.store import Persona, PersonaStore
    from gatehouse.preview.under_test import Preview

OUTCOME = pytest.StashKey[Outcome]()
PERSONAS: pytest.StashKey[PersonaStore] = pytest.StashKey()

#: What requests of the test under way carry, by which the deployed system's logs are searched.
HEADERS = pytest.StashKey[dict[str, str]]()
NO_VIDEO = pytest.StashKey[str]()

#: Whether a test has said why the wait came to nothing.
SHOWN = pytest.StashKey[bool]()


def _address(text: str) -> str:
    """The address as it was given, if it is one by the settings' rule."""
    from gatehouse.core.setting_types import web_address  # with pydantic, which pytest can start without

    try:
        web_address(text)
    except ValueError as error:  # whose text argparse would not show
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    group = parser.getgroup("gatehouse")
    group.addoption(
        "--gate-preview-url",
        metavar="URL",
        type=_address,
        help="Address to use in place of the first of the target's preview.urls; {number} is the pull request",
    )
    group.addoption(
        "--gate-har",
        choices=("off", "on", "retain-on-failure"),
        default="off",
        help="Keep an HTTP archive (HAR, without bodies) of each browser context of the preview's journeys",
    )
    group.addoption(
        "--gate-update-snapshots",
        action="store_true",
        help="Write the snapshots anew that are missing or differ; their tests are skipped, as they compared nothing",
    )
    parser.addini("gatehouse_snapshots", "Folder with the snapshots", default="fixtures/snapshots")


def pytest_configure(config: pytest.Config) -> None:
    """Register the suite's own marker."""
    config.addinivalue_line(
        "markers", "persona(name): the test's browser contexts start as this persona, signed in (preview)"
    )


def pytest_gatehouse_run(config: pytest.Config, run: Run) -> None:
    """Keep traces, screenshots and videos of failures; drive the browser that was found."""
    if "preview" not in run.suites:
        return
    if config.getoption("gate_update_snapshots") and os.environ.get("CI"):
        raise UsageError(
            "--gate-update-snapshots was given in CI",
            expected="snapshots that somebody has looked at and committed",
            next_step="make them on a machine of your own; the actual pictures are in the evidence of the run",
        )
    from gatehouse.preview.guard import Guard
    from gatehouse.preview.playwright_test.items import PlaywrightTests
    from gatehouse.terminal import write_line

    projects = PlaywrightTests(config, run, lambda line: write_line(config, line))
    config.pluginmanager.register(projects, "gatehouse-playwright-test")
    if run.controller and not config.getoption("collectonly"):
        config.pluginmanager.register(Guard(run, projects), "gatehouse-preview-guard")
    if not config.pluginmanager.hasplugin("playwright"):
        return
    point_node_at(run.target.preview.addresses if run.target.preview else {})
    wanted = {"tracing": "retain-on-failure", "screenshot": "only-on-failure", "video": "retain-on-failure"}
    if reason := prepare_video(cache_folder() / "playwright", own_browser=bool(find_browser())):
        del wanted["video"]
        config.stash[NO_VIDEO] = reason
    given = {str(argument).partition("=")[0] for argument in config.invocation_params.args}
    for option, kept in wanted.items():
        if f"--{option}" not in given:
            setattr(config.option, option, kept)
    from gatehouse.preview import browser_plugin

    config.pluginmanager.register(browser_plugin, "gatehouse-browser")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what evidence there will not be."""
    reason = config.stash.get(NO_VIDEO, None)
    return f"video: none of failures, because {reason}" if reason else None


def outcome_of(config: pytest.Config) -> Outcome:
    """What the controller found out."""
    if OUTCOME not in config.stash:
        config.stash[OUTCOME] = Outcome.read(required_run(config).attachments())
    return config.stash[OUTCOME]


def _attach_note(config: pytest.Config) -> None:
    """Give a test the incident note, for JUnit's output and for Allure."""
    if note := outcome_of(config).note:
        allure.attach(note, "incident note", allure.attachment_type.TEXT)
        print(note)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """No preview test starts without a proved environment; Playwright's base URL is bound to it."""
    run = current_run(item.config)
    if run is None or item.get_closest_marker("preview") is None:
        return
    try:
        environment = outcome_of(item.config).environment()
    except GatehouseError as error:
        error.shown_before = item.config.stash.get(SHOWN, False)
        item.config.stash[SHOWN] = True
        if not error.shown_before:
            _attach_note(item.config)
        raise
    if item.get_closest_marker("persona") and not item.config.pluginmanager.hasplugin("gatehouse-browser"):
        raise UsageError(
            "a test that starts as a persona needs pytest-playwright, which is not loaded",
            next_step="leave out -p no:playwright",
        )
    if not item.config.getoption("base_url", None):
        item.config.option.base_url = next(iter(environment["urls"].values()))


@pytest.fixture(scope="session")
def preview(pytestconfig: pytest.Config) -> Preview:
    """The preview under test: its pull request, commit and URLs."""
    from gatehouse.preview.route import Route
    from gatehouse.preview.under_test import Preview

    settings = required_run(pytestconfig).target.preview
    config = pytestconfig
    return Preview(
        outcome_of(config).environment(),
        Route(settings.addresses, settings.tls) if settings else Route(),
        lambda name: personas_of(config).persona(name),
        lambda: config.stash.get(HEADERS, {}),
    )


def personas_of(config: pytest.Config) -> PersonaStore:
    """The personas of the target. Raises `UsageError` where it has none."""
    if PERSONAS not in config.stash:
        from gatehouse.preview.personas.preparation import open_store

        run, outcome = required_run(config), outcome_of(config)
        environment = outcome.environment()
        if outcome.personas_folder is None or run.target.preview is None:
            raise UsageError(
                "the target has no personas",
                next_step="describe them in preview.personas and preview.sign_in of gatehouse.yaml",
            )
        store = config.stash[PERSONAS] = open_store(
            outcome.personas_folder, run.target.preview, environment["urls"], run.redactor.add
        )
        store.learn_secrets()
    return config.stash[PERSONAS]


@pytest.fixture(scope="session")
def personas(pytestconfig: pytest.Config) -> PersonaStore:
    """The personas of the target, which have signed in: `personas.persona("owner")`."""
    return personas_of(pytestconfig)


@pytest.fixture
def persona(request: pytest.FixtureRequest) -> Persona:
    """The persona that the test is marked with: `@pytest.mark.persona("owner")`. Its contexts are signed in."""
    mark = request.node.get_closest_marker("persona")
    if mark is None:
        raise UsageError("the fixture persona needs a test marked with @pytest.mark.persona(NAME)")
    return personas_of(request.config).persona(persona_named(mark), verify=False)


def persona_named(mark: pytest.Mark) -> str:
    """The persona that a mark names. Raises `UsageError` where it names none."""
    if len(mark.args) != 1 or mark.kwargs or not isinstance(mark.args[0], str):
        raise UsageError('write @pytest.mark.persona("NAME"), with the name of one of preview.personas')
    return mark.args[0]
