"""Tests of Playwright Test as pytest items: listed once, run by processes of the controller, awaited one by one."""

from __future__ import annotations

import os
import shlex
import shutil
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import allure
import pytest

from gatehouse.core.errors import GatehouseError
from gatehouse.evidence.plugin import Evidence
from gatehouse.evidence.recorder import RECORDER, failure_data
from gatehouse.preview.journeys.findings import Journey
from gatehouse.preview.journeys.steps import last_steps
from gatehouse.preview.playwright_test.failure import Judgement, Kind, Place, judged, not_run
from gatehouse.preview.playwright_test.given import Given
from gatehouse.preview.playwright_test.listing import (
    JourneyProject,
    Listing,
    configured_projects,
    distinct,
    list_tests,
    named,
)
from gatehouse.preview.playwright_test.progress import Progress
from gatehouse.preview.playwright_test.project import CONFIG_NAMES
from gatehouse.preview.playwright_test.results import Attempt, ListedTest
from gatehouse.preview.playwright_test.runs import ProjectRuns, Watch, shards_of
from gatehouse.run import Run, is_worker, usage_error

#: Seconds between two looks for what to say.
TELL_INTERVAL = 0.5

#: On a report of an attempt that was followed by another.
EARLIER = "gatehouse_earlier_attempt"


