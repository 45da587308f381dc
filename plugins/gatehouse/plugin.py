"""What pytest loads: the options and markers all suites share, the target, and the slices' own plugins.

Where pytest is used for anything but a Gatehouse suite, all of this stays out of the way.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatehouse import hookspecs
from gatehouse.core.errors import GatehouseError, UsageError
from gatehouse.invocation import start_over_joined
from gatehouse.run import RUN, SUITES, Run, current_run, is_worker, suites_in, usage_error

if TYPE_CHECKING:
    from gatehouse.core.settings import Target
    from gatehouse.embedded.platform import Platform

pytest_plugins = (
    "gatehouse.inner.early_answer",
    "gatehouse.evidence.plugin",
    "gatehouse.coder.plugin",
    "gatehouse.kube.plugin",
    "gatehouse.edge.plugin",
    "gatehouse.preview.plugin",
    "gatehouse.smoke.plugin",
    "gatehouse.smoke.progress_plugin",
    "gatehouse.smoke.baseline_plugin",
    "gatehouse.smoke.workspace_plugin",
    "gatehouse.task.plugin",
    "gatehouse.inner.plugin",
)

PLATFORM: pytest.StashKey[Platform] = pytest.StashKey()
WORKER_INPUT = "gatehouse"

#: The sections of a target that each suite cannot do without; of those with a bar between them, one is enough.
NEEDS = {
    "smoke": ("coder",),
    "preview": ("argocd|kubernetes", "github", "preview"),
    "task": ("coder", "task"),
    "inner": (),
}

MARKERS = {
    "smoke": "the platform itself works (given by the folder suites/smoke)",
    "inner": "the checkout passes its own fast checks (given by the collector)",
    "preview": "the commit deployed to the preview works (given by the folder suites/preview)",
    "task": "an automation task runs and leaves nothing behind (given by the folder suites/task)",
}


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make our own hooks known."""
    pluginmanager.add_hookspecs(hookspecs)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a pull request")
    return int(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options that belong to no single suite."""
    group = parser.getgroup("gatehouse", "Gatehouse")
    group.addoption(
        "--gate-target",
        metavar="NAME",
        help="Platform to test: a target of gatehouse.yaml, `environment`, or `embedded` "
        "(default: GATEHOUSE_TARGET, default_target, the environment, embedded)",
    )
    group.addoption(
        "--gate-pr",
        metavar="N",
        type=_positive,
        help="Pull request the run is about (default: GATEHOUSE_PR, GITHUB_REF, the open one that is checked out)",
    )
    group.addoption(
        "--gate-commit",
        metavar="SHA",
        help="Full SHA of the commit the run is about (default: GATEHOUSE_COMMIT, the event of GitHub Actions, "
        "the head of the pull request)",
    )
    group.addoption(
        "--gate-repo",
        metavar="DIR",
        type=Path,
        help="Checkout that the inner suite checks (default: the one pytest is started in)",
    )
    group.addoption(
        "--gate-evidence",
        metavar="DIR",
        type=Path,
        help="Folder to write the evidence to; must not exist or be empty (default: reports/<run-id>)",
    )
    parser.addini("gatehouse_suites", "Folder with the suites, one folder each", default="suites")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, args: list[str]
) -> Generator[None, object, object]:
    """Point `pytest -m <suite>` without paths at that suite's folder, before pytest captures output."""
    try:
        start_over_joined([str(argument) for argument in early_config.invocation_params.args])
    except UsageError as error:
        raise usage_error(error) from error
    _add_paths(early_config, args)
    return (yield)


def _add_paths(early_config: pytest.Config, args: list[str]) -> None:
    known = early_config.known_args_namespace
    suites = suites_in(known.markexpr or "")
    if not suites or known.file_or_dir or "inner" in suites:
        return
    folder = early_config.rootpath / str(early_config.getini("gatehouse_suites"))
    paths = [str(folder / suite) for suite in suites if (folder / suite).is_dir()]
    if "preview" in suites:
        paths += _playwright_test_projects(early_config.rootpath)
    if not paths:
        raise pytest.UsageError(
            f"there is no folder {folder}/{suites[0]} with tests of the suite {suites[0]}\n"
            "  next: run it where the suites are, or set gatehouse_suites in pytest's configuration"
        )
    args += paths
    known.file_or_dir = paths


def _playwright_test_projects(root: Path) -> list[str]:
    """The configuration files of the projects that gatehouse.yaml names; they come after Python's journeys."""
    from gatehouse.core.settings import find_settings_file, load_settings
    from gatehouse.preview.playwright_test.listing import configured_projects

    try:
        projects = load_settings(find_settings_file(root)).playwright_test
        return [str(each.config) for each in configured_projects(projects, root)]
    except GatehouseError as error:
        raise usage_error(error) from error


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; settle suites, target, subject and bundle before any other plugin looks."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if is_worker(config):
        text = config.workerinput.get(WORKER_INPUT)  # type: ignore[attr-defined] # set by pytest-xdist
        if text:
            worker: str = config.workerinput["workerid"]  # type: ignore[attr-defined] # as above
            _announce(config, Run.from_controller(text, worker))
        return
    suites = suites_in(config.getoption("markexpr", "") or "") or _suites_of_paths(config)
    if not suites or config.getoption("help") or config.getoption("version", 0):
        return
    try:
        _announce(config, _make_run(config, suites))
    except GatehouseError as error:
        raise usage_error(error) from error


def _announce(config: pytest.Config, run: Run) -> None:
    config.stash[RUN] = run
    config.hook.pytest_gatehouse_run(config=config, run=run)


def _suites_of_paths(config: pytest.Config) -> tuple[str, ...]:
    """The suites whose folders the paths on the command line lie in."""
    folder = config.rootpath / str(config.getini("gatehouse_suites"))
    found = set()
    for argument in config.args:
        path = (config.invocation_params.dir / argument.split("::")[0]).resolve()
        if path == folder:
            found |= set(SUITES)
        elif folder in path.parents:
            found.add(path.relative_to(folder).parts[0])
    return tuple(suite for suite in SUITES if suite in found)


def _make_run(config: pytest.Config, suites: tuple[str, ...]) -> Run:
    from gatehouse.core.settings import EMBEDDED, Target, choose_target, find_settings_file, load_settings
    from gatehouse.evidence.bundle import Bundle
    from gatehouse.preview.pull_request import commit_from_environment, number_from_environment

    root = config.rootpath
    settings = load_settings(find_settings_file(root))
    name, target = choose_target(settings, config.getoption("gate_target"))
    if suites == ("inner",):
        name, target = "none", Target()  # a checkout is checked by itself
    needed = {section for suite in suites for section in NEEDS[suite]}
    if target is None and needed and not config.getoption("collectonly"):
        platform = _start_platform()
        config.stash[PLATFORM] = platform
        name, target = EMBEDDED, load_settings(platform.configuration_file).targets[EMBEDDED]
    target = target or Target()
    if not config.getoption("collectonly"):
        _require_sections(name, target, suites)
    run = Run(
        suites=suites,
        root=root,
        settings=settings,
        target_name=name,
        target=target,
        number=config.getoption("gate_pr") or number_from_environment(),
        commit=config.getoption("gate_commit") or commit_from_environment(),
        repository=target.github.repository if target.github else os.environ.get("GITHUB_REPOSITORY"),
        embedded=target.embedded,
    )
    _describe_checkout(run)
    _add_secrets(run)
    if not config.getoption("collectonly"):
        run.bundle = Bundle.create(root / settings.reports.root, config.getoption("gate_evidence"))
    return run


def _require_sections(name: str, target: Target, suites: tuple[str, ...]) -> None:
    for suite in suites:
        missing = [
            section.replace("|", " or ")
            for section in NEEDS[suite]
            if not any(getattr(target, each) is not None for each in section.split("|"))
        ]
        if missing:
            raise UsageError(
                f"the target {name!r} cannot be used for the suite {suite}: "
                f"it has no {' and no '.join(missing)} section",
                next_step=f"add it under targets.{name} in gatehouse.yaml (docs/configuration.md)",
            )


def _describe_checkout(run: Run) -> None:
    """Take what the inner suite is about from the checkout itself: what it checks is what is there."""
    if run.suites != ("inner",):
        return
    from gatehouse.core.checkout import Checkout

    checkout = Checkout.find(run.root)
    run.commit, run.tree, run.dirty = checkout.head, checkout.tree, bool(checkout.status())
    run.repository = run.repository or checkout.repository


def _add_secrets(run: Run) -> None:
    """Let the redactor know the tokens of the target, wherever they come from."""
    for section in (run.target.coder, run.target.argocd, run.target.github):
        token = getattr(section, "token", None)
        if token is not None:
            try:
                run.redactor.add(token.read())
            except GatehouseError:
                continue  # said where the token is needed


def _start_platform() -> Platform:
    try:
        from gatehouse.embedded.platform import Platform, PlatformError
    except ImportError as error:
        raise UsageError(
            "no target is configured, and the embedded platform is not installed",
            seen=str(error),
            next_step="pip install 'gatehouse[embedded]', or name a target in gatehouse.yaml",
        ) from error
    platform = Platform()
    try:
        platform.start()
    except PlatformError as error:
        raise UsageError(str(error)) from error
    return platform


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the run to a pytest-xdist worker."""
    run = current_run(node.config)
    if run is not None:
        node.workerinput[WORKER_INPUT] = run.to_worker()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the embedded platform, if this session started it."""
    if platform := config.stash.get(PLATFORM, None):
        platform.stop()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is tested, and where the evidence goes."""
    run = current_run(config)
    if run is None or not run.controller:
        return []
    where = f"of {run.root}" if run.suites == ("inner",) else f"on target {run.target_name}"
    lines = [f"gatehouse: {' and '.join(run.suites)} {where}"]
    for name, address in (
        ("coder", run.target.coder and run.target.coder.url),
        ("argocd", run.target.argocd and run.target.argocd.server),
    ):
        if address and any(name in " ".join(NEEDS[suite]) for suite in run.suites):
            lines.append(f"{name}: {address}")
    if run.bundle:
        lines.append(f"evidence: {run.bundle.folder}")
    return lines


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Give each test of a suite its marker by folder; one with no suite or two cannot be collected."""
    report = yield
    run = current_run(collector.config)
    if run is None or not report.passed:
        return report
    for node in report.result:
        if isinstance(node, pytest.Item) and (problem := _mark_by_folder(collector.config, node)):
            report.outcome = "failed"
            report.longrepr = problem
            report.result = []
            break
    return report


def _mark_by_folder(config: pytest.Config, item: pytest.Item) -> str | None:
    folder = config.rootpath / str(config.getini("gatehouse_suites"))
    own = {mark.name for mark in item.iter_markers()} & set(SUITES)
    if folder in item.path.parents:
        name = item.path.relative_to(folder).parts[0]
        if name in SUITES:
            item.add_marker(name)
            own.add(name)
    elif not own:
        return None  # not a test of ours: pytest's own selection decides about it
    if len(own) == 1:
        return None
    return (
        f"{item.nodeid} must belong to exactly one suite, but has {' and '.join(sorted(own)) or 'none'}\n"
        f"  next: move it into one of {', '.join(f'{folder.name}/{suite}' for suite in SUITES)} and take other "
        "suite markers off"
    )


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Target:
    """The settings of the platform under test."""
    from gatehouse.run import required_run

    return required_run(pytestconfig).target
