"""The preview suite: nothing is opened before the environment is proved to be the one under test."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import allure
import pytest

from gatehouse.core.checkout import Checkout
from gatehouse.core.deadline import SYSTEM_CLOCK
from gatehouse.core.errors import GatehouseError, NotInstalled, ProductFailure, UsageError, WrongSubject
from gatehouse.core.folders import cache_folder
from gatehouse.evidence.plugin import RECORDER, failure_data
from gatehouse.preview.browser import find_browser, point_node_at, require_browser
from gatehouse.preview.outcome import Outcome, error_data, write_outcome
from gatehouse.preview.video import prepare_video
from gatehouse.run import Run, current_run, required_run, usage_error

if TYPE_CHECKING:  # what waits and shows is not imported by the many pytest runs that preview nothing
    from gatehouse.preview.display import Display
    from gatehouse.preview.environment import PreviewWait
    from gatehouse.preview.journeys.reporting import FailureReports
    from gatehouse.preview.look import PreviewEnvironment
    from gatehouse.preview.personas.store import Persona, PersonaStore
    from gatehouse.preview.under_test import Preview

#: Fixtures that need a browser.
BROWSER_FIXTURES = frozenset({"page", "context", "new_context", "browser", "launch_browser"})

OUTCOME = pytest.StashKey[Outcome]()
PERSONAS: pytest.StashKey[PersonaStore] = pytest.StashKey()

#: What requests of the test under way carry, by which the deployed system's logs are searched.
HEADERS = pytest.StashKey[dict[str, str]]()
NO_VIDEO = pytest.StashKey[str]()

#: The incident note about a preview that changed, and whether a test has said why the wait came to nothing.
NOTE = pytest.StashKey[str]()
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


def pytest_configure(config: pytest.Config) -> None:
    """Register the suite's own marker."""
    config.addinivalue_line(
        "markers", "persona(name): the test's browser contexts start as this persona, signed in (preview)"
    )


