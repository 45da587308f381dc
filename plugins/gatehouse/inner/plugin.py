"""`pytest -m inner`: the checks of a checkout as pytest items.

pytest must not read the target's configuration, import its conftest files or walk its folders. So the
command is run again as a process with a configuration of our own, and the items come from git's file list.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatehouse.core.checkout import Checkout
from gatehouse.core.errors import GatehouseError, NotInstalled, ProductFailure, UsageError
from gatehouse.core.folders import cache_folder
from gatehouse.evidence.recorder import RECORDER
from gatehouse.invocation import joined, start_over
from gatehouse.run import current_run, is_worker, suites_in, usage_error

if TYPE_CHECKING:
    from gatehouse.inner.model import Check, CheckResult
    from gatehouse.inner.pool import CheckPool

#: Set in the process that has our configuration, to the folder that pytest was started in.
STARTED_IN = "GATEHOUSE_INNER_STARTED_IN"

POOL: pytest.StashKey[CheckPool] = pytest.StashKey()
CHECKOUT = pytest.StashKey[Checkout]()
STATUS_BEFORE = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    group = parser.getgroup("gatehouse")
    group.addoption(
        "--gate-workers",
        metavar="N",
        type=int,
        help="Checks of the inner suite that run at the same time (default: one a processor; -n sets it too)",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Start over with our own configuration before pytest captures output or imports any conftest."""
    suites = suites_in(early_config.known_args_namespace.markexpr or "")
    if "inner" in suites and STARTED_IN not in os.environ:
        if suites != ("inner",):
            raise pytest.UsageError(
                "the inner suite runs alone: it has a configuration of its own\n  next: run pytest -m inner"
            )
        _start_over(early_config)
    return (yield)


