"""The preview suite: nothing is opened before the environment is proved to be the one under test."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatehouse.core import errors
from gatehouse.core.checkout import Checkout
from gatehouse.core.deadline import SYSTEM_CLOCK, Deadline
from gatehouse.core.errors import GatehouseError, WrongSubject
from gatehouse.core.folders import cache_folder
from gatehouse.evidence.plugin import RECORDER, failure_data
from gatehouse.preview import browser_fixtures
from gatehouse.preview.browser import find_browser, require_browser
from gatehouse.preview.probe import Reply, fetch
from gatehouse.preview.video import prepare_video
from gatehouse.run import Run, current_run, required_run, usage_error

if TYPE_CHECKING:
    from gatehouse.core.waiting import Progress
    from gatehouse.preview.environment import PreviewEnvironment, PreviewWait

#: In the bundle's attachments: what the controller found out, for the workers and for people.
OUTCOME_FILE = "preview-environment.json"

#: Fixtures that need a browser.
BROWSER_FIXTURES = frozenset({"page", "context", "new_context", "browser", "launch_browser"})

OUTCOME = pytest.StashKey[dict[str, Any]]()
NO_VIDEO = pytest.StashKey[str]()


class Preview:
    """The preview under test; the fixture `preview`."""

    def __init__(self, data: dict[str, Any], addresses: Mapping[str, str]) -> None:
        self._addresses = addresses
        self.number: int = data["number"]
        self.commit: str = data["commit"]
        self.urls: dict[str, str] = data["urls"]

    @property
    def base_url(self) -> str:
        """The first of the configured URLs, which is also Playwright's `base_url`."""
        return next(iter(self.urls.values()))

    def get(self, name: str, path: str) -> Reply:
        """GET a path of one of the URLs, without a browser, over a fresh connection and without following redirects.

        Hostnames lead where the target's settings say, which Playwright's own API requests do not know.
        """
        return fetch(self.urls[name].rstrip("/") + path, self._addresses)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    parser.getgroup("gatehouse").addoption(
        "--gate-preview-url",
        metavar="URL",
        help="Address to use in place of the first of the target's preview.urls; {number} is the pull request",
    )


