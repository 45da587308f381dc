"""Waits for the preview before the tests, and proves it again after them."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatehouse.core.checkout import Checkout
from gatehouse.core.deadline import SYSTEM_CLOCK
from gatehouse.core.errors import GatehouseError, NotInstalled, ProductFailure, WrongSubject, error_data
from gatehouse.core.folders import cache_folder
from gatehouse.evidence.recorder import RECORDER, failure_data
from gatehouse.preview.browser import require_browser
from gatehouse.preview.outcome import write_outcome
from gatehouse.run import Run, usage_error
from gatehouse.terminal import is_watched, write_line

if TYPE_CHECKING:  # what waits and shows is not imported by runs that end before
    from gatehouse.preview.display import Display
    from gatehouse.preview.environment import PreviewWait
    from gatehouse.preview.journeys.reporting import FailureReports
    from gatehouse.preview.look import PreviewEnvironment
    from gatehouse.preview.personas.store import PersonaStore
    from gatehouse.preview.playwright_test.given import Given
    from gatehouse.preview.playwright_test.items import PlaywrightTests

#: Fixtures that need a browser.
BROWSER_FIXTURES = frozenset({"page", "context", "new_context", "browser", "launch_browser"})


class Guard:
    """Waits for the environment before the tests, and proves it again after them. One wait for all workers."""

    def __init__(self, run: Run, projects: PlaywrightTests) -> None:
        self._run = run
        self._projects = projects
        self._clients = contextlib.ExitStack()
        self._deployment: dict[str, Any] = {}
        self._reports: FailureReports | None = None
        self._environment: dict[str, Any] = {}
        self._note = ""
        self._personas: PersonaStore | None = None
        self._problems: dict[str, GatehouseError] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """The wait, the tests, and the proof that the preview is still the same."""
        if session.testsfailed:  # collection failed: there is nothing to wait for
            return (yield)
        self._require_browser(session)
        if session.config.getoption("gate_pr"):
            session.config.stash[RECORDER].command += ["--gate-pr", str(self._run.number)]
        with self._clients:
            wait = self._prove(session.config, "start")
            if wait is None:
                return (yield)
            self._clients.callback(self._projects.stop)
            self._projects.start(session, self._given())
            with self._reporting(session.config, wait):
                result = yield
            self._projects.finish()
            self._prove(session.config, "end", wait)
        return result

    def _given(self) -> Given:
        """What the projects of Playwright Test are given."""
        from gatehouse.preview.playwright_test.given import given_from

        environment = self._environment
        given = given_from(
            self._run.target.preview,
            urls=environment["urls"],
            number=environment["number"],
            commit=environment["commit"],
            run_id=self._run.bundle.run_id if self._run.bundle else "",
        )
        signed_in = self._personas.signed_in() if self._personas else []
        return replace(
            given,
            storage_states={each.name: each.storage_state for each in signed_in},
            credentials={each.name: (each.username, each.password) for each in signed_in},
            problems=self._problems,
        )

    @contextlib.contextmanager
    def _reporting(self, config: pytest.Config, wait: PreviewWait) -> Generator[None]:
        from gatehouse.preview.journeys.reporting import FailureReports

        recorder = config.stash[RECORDER]
        redact = self._run.redactor.text
        self._reports = FailureReports(
            lambda: wait.now(self._deployment), recorder.event, recorder.command, redact
        )
        try:
            yield
        finally:
            self._reports.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Put together what is to be said of a journey that failed."""
        if self._personas is not None:
            self._personas.learn_secrets()  # a worker may have signed somebody in again
        if self._reports is not None:
            self._reports.heard(report)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the note about a preview that changed; one about a wait is in the first test's output."""
        if self._note:
            terminalreporter.section("incident note", sep="-")
            terminalreporter.write_line(self._note)

    @staticmethod
    def _require_browser(session: pytest.Session) -> None:
        needed = any(BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())) for item in session.items)
        if needed:
            option = session.config.getoption
            try:
                require_browser(
                    option("browser", None) or (),
                    channel=option("browser_channel", None),
                    headed=bool(option("headed", False)),
                )
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
                write_line(
                    config, f"preview: stopped while {wait.progress.last}; the next command goes on from here"
                )
            raise
        finally:
            display.close()
        self._run.embedded = self._run.embedded or environment.embedded
        if stage == "start":
            write_line(config, _said(self._run, environment))
        recorder.event(
            "deployment_proof",
            stage=stage,
            outcome=str(environment.proof.outcome),
            proof=environment.as_data(),
        )
        if stage == "start":
            self._deployment = environment.deployment
            self._environment = environment.as_data()
            self._write({"environment": self._environment, "personas": self._sign_in(config)})
        return wait

    def _sign_in(self, config: pytest.Config) -> str | None:
        """Sign the personas in; the folder that workers find them in. Who cannot sign in fails where it is needed."""
        settings = self._run.target.preview
        if settings is None or not settings.personas:
            return None
        from gatehouse.preview.personas.preparation import prepare_personas

        redactor = self._run.redactor
        store, problems = prepare_personas(self._run.target, self._environment, self._clients, redactor.add)
        self._personas = store
        self._problems = {name: error for name, error in problems.items() if error is not None}
        for name, error in self._problems.items():
            write_line(config, redactor.text(f"persona {name}: {error.summary}"))
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
        self._note = note
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

    if is_watched(config):
        reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        return LiveDisplay(reporter._tw._file)
    return PlainDisplay(lambda line: write_line(config, line))


def _said(run: Run, environment: PreviewEnvironment) -> str:
    """One line that says what is tested."""
    from gatehouse.preview.stages import in_words

    what = f"pull request {environment.number} of {run.repository} at {environment.commit[:12]}"
    stages = f" ({seconds})" if (seconds := in_words(environment.seconds)) else ""
    count = len(environment.applications)
    return f"preview: {what}: {count} Applications ready, {environment.proof.outcome}{stages}; {environment.base_url}"


def _checkout_head(root: Path) -> str | None:
    try:
        return Checkout.find(root).head
    except GatehouseError:
        return None