def _start_over(config: pytest.Config) -> None:
    folder = config.known_args_namespace.gate_repo or config.invocation_params.dir
    try:
        root = Checkout.find(folder).root
    except GatehouseError as error:
        raise usage_error(error) from error
    workers, arguments = _workers(joined([str(argument) for argument in config.invocation_params.args]))
    command = [
        *("-m", "pytest", "-c", str(Path(__file__).with_name("pytest.ini"))),
        *("--rootdir", str(root), "-p", "gatehouse.plugin", "-p", "allure_pytest.plugin"),
        *(("--gate-workers", workers) if workers else ()),
        *arguments,
    ]
    environment = {
        **os.environ,
        STARTED_IN: str(config.invocation_params.dir),
        # Plugins of the environment do not belong into this run, nor do options meant for the target's tests.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    start_over(command, environment)


def _workers(arguments: Iterable[str]) -> tuple[str, list[str]]:
    """pytest-xdist's `-n` taken out of the arguments: the suite has a pool of its own, and this is its size."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-n", "--numprocesses", default="")
    known, rest = parser.parse_known_args(list(arguments))
    number = known.numprocesses
    return (number if number.isdigit() and number != "0" else ""), rest


class PackageNode(pytest.Collector):
    """A package of the checkout; its children are its checks."""

    def collect(self) -> Iterable[pytest.Item]:
        """Not used: the items are made from the file list."""
        return ()


class CheckItem(pytest.Item):
    """One check of one package."""

    def __init__(self, *, check: Check, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.check = check
        self.add_marker("inner")
        self.user_properties += [
            ("phase", str(check.phase)),
            ("language", check.package.language),
            ("command", " ".join(check.argv[:12])),
        ]

    def runtest(self) -> None:
        """Await the check's result, and raise what it means."""
        from gatehouse.inner.model import Outcome

        result = self.config.stash[POOL].result(self.check)
        match result.outcome:
            case Outcome.PASSED:
                return
            case Outcome.SILENCED:
                pytest.skip(f"silenced: {result.reason}")
            case Outcome.STOPPED:
                pytest.skip(result.reason)
            case Outcome.NOT_INSTALLED:
                raise NotInstalled(
                    f"{self.check.id}: {result.reason}",
                    expected=" ".join(self.check.argv[:3]),
                    next_step=f"{self.check.how_to_install}; or silence the check with a reason in gatehouse.yaml",
                )
            case Outcome.FAILED:
                raise _failure(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | Any:
        """The error without our own frames."""
        if isinstance(excinfo.value, GatehouseError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The manifest and the check's name."""
        return self.path, 0, self.check.id


def _failure(result: CheckResult) -> ProductFailure:
    check = result.check
    first = next(iter(result.findings), None)
    more = [str(finding) for finding in result.findings[1:6]]
    if len(result.findings) > 6:
        more.append(f"and {len(result.findings) - 6} more findings")
    headline = str(first) if first else f"{check.id}: {result.reason}"
    # What a tool printed is quoted only when nothing could be read out of it.
    seen = "\n    ".join(more) if first else result.output
    return ProductFailure(
        headline + (f" ({result.reason})" if first and result.reason else ""),
        seen=seen,
        where=f"{check.package.folder or '.'}: {' '.join(check.argv[:10])}",
    )


def pytest_collection(session: pytest.Session) -> bool | None:
    """Make the items from git's file list; nothing is walked or imported."""
    run = current_run(session.config)
    if run is None or run.suites != ("inner",) or is_worker(session.config):
        return None
    try:
        items = _items(session)
    except GatehouseError as error:
        if RECORDER in session.config.stash:
            session.config.stash[RECORDER].problem(error)
        raise usage_error(error) from error
    session.items = items
    session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)
    session.testscollected = len(items)
    session.config.hook.pytest_collection_finish(session=session)
    return True


def _items(session: pytest.Session) -> list[pytest.Item]:
    from gatehouse.inner.checks import LANGUAGES, checks_for
    from gatehouse.inner.checks.tools import Tools
    from gatehouse.inner.discover import discover

    config = session.config
    checkout = Checkout.find(config.rootpath)
    config.stash[CHECKOUT] = checkout
    config.stash[STATUS_BEFORE] = checkout.status()
    packages = discover(checkout.root, checkout.files(), LANGUAGES)
    # Where a package has no environment of its own, the one that holds Gatehouse serves, activated or not.
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    tools = Tools(path, cache_folder())
    wanted = _selection(config, checkout.root)
    items: list[pytest.Item] = []
    for package in packages:
        node = PackageNode.from_parent(
            session, name=package.manifest, path=checkout.root / package.manifest, nodeid=package.manifest
        )
        checks = [check for check in checks_for([package], tools) if _is_wanted(check.id, wanted)]
        own = [CheckItem.from_parent(node, name=check.name, check=check) for check in checks]
        items += own
        report = pytest.CollectReport(nodeid=package.manifest, outcome="passed", longrepr=None, result=[*own])
        session.ihook.pytest_collectreport(report=report)
    for argument in wanted:
        if not any(_is_wanted(item.nodeid, {argument}) for item in items):
            raise UsageError(
                f"no check matches {argument}",
                seen=f"packages: {', '.join(package.manifest for package in packages[:10]) or 'none'}",
                next_step="name a folder, a manifest such as packages/cart/package.json, or one check as it is listed",
            )
    return items


def _selection(config: pytest.Config, root: Path) -> set[str]:
    """The paths and check ids on the command line, relative to the checkout; empty means everything."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return set()
    started_in = Path(os.environ.get(STARTED_IN, "."))
    chosen = set()
    for argument in config.args:
        path, separator, check = argument.partition("::")
        absolute = (started_in / path).resolve()
        if not absolute.exists() and (root / path).exists():
            absolute = (root / path).resolve()
        try:
            relative = absolute.relative_to(root.resolve()).as_posix()
        except ValueError:
            raise UsageError(f"{path} is outside of the checkout {root}") from None
        chosen.add(("" if relative == "." else relative) + separator + check)
    return chosen


def _is_wanted(check_id: str, wanted: set[str]) -> bool:
    return not wanted or any(
        each in ("", check_id) or check_id.startswith((f"{each}/", f"{each}::")) for each in wanted
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Run all selected checks in the pool while pytest awaits them one by one."""
    config = session.config
    if CHECKOUT not in config.stash or config.getoption("collectonly"):
        return (yield)
    from gatehouse.inner.pool import CheckPool, check_environment

    run = current_run(config)
    assert run and run.bundle
    logs = run.bundle.folder / "attachments"
    pool = CheckPool(
        [item.check for item in session.items if isinstance(item, CheckItem)],
        silenced=run.settings.inner.silence,
        timeout=run.settings.inner.timeout_seconds,
        workers=config.getoption("gate_workers") or os.cpu_count() or 1,
        environment=check_environment(os.environ, cache_folder()),
        logs=logs,
    )
    config.stash[POOL] = pool
    pool.start()
    try:
        return (yield)
    finally:
        pool.stop()
        _require_unchanged(config)


def _require_unchanged(config: pytest.Config) -> None:
    """A check that leaves something in the tree is a fault of its own, whatever its exit code says."""
    before, after = config.stash[STATUS_BEFORE], config.stash[CHECKOUT].status()
    if before != after:
        changed = sorted(set(before) ^ set(after))
        config.stash[RECORDER].problem(
            ProductFailure(
                f"the checks changed the checkout: {changed[0]}",
                expected="the same `git status` before and after",
                seen="; ".join(changed[:10]),
                next_step="have the check that writes it write outside of the tree, or into an ignored file",
            )
        )