def pytest_gatehouse_run(config: pytest.Config, run: Run) -> None:
    """Keep traces, screenshots and videos of failures; drive the browser that was found."""
    if "preview" not in run.suites or not config.pluginmanager.hasplugin("playwright"):
        return
    wanted = {"tracing": "retain-on-failure", "screenshot": "only-on-failure", "video": "retain-on-failure"}
    if reason := prepare_video(cache_folder() / "playwright", own_browser=bool(find_browser())):
        del wanted["video"]
        config.stash[NO_VIDEO] = reason
    for option, kept in wanted.items():
        if config.getoption(option, None) == "off":
            setattr(config.option, option, kept)
    config.pluginmanager.register(browser_fixtures, "gatehouse-browser")
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

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if session.testsfailed:  # collection failed: there is nothing to wait for
            return (yield)
        self._require_browser(session)
        with self._clients:
            wait = self._prove(session.config, "start")
            result = yield
            if wait is not None:
                self._prove(session.config, "end", wait)
        return result

    @staticmethod
    def _require_browser(session: pytest.Session) -> None:
        needed = any(BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())) for item in session.items)
        if needed:
            try:
                require_browser()
            except errors.NotInstalled as error:
                session.config.stash[RECORDER].problem(error)
                raise usage_error(error) from error

    def _prove(
        self, config: pytest.Config, stage: str, wait: PreviewWait | None = None
    ) -> PreviewWait | None:
        """Wait and prove; write the outcome where every process finds it. None if there is no such preview."""
        recorder = config.stash[RECORDER]
        settings = self._run.target.preview
        assert settings is not None, "checked before the run"
        reporter = config.pluginmanager.getplugin("terminalreporter")

        def report(progress: Progress) -> None:
            elapsed, state = progress.history[-1]
            if reporter:
                reporter.ensure_newline()
                reporter.write_line(f"{progress.what}: {state} ({elapsed:.1f} s)")

        try:
            wait = wait or self._make_wait(config)
            environment = wait.run(Deadline.after(settings.timeout_seconds, SYSTEM_CLOCK), report)
        except GatehouseError as error:
            recorder.event(
                "deployment_proof", stage=stage, outcome="failed", failure=failure_data(error, str(error))
            )
            if stage == "end":
                recorder.problem(
                    WrongSubject(
                        f"after the tests the preview was no longer the one under test: {error.summary}",
                        seen=error.seen,
                        next_step="run the suite again once the environment is stable",
                    )
                )
            else:
                self._write({"failure": _error_data(error)})
            return None
        self._note(environment)
        recorder.event(
            "deployment_proof",
            stage=stage,
            outcome=str(environment.proof.outcome),
            proof=environment.as_data(),
        )
        if stage == "start":
            self._write({"environment": environment.as_data()})
        return wait

    def _make_wait(self, config: pytest.Config) -> PreviewWait:
        from gatehouse.argocd.client import ArgoCDClient
        from gatehouse.github.client import GitHubClient
        from gatehouse.preview.environment import PreviewWait
        from gatehouse.preview.pull_request import find_pull_request

        target = self._run.target
        assert target.argocd and target.github and target.preview, "checked before the run"
        token = target.github.token.read() if target.github.token else None
        github = self._clients.enter_context(
            GitHubClient(target.github.api_url, target.github.repository, token)
        )
        argocd = self._clients.enter_context(ArgoCDClient(target.argocd.server, target.argocd.token.read()))
        argocd.version()  # a server that is not there at all is said at once, and not after the whole wait
        pull = find_pull_request(github, self._run.number, _checkout_head(self._run.root))
        settings = target.preview
        if url := config.getoption("gate_preview_url"):
            first = next(iter(settings.urls))
            settings = settings.model_copy(update={"urls": {**settings.urls, first: url}})
        return PreviewWait(settings, argocd, github, pull, self._run.commit, SYSTEM_CLOCK)

    def _note(self, environment: PreviewEnvironment) -> None:
        self._run.number, self._run.commit = environment.number, environment.commit
        self._run.embedded = self._run.embedded or environment.embedded

    def _write(self, data: dict[str, Any]) -> None:
        path = self._run.attachments() / OUTCOME_FILE
        path.write_text(json.dumps(self._run.redactor.data(data), indent=1, default=str))


def _checkout_head(root: Path) -> str | None:
    try:
        return Checkout.find(root).head
    except GatehouseError:
        return None


def _error_data(error: GatehouseError) -> dict[str, str]:
    return {
        "type": type(error).__name__,
        "summary": error.summary,
        "expected": error.expected,
        "seen": error.seen,
        "where": error.where,
        "next_step": error.next_step,
    }


def _outcome(config: pytest.Config) -> dict[str, Any]:
    """What the controller found out. Raises the error that it met."""
    if OUTCOME not in config.stash:
        path = required_run(config).attachments() / OUTCOME_FILE
        config.stash[OUTCOME] = json.loads(path.read_text())
    outcome = config.stash[OUTCOME]
    if failure := outcome.get("failure"):
        known = {**failure}
        kind = getattr(errors, known.pop("type"), errors.InfrastructureError)
        raise kind(known.pop("summary"), **known)
    environment: dict[str, Any] = outcome["environment"]
    return environment


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """No preview test starts without a proved environment; Playwright's base URL is bound to it."""
    run = current_run(item.config)
    if run is None or item.get_closest_marker("preview") is None:
        return
    preview = _preview(item.config)
    if not item.config.getoption("base_url", None):
        item.config.option.base_url = preview.base_url


@pytest.fixture(scope="session")
def preview(pytestconfig: pytest.Config) -> Preview:
    """The preview under test: its pull request, commit and URLs."""
    return _preview(pytestconfig)


def _preview(config: pytest.Config) -> Preview:
    settings = required_run(config).target.preview
    return Preview(_outcome(config), settings.addresses if settings else {})
