"""Fixtures for tests of automation tasks, and tasks of their own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gatehouse.evidence.plugin import Evidence
from gatehouse.run import current_run, required_run

if TYPE_CHECKING:
    from gatehouse.coder.client import CoderClient
    from gatehouse.core.task_settings import TaskSettings
    from gatehouse.kube.client import Cluster
    from gatehouse.task.launcher import TaskLauncher
    from gatehouse.task.report import TaskReport

#: Where files of tasks are looked for when no option names any.
TASKS_FOLDER = "tasks"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    parser.getgroup("gatehouse").addoption(
        "--gate-task",
        metavar="FILE",
        type=Path,
        action="append",
        help="A task to run, as a file (NAME.task.yaml); can be repeated. Default: all in the folder tasks/",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of `task_file` run once for each file of a task."""
    if "task_file" not in metafunc.fixturenames:
        return
    run = current_run(metafunc.config)
    named: list[Path] | None = metafunc.config.getoption("--gate-task")
    root = metafunc.config.rootpath
    from gatehouse.task.definition import SUFFIX

    found = named if named is not None else sorted((root / TASKS_FOLDER).glob(f"**/*{SUFFIX}"))
    files = found if run is not None and "task" in run.suites else []
    if not files:
        reason = f"not configured: no files {TASKS_FOLDER}/*{SUFFIX}"
        metafunc.parametrize(
            "task_file", [pytest.param(None, id="none", marks=pytest.mark.skip(reason=reason))]
        )
        return
    metafunc.parametrize("task_file", files, ids=[_identity(path, root, SUFFIX) for path in files])


def _identity(path: Path, root: Path, suffix: str) -> str:
    """The same on every machine: the path from the root."""
    absolute = (Path.cwd() / path).resolve()
    name = (
        absolute.relative_to(root.resolve()).as_posix()
        if absolute.is_relative_to(root.resolve())
        else path.name
    )
    return name.removesuffix(suffix)


@pytest.fixture(scope="session")
def task_settings(pytestconfig: pytest.Config) -> TaskSettings:
    """The target's `task` section."""
    settings = required_run(pytestconfig).target.task
    assert settings is not None, "checked before the run"
    return settings


@pytest.fixture(scope="session")
def task_cluster(pytestconfig: pytest.Config) -> Iterator[Cluster | None]:
    """The target's cluster, or None: then commands go over the web terminal, and leaks are unverified."""
    from gatehouse.kube.client import connect

    cluster = connect(required_run(pytestconfig).target.kubernetes)
    with cluster or nullcontext():
        yield cluster


@pytest.fixture(scope="session")
def make_launcher(
    pytestconfig: pytest.Config, task_settings: TaskSettings, coder: CoderClient, task_cluster: Cluster | None
) -> Callable[[], AbstractContextManager[TaskLauncher]]:
    """A function whose result, in a `with` statement, starts tasks, and destroys at the end what is still there.

    Raises `LeakFound` at the end if something is left then, or what kept a task from being destroyed.
    """
    from gatehouse.core.ledger import Ledger
    from gatehouse.task.launcher import TaskLauncher

    run = required_run(pytestconfig)
    assert run.bundle and run.target.coder
    ledger = Ledger(run.bundle.folder / f"ledger-{run.worker}.jsonl")
    run_id, target = run.bundle.run_id, run.target

    @contextmanager
    def launcher() -> Iterator[TaskLauncher]:
        made = TaskLauncher(task_settings, coder, task_cluster, ledger, run_id, target=target)
        try:
            yield made
        finally:
            made.destroy_all()
        for proof in made.proofs:
            proof.require_clean()

    return launcher


@pytest.fixture
def launcher(
    make_launcher: Callable[[], AbstractContextManager[TaskLauncher]], evidence: Evidence
) -> Iterator[TaskLauncher]:
    """Starts tasks. Those that a test has not destroyed are destroyed after it, and proved gone."""
    try:
        with make_launcher() as launcher:
            yield launcher
    finally:
        for proof in launcher.proofs:
            evidence.event("leak_proof", proof=proof.as_data())


@pytest.fixture
def perform_task(
    launcher: TaskLauncher, coder: CoderClient, evidence: Evidence
) -> Callable[[TaskSettings], TaskReport]:
    """A function that runs a task from its start to the proof, and puts what became of it into the evidence.

    It raises nothing that the task has done wrong: that is the report's `error`.
    """
    from gatehouse.task import life
    from gatehouse.task.report import TaskReport

    def perform(definition: TaskSettings) -> TaskReport:
        report = TaskReport(name="")
        try:
            return life.perform(launcher, coder, definition, report)
        finally:
            _keep(evidence, report)

    return perform


def _keep(evidence: Evidence, report: TaskReport) -> None:
    evidence.event("task", report=report.as_data())
    if report.command:
        evidence.attach("stdout.txt", _text(report.command.stdout))
        evidence.attach("stderr.txt", _text(report.command.stderr))
    for copied in report.evidence:
        evidence.attach(copied.path.replace("/", "-"), copied.content, "application/octet-stream")
    for name, content in report.handoff.items():
        evidence.attach(name, _text(content), "text/markdown" if name.endswith(".md") else "text/plain")


def _text(content: bytes) -> str | bytes:
    """Text is masked as it is written; other bytes as far as they can be, at the end."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