class PlaywrightTests:
    """The plugin: finds the projects that are asked for, lists them, and answers for their processes."""

    def __init__(self, config: pytest.Config, run: Run, say: Callable[[str], None]) -> None:
        self.config = config
        self.run = run
        self._say = say
        self._progress: dict[Path, Progress] = {}
        self._over = threading.Event()
        self._listings: dict[Path, Listing] = {}
        self._watches: dict[Path, Watch] = {}
        self._runs: ProjectRuns | None = None
        self._given: Given | None = None
        self._projects: dict[Path, JourneyProject] | None = None

    # --- finding and listing ---

    @property
    def projects(self) -> dict[Path, JourneyProject]:
        """Every project that is configured or named on the command line, by its configuration file."""
        if self._projects is None:
            given = [self._absolute(argument) for argument in self.config.args]
            extra = [
                named(path, self.run.root) for path in given if path.name in CONFIG_NAMES and path.is_file()
            ]
            try:
                every = distinct(
                    [*configured_projects(self.run.settings.playwright_test, self.run.root), *extra]
                )
            except GatehouseError as error:
                raise usage_error(error) from error
            self._projects = {project.config: project for project in every}
        return self._projects

    def _absolute(self, argument: str) -> Path:
        return (self.config.invocation_params.dir / argument.split("::")[0]).resolve()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """List on the controller, before workers exist that would each do it."""
        if is_worker(self.config):
            return
        given = [self._absolute(argument) for argument in self.config.args]
        for config in self.projects:
            if any(config == path or path in config.parents for path in given):
                self.listing(self.projects[config])

    def listing(self, project: JourneyProject) -> Listing:
        """A project's tests; made once, and handed to workers through the bundle."""
        if project.config not in self._listings:
            path = self._folder(project) / "listing.json" if self.run.bundle else None
            if path is not None and is_worker(self.config):
                self._listings[project.config] = Listing.read(path)
            else:
                listing = list_tests(project, os.environ, self.run.redactor.known_secrets)
                if path is not None:
                    listing.write(path)
                self._listings[project.config] = listing
        return self._listings[project.config]

    def _folder(self, project: JourneyProject) -> Path:
        assert self.run.bundle
        return shards_of(project, self.run.bundle.folder)[0].folder

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A project's configuration file holds its tests."""
        project = self.projects.get(file_path.resolve()) if file_path.suffix != ".py" else None
        if project is None:
            return None
        node: ProjectFile = ProjectFile.from_parent(parent, path=file_path)
        node.tests, node.project = self, project
        return node

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Say of which class the failure of a project is that cannot be listed."""
        report = yield
        if report.failed and isinstance(collector, ProjectFile):
            error = self.listing(collector.project).error
            if error is not None:
                report.gatehouse_failure = failure_data(error, str(error))  # type: ignore[attr-defined] # travels to the controller
        return report

    # --- running, on the controller ---

    def start(self, session: pytest.Session, given: Given) -> None:
        """Start the processes as soon as it is known which tests are chosen; called when the preview is proved."""
        self._given = given
        for username, password in given.credentials.values():
            self.run.redactor.add(username)
            self.run.redactor.add(password)
        if session.items:
            self._start([item.nodeid for item in session.items if isinstance(item, JourneyItem)])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """The workers know which tests are chosen; the preview was proved before this is heard."""
        if self._given is not None and self._runs is None:
            self._start(ids)

    def _start(self, ids: Iterable[str]) -> None:
        assert self.run.bundle and self._given
        wanted = set(ids)
        chosen = []
        for config, listing in self._listings.items():
            project = self.projects[config]
            keys = frozenset(test.key for test in listing.tests if self._id(project, test.name) in wanted)
            if keys:
                chosen.append((project, listing, keys))
        if chosen:
            self._runs = ProjectRuns(self.run.bundle.folder, self.run.root, self.run.redactor.known_secrets)
            self._runs.start(chosen, self._given, self._id)
            self.config.stash[RECORDER].notes += self._runs.notes
            for project, listing, keys in chosen:
                tests = [test for test in listing.tests if test.key in keys]
                self._progress[project.config] = Progress(project.name, tests)
            if self.config.getoption("numprocesses", None):
                threading.Thread(target=self._tell, daemon=True).start()

    def _tell(self) -> None:
        """Say what is new while the workers await; where there are none, the awaiting items do."""
        while not self._over.wait(TELL_INTERVAL):
            self.tell()

    def tell(self) -> None:
        """Say what is new of all projects; on the controller only."""
        for config, progress in self._progress.items():
            for line in progress.lines(self.watch(self.projects[config]).look()):
                with _uncaptured(self.config):
                    self._say(line)

    def _id(self, project: JourneyProject, name: str) -> str:
        path = os.path.relpath(project.config, self.config.rootpath).replace(os.sep, "/")
        return f"{path}::{name}"

    def finish(self) -> None:
        """Judge what the projects' results do not say by themselves; called when all items have been awaited."""
        self._over.set()
        if self._runs is not None:
            for problem in self._runs.finish():
                self.config.stash[RECORDER].problem(problem)

    def stop(self) -> None:
        """End what still runs."""
        self._over.set()
        if self._runs is not None:
            self._runs.stop()

    # --- awaiting, in every process ---

    def watch(self, project: JourneyProject) -> Watch:
        """A project's results as they are seen from here."""
        if project.config not in self._watches:
            assert self.run.bundle
            shards = shards_of(project, self.run.bundle.folder)
            self._watches[project.config] = Watch(project, shards)
        return self._watches[project.config]

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """An attempt that was followed by another is shown as such."""
        return ("rerun", "R", ("RERUN", {"yellow": True})) if hasattr(report, EARLIER) else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The time of an item is that of its last attempt, not that of waiting for it; a skip is where the test is."""
        report = yield
        if not isinstance(item, JourneyItem):
            return report
        if report.when == "teardown" and item.journey is not None:
            report.gatehouse_journey = item.journey.as_data()  # type: ignore[attr-defined] # extra attributes travel to the controller
            report.gatehouse_commands = [shlex.quote(item.nodeid)]  # type: ignore[attr-defined] # as above
            report.gatehouse_other_commands = [item.place().headed]  # type: ignore[attr-defined] # as above
        if report.when == "call":
            report.duration = item.seconds
            report.gatehouse_preview = report.failed  # type: ignore[attr-defined] # as above
            if report.skipped and isinstance(report.longrepr, tuple):
                report.longrepr = (str(item.test.file), item.test.line, report.longrepr[2])
        return report


class ProjectFile(pytest.File):
    """The configuration file of a project."""

    tests: PlaywrightTests
    project: JourneyProject

    def collect(self) -> Iterable[pytest.Item]:
        """One item a test that Playwright lists."""
        for test in self.tests.listing(self.project).required().tests:
            item: JourneyItem = JourneyItem.from_parent(self, name=test.name)
            item.set_up(self.tests, self.project, test)
            yield item

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | Any:
        """The error without our own frames."""
        if isinstance(excinfo.value, GatehouseError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class JourneyItem(pytest.Item):
    """One test of Playwright Test; running it means to await its result."""

    tests: PlaywrightTests
    project: JourneyProject
    test: ListedTest
    seconds: float = 0.0
    #: What was found out about the last attempt.
    journey: Journey | None = None

    def set_up(self, tests: PlaywrightTests, project: JourneyProject, test: ListedTest) -> None:
        """Take up what it stands for."""
        self.tests, self.project, self.test = tests, project, test
        self.add_marker("preview")
        if self.config.pluginmanager.hasplugin("timeout"):
            self.add_marker(pytest.mark.timeout(0))  # the project has a limit of its own

    def runtest(self) -> None:
        """Await all attempts, report those that were followed by another, and raise what the last one means."""
        watch = self.tests.watch(self.project)
        attempts, ending = watch.await_result(self.test.key, self.tests.tell)
        place = self.place()
        self.user_properties.append(("spec", place.where))
        if self.test.project:
            self.user_properties.append(("project", self.test.project))
        if not attempts:
            raise not_run(
                ending, place, running=watch.is_running(self.test.key), because=watch.cause(self.test)
            )
        *earlier, last = attempts
        self.seconds = last.seconds
        self.user_properties += [
            ("retries", str(last.retry)),
            ("shard", str(last.shard)),
            ("worker", str(last.worker)),
        ]
        for attempt in attempts:
            self._keep(attempt, len(attempts))
        for attempt in earlier:
            judgement = judged(attempt, place)
            if judgement.error is not None and not attempt.did_not_run:
                self._report_earlier(attempt, judgement.error)
        because = "" if last.errors else watch.cause(self.test)
        for stream, text in (("stdout", last.stdout), ("stderr", last.stderr)):
            self.add_report_section("call", stream, text)
        self._conclude(judged(last, place, because))

    def _conclude(self, judgement: Judgement) -> None:
        match judgement.kind:
            case Kind.SKIPPED:
                pytest.skip(judgement.reason)
            case Kind.EXPECTED_FAILURE:
                pytest.xfail(judgement.reason)
            case Kind.FAILED:
                _raise(judgement.error)

    def place(self) -> Place:
        """Where it is, and how it is run again."""
        file = os.path.relpath(self.test.file, self.project.folder)
        headed = shlex.join(
            ["npx", "playwright", "test", f"{file}:{self.test.line}", "--headed", "--trace", "on"]
        )
        if self.project.config.name not in CONFIG_NAMES or self.project.config.parent != self.project.folder:
            headed += " --config " + shlex.quote(os.path.relpath(self.project.config, self.project.folder))
        base = self.config.getoption("base_url", None)
        folder = os.path.relpath(self.project.folder, self.config.rootpath)
        return Place(
            root=str(self.config.rootpath),
            where=f"{os.path.relpath(self.test.file, self.config.rootpath)}:{self.test.line}",
            again=f"pytest -m preview {shlex.quote(self.nodeid)}",
            headed=f"cd {shlex.quote(folder)} && PLAYWRIGHT_TEST_BASE_URL={base} {headed}",
        )

    def _keep(self, attempt: Attempt, attempts: int) -> None:
        """Put an attempt's files into the bundle and Allure, and what happened in its browser into the record."""
        bundle = self.tests.run.bundle
        assert bundle
        evidence = Evidence(self.tests.run, self)
        self.journey = Journey.from_data(attempt.journey)
        evidence.event("journey", attempt=attempt.retry + 1, **attempt.journey)
        for number, attachment in enumerate(attempt.attachments):
            path = self.project.folder / attachment["path"]
            if not path.is_file():
                continue
            if not path.is_relative_to(bundle.folder):
                folder = shards_of(self.project, bundle.folder)[0].folder / "attached"
                copy = folder / f"{self.test.key}-{attempt.retry}-{number}-{path.name}"
                folder.mkdir(parents=True, exist_ok=True)
                path = Path(shutil.copyfile(path, copy))
            name = attachment["name"] + (f" (attempt {attempt.retry + 1})" if attempts > 1 else "")
            kind, relative = attachment["media_type"], path.relative_to(bundle.folder).as_posix()
            self.journey.artifacts.append({"kind": attachment["name"], "path": relative})
            if attachment["name"] == "trace":
                self.journey.steps = last_steps(path)
            evidence.event("attachment", name=name, path=relative, media_type=kind)
            allure.attach.file(str(path), name, kind, path.suffix.lstrip(".") or "bin")

    def _report_earlier(self, attempt: Attempt, error: GatehouseError) -> None:
        """Report an attempt that was followed by another: pytest's own report is that of the last."""
        allure.attach(str(error), f"attempt {attempt.retry + 1}", allure.attachment_type.TEXT)
        for phase in ("call", "teardown", "setup"):
            call = pytest.CallInfo.from_call(lambda: _raise(error) if phase == "call" else None, phase)  # noqa: B023 - called at once
            report = pytest.TestReport.from_item_and_call(self, call)
            if phase == "call":
                report.outcome, report.duration = "rerun", attempt.seconds  # type: ignore[assignment] # as pytest-rerunfailures calls it
                setattr(report, EARLIER, attempt.retry)
                report.gatehouse_failure = failure_data(error, str(error))  # type: ignore[attr-defined] # travels to the controller
            with _uncaptured(self.config):
                self.ihook.pytest_runtest_logreport(report=report)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | Any:
        """The error without our own frames."""
        if isinstance(excinfo.value, GatehouseError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The place of the test itself."""
        # pytest takes a name that the id ends with for a dotted one.
        return self.test.file, self.test.line - 1, f" {self.name}"


def _uncaptured(config: pytest.Config) -> AbstractContextManager[None]:
    """While a test's output is captured, what is written to the terminal is not."""
    manager: Any = config.pluginmanager.getplugin("capturemanager")
    if manager is None:
        return nullcontext()
    context: AbstractContextManager[None] = manager.global_and_fixture_disabled()
    return context


def _raise(error: GatehouseError | None) -> NoReturn:
    assert error is not None, "a failure has an error"
    raise error