def pytest_gatehouse_run(config: pytest.Config, run: Run) -> None:
    """Keep traces, screenshots and videos of failures; drive the browser that was found."""
    if "preview" not in run.suites or not config.pluginmanager.hasplugin("playwright"):
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
    if run.controller and not config.getoption("collectonly"):
        config.pluginmanager.register(_Guard(run), "gatehouse-preview-guard")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what evidence there will not be."""
    reason = config.stash.get(NO_VIDEO, None)
    return f"video: none of failures, because {reason}" if reason else None


class _Guard:
    """Waits for the environment before the tests, and proves it again after them. One wait for all workers."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._clients = contextlib.ExitStack()
        self._deployment: dict[str, Any] = {}
        self._reports: FailureReports | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if session.testsfailed:  # collection failed: there is nothing to wait for
            return (yield)
        self._require_browser(session)
        if session.config.getoption("gate_pr"):
            session.config.stash[RECORDER].command += ["--gate-pr", str(self._run.number)]
        with self._clients:
            wait = self._prove(session.config, "start")
            if wait is None:
                return (yield)
            with self._reporting(session.config, wait):
                result = yield
            self._prove(session.config, "end", wait)
        return result

    @contextlib.contextmanager
    def _reporting(self, config: pytest.Config, wait: PreviewWait) -> Generator[None]:
        from gatehouse.preview.journeys.reporting import FailureReports

        recorder = config.stash[RECORDER]
        self._reports = FailureReports(lambda: wait.now(self._deployment), recorder.event, recorder.command)
        try:
            yield
        finally:
            self._reports.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._reports is not None:
            self._reports.heard(report)

    @staticmethod
    def _require_browser(session: pytest.Session) -> None:
        needed = any(BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())) for item in session.items)
        if needed:
            try:
                require_browser()
            except NotInstalled as error:
                session.config.stash[RECORDER].problem(error)
                raise usage_error(error) from error

    def _prove(
        self, config: pytest.Config, stage: str, wait: PreviewWait | None = None
    ) -> PreviewWait | None:
        """Wait and prove; write the outcome where every process finds it. None if there is no such preview."""
        recorder = config.stash[RECORDER]
        display = _display(config)
        try:
            wait = wait or self._make_wait(config, display)
            environment = wait.run(display)
            if stage == "end":
                self._require_unchanged(environment)
        except GatehouseError as error:
            display.close()
            self._failed(config, stage, wait, error)
            return None
        except KeyboardInterrupt:
            display.close()
            if wait is not None:
                _write_line(
                    config, f"preview: stopped while {wait.progress.last}; the next command goes on from here"
                )
            raise
        finally:
            display.close()
        self._run.embedded = self._run.embedded or environment.embedded
        if stage == "start":
            _write_line(config, _said(self._run, environment))
        recorder.event(
            "deployment_proof",
            stage=stage,
            outcome=str(environment.proof.outcome),
            proof=environment.as_data(),
        )
        if stage == "start":
            self._deployment = environment.deployment
            data = environment.as_data()
            self._write({"environment": data, "personas": self._sign_in(config, data)})
        return wait

    def _sign_in(self, config: pytest.Config, environment: dict[str, Any]) -> str | None:
        """Sign the personas in; the folder that workers find them in. Who cannot sign in fails where it is needed."""
        settings = self._run.target.preview
        if settings is None or not settings.personas:
            return None
        from gatehouse.preview.personas.preparation import prepare_personas

        store, problems = prepare_personas(self._run.target, environment, self._clients)
        for secret in store.secrets():
            self._run.redactor.add(secret)
        for name, error in problems.items():
            if error is not None:
                _write_line(config, self._run.redactor.text(f"persona {name}: {error.summary}"))
        config.stash[RECORDER].event(
            "personas",
            personas=[
                {
                    "name": name,
                    "roles": settings.personas[name].roles,
                    "problem": error.summary if error else "",
                }
                for name, error in problems.items()
            ],
        )
        return str(store.folder)

    def _require_unchanged(self, environment: PreviewEnvironment) -> None:
        """Raises `WrongSubject` where an Application was deployed anew, even with the same images."""
        from gatehouse.preview.proof import what_changed

        if changes := what_changed(self._deployment, environment.deployment):
            raise WrongSubject(
                f"{changes[0]} during the tests",
                expected="the deployment that was proved before the tests",
                seen=", ".join(changes),
                next_step="run the suite again once nothing deploys",
            )

    def _failed(
        self, config: pytest.Config, stage: str, wait: PreviewWait | None, error: GatehouseError
    ) -> None:
        recorder = config.stash[RECORDER]
        note, details = self._note_incident(stage, wait, error) if wait else ("", {})
        recorder.event(
            "deployment_proof",
            stage=stage,
            outcome="failed",
            failure=failure_data(error, str(error)),
            **details,
        )
        if stage == "start":
            self._write({"failure": error_data(error), "note": note})
            return
        config.stash[NOTE] = note
        changed = "after the tests the preview was no longer the one under test"
        unknown = "after the tests nobody could prove that the preview was still the one under test"
        recorder.problem(
            WrongSubject(
                f"{changed if isinstance(error, ProductFailure) else unknown}: {error.summary}",
                expected=error.expected,
                seen=error.seen,
                next_step="run the suite again once the environment is stable",
            )
        )

    def _note_incident(
        self, stage: str, wait: PreviewWait, error: GatehouseError
    ) -> tuple[str, dict[str, Any]]:
        """Write the incident note into the bundle; its text, and its data for the record."""
        from gatehouse.preview.incident import incident_of

        note = incident_of(
            wait,
            error,
            environment=f"preview of pull request {wait.number} of {self._run.repository} at {wait.commit}",
            verify=f"pytest -m preview --gate-pr {wait.number}",
        )
        text = self._run.redactor.text(str(note))
        (self._run.attachments() / f"preview-incident-{stage}.md").write_text(text)
        return text, {"incident": self._run.redactor.data(note.as_data())}

    def _make_wait(self, config: pytest.Config, display: Display) -> PreviewWait:
        from gatehouse.github.client import GitHubClient
        from gatehouse.preview.environment import PreviewWait
        from gatehouse.preview.memory import WaitMemory
        from gatehouse.preview.pull_request import find_pull_request
        from gatehouse.preview.registry import ImageRegistries
        from gatehouse.preview.source import open_source

        target = self._run.target
        assert target.github and target.preview, "checked before the run"
        token = target.github.token.read() if target.github.token else None
        github = self._clients.enter_context(
            GitHubClient(target.github.api_url, target.github.repository, token)
        )
        pull = find_pull_request(github, self._run.number, _checkout_head(self._run.root))
        # Known from here on, so that also a run that fails says what it was about.
        self._run.number, self._run.commit = pull.number, self._run.commit or pull.head.sha
        source, why = open_source(target, self._clients)
        for line in filter(None, (why, source.preflight(target.preview.timeout_seconds))):
            display.note(line)
        settings = target.preview
        if url := config.getoption("gate_preview_url"):
            first = next(iter(settings.urls), "preview")
            settings = settings.model_copy(update={"urls": {**settings.urls, first: url}})
        return PreviewWait(
            settings,
            source,
            github,
            pull,
            self._run.commit,
            SYSTEM_CLOCK,
            registries=self._clients.enter_context(ImageRegistries(settings.registries)),
            memory=WaitMemory(
                cache_folder() / "waits", source.server, github.repository, str(pull.number), pull.head.sha
            ),
            project=(target.argocd.project or "") if target.argocd else "",
        )

    def _write(self, data: dict[str, Any]) -> None:
        write_outcome(self._run.attachments(), self._run.redactor.data(data))


def _display(config: pytest.Config) -> Display:
    """A table that is drawn over again in a terminal, plain lines elsewhere and with -q."""
    from gatehouse.preview.display import LiveDisplay, PlainDisplay

    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and reporter.isatty and config.get_verbosity() >= 0 and not os.environ.get("CI"):
        return LiveDisplay(reporter._tw._file)
    return PlainDisplay(lambda line: _write_line(config, line))


def _said(run: Run, environment: PreviewEnvironment) -> str:
    """One line that says what is tested."""
    from gatehouse.preview.stages import in_words

    what = f"pull request {environment.number} of {run.repository} at {environment.commit[:12]}"
    stages = f" ({seconds})" if (seconds := in_words(environment.seconds)) else ""
    count = len(environment.applications)
    return f"preview: {what}: {count} Applications ready, {environment.proof.outcome}{stages}; {environment.base_url}"


def _write_line(config: pytest.Config, line: str) -> None:
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        if reporter._tw.width_of_current_line:  # the dots of quiet and of distributed runs
            reporter._tw.line()
        reporter.write_line(line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the note about a preview that changed during the tests; one about a wait is in the first test's output."""
    if note := config.stash.get(NOTE, ""):
        terminalreporter.section("incident note", sep="-")
        terminalreporter.write_line(note)


def _checkout_head(root: Path) -> str | None:
    try:
        return Checkout.find(root).head
    except GatehouseError:
        return None


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
            outcome.personas_folder, run.target.preview, environment["urls"]
        )
        for secret in store.secrets():
            run.redactor.add(secret)
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
    return personas_of(request.config).persona(mark.args[0], verify=False)
