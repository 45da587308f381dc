"""`pytest -m inner`: the checks of a checkout as pytest items.

pytest must not read the target's configuration, import its conftest files or walk its folders. So the
command is run again as a process with a configuration of our own, and the items come from git's file list.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gatehouse.core.errors import GatehouseError
from gatehouse.inner.command import suite_command
from gatehouse.inner.environment import STARTED_IN
from gatehouse.invocation import joined, start_over
from gatehouse.run import Run, current_run, is_worker, required_run, suites_in, usage_error

if TYPE_CHECKING:
    from gatehouse.core.launcher import OfflineLauncher
    from gatehouse.inner.checkout_plan import CheckoutPlan
    from gatehouse.inner.inner_run import Before
    from gatehouse.inner.model import CheckResult

BEFORE: pytest.StashKey[Before] = pytest.StashKey()
PLAN: pytest.StashKey[CheckoutPlan] = pytest.StashKey()

#: Set when every check of the checkout has a result, and none was asked for in another way than by default.
COMPLETE = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    group = parser.getgroup("gatehouse")
    group.addoption(
        "--gate-workers",
        metavar="N",
        type=int,
        help="Checks of the inner suite that run at the same time (default: one a processor; -n sets it too)",
    )
    group.addoption(
        "--gate-base",
        metavar="REF",
        help="What the inner suite compares the checkout with, to run only what the change touches "
        "(default: GATEHOUSE_BASE, the CI's base, origin/HEAD, main or master)",
    )
    group.addoption(
        "--gate-profile",
        metavar="NAME",
        help="Agent profile whose guard rails apply (default: the marker of the base revision, AMEIDE_AGENT_PROFILE, "
        "a guess that only leads to notes)",
    )
    group.addoption(
        "--gate-all",
        action="store_true",
        help="Run every check of the inner suite, whatever changed and whatever passed before",
    )
    group.addoption(
        "--gate-explain",
        action="store_true",
        help="Say of each check of the inner suite why it runs, or why it does not",
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
    from gatehouse.core.checkout import Checkout

    folder = config.known_args_namespace.gate_repo or config.invocation_params.dir
    try:
        root = Checkout.find(folder).root
    except GatehouseError as error:
        raise usage_error(error) from error
    arguments = joined([str(argument) for argument in config.invocation_params.args])
    start_over(*suite_command(root, config.invocation_params.dir, arguments, os.environ))


def pytest_collection(session: pytest.Session) -> bool | None:
    """Make the items from git's file list; nothing is walked or imported."""
    run = current_run(session.config)
    if run is None or run.suites != ("inner",) or is_worker(session.config):
        return None
    from gatehouse.evidence.recorder import RECORDER

    try:
        items = _items(session, run)
    except GatehouseError as error:
        if RECORDER in session.config.stash:
            session.config.stash[RECORDER].problem(error)
        raise usage_error(error) from error
    session.items = items
    session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)
    session.testscollected = len(items)
    # pytest counts what it collected by such reports, and would say that it found nothing.
    found = pytest.CollectReport(session.nodeid, "passed", None, [*items])
    session.config.hook.pytest_collectreport(report=found)
    session.config.hook.pytest_collection_finish(session=session)
    return True


def _items(session: pytest.Session, run: Run) -> list[pytest.Item]:
    from gatehouse.core.checkout import Checkout
    from gatehouse.core.folders import cache_folder, require_room
    from gatehouse.inner.forbidden import forbidden_check
    from gatehouse.inner.guard_rails import GUARD_RAILS, examine_change, guard_check
    from gatehouse.inner.inner_run import Before
    from gatehouse.inner.items import CheckItem, PackageNode
    from gatehouse.inner.plan import Action
    from gatehouse.inner.selection import is_wanted, require_matches, selection

    config = session.config
    require_room(cache_folder())
    before = Before.look(Checkout.find(config.rootpath), config.getoption("gate_base"))
    examination = examine_change(before, config.getoption("gate_profile"), os.environ)
    guard = guard_check(before.checkout.root, examination)
    forbidden = forbidden_check(before.checkout, before.base, run.settings.inner.forbidden, before.contents)
    plan = before.plan(
        run.settings.inner,
        cache_folder(),
        more_checks=[guard, *forbidden],
        everything=config.getoption("gate_all"),
    )
    if run.bundle:
        evidence = run.redactor.data(examination.as_data())
        (run.bundle.folder / "attachments" / "guard-rails.json").write_text(json.dumps(evidence, indent=1))
    config.stash[BEFORE], config.stash[PLAN] = before, plan
    arguments = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    wanted = selection(arguments, Path(os.environ.get(STARTED_IN, ".")), before.checkout.root)
    checks = [each.check for each in plan.decisions if each.check.package.manifest != GUARD_RAILS]
    if examination.violations or any(
        each.action is not Action.SILENCED for each in plan.decisions if each.check in checks
    ):
        # Guard rails that are kept are no pass by themselves, where there is nothing else to run.
        checks.insert(0, guard)
    require_matches(wanted, {(each.id, each.package.folder) for each in checks}, set(plan.graph.packages))
    nodes: dict[str, PackageNode] = {}
    items: list[pytest.Item] = []
    for check in checks:
        manifest = check.package.manifest
        if manifest not in nodes:
            nodes[manifest] = PackageNode.from_parent(
                session, name=manifest, path=before.checkout.root / manifest, nodeid=manifest
            )
        if is_wanted(check.id, check.package.folder, wanted):
            items.append(CheckItem.from_parent(nodes[manifest], name=check.name, check=check))
    return items


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Run all selected checks in the pool while pytest awaits them one by one."""
    config = session.config
    if PLAN not in config.stash:
        return (yield)
    from gatehouse.core.folders import cache_folder
    from gatehouse.evidence.recorder import RECORDER
    from gatehouse.inner.inner_run import explanation, explanation_data
    from gatehouse.inner.items import POOL, CheckItem
    from gatehouse.inner.last_answer import forget_answer
    from gatehouse.inner.pool import CheckPool
    from gatehouse.inner.timings import read_timings

    run, plan = current_run(config), config.stash[PLAN]
    if config.getoption("gate_explain"):
        for line in explanation(plan):
            config.get_terminal_writer().line(line)
    if config.getoption("collectonly"):
        return (yield)
    assert run and run.bundle
    logs = run.bundle.folder / "attachments"
    (logs / "inner-plan.json").write_text(run.redactor.text(explanation_data(plan)))
    chosen = {item.check.id for item in session.items if isinstance(item, CheckItem)}
    launcher = _launcher(run, plan)
    pool = CheckPool(
        [each for each in plan.decisions if each.check.id in chosen],
        timeout=run.settings.inner.timeout_seconds,
        workers=config.getoption("gate_workers") or os.cpu_count() or 1,
        environment=plan.environment,
        logs=logs,
        seconds=read_timings(cache_folder(), plan.root),
        launcher=launcher,
    )
    config.stash[POOL] = pool
    forget_answer(config.stash[BEFORE].checkout, cache_folder())
    pool.start()
    try:
        return (yield)
    finally:
        pool.stop()
        if launcher and launcher.problem:
            config.stash[RECORDER].notes.append(
                f"network: could not be cut off on this system ({launcher.problem})"
            )
        _finish(config, plan, pool.results())


def _launcher(run: Run, plan: CheckoutPlan) -> OfflineLauncher | None:
    """What keeps checks from other machines; None where nothing is started, or the settings allow the network."""
    from gatehouse.core.launcher import OfflineLauncher
    from gatehouse.inner.plan import Action

    to_start = any(each.action is Action.RUN and each.check.argv for each in plan.decisions)
    return OfflineLauncher() if to_start and not run.settings.inner.network else None


def _finish(config: pytest.Config, plan: CheckoutPlan, results: list[CheckResult]) -> None:
    """Say what changed the checkout meanwhile, keep what passed, and count what was not run."""
    from gatehouse.core.folders import cache_folder
    from gatehouse.evidence.recorder import RECORDER
    from gatehouse.inner.inner_run import changed_by_checks, counted, keep

    recorder = config.stash[RECORDER]
    ran = any(result.completed is not None for result in results)
    error = changed_by_checks(config.stash[BEFORE], results) if ran else None
    if error is not None:
        recorder.problem(error)
    if problem := keep(plan, results, cache_folder(), time.time(), unchanged=error is None):
        recorder.notes.append(f"passes could not be kept: {problem}")
    recorder.notes += counted(plan, results)
    plain = config.getoption("gate_base") is None and config.getoption("gate_profile") is None
    if error is None and plain and len(results) == len(plan.decisions):
        config.stash[COMPLETE] = True


def pytest_unconfigure(config: pytest.Config) -> None:
    """Keep the answer of a run of all checks that passed, for the next who asks."""
    if COMPLETE not in config.stash:
        return
    from gatehouse.core.folders import cache_folder
    from gatehouse.evidence.recorder import RECORDER
    from gatehouse.inner.last_answer import keep_answer

    recorder, plan, run = config.stash[RECORDER], config.stash[PLAN], required_run(config)
    if recorder.digest and recorder.digest.verdict == "passed":
        before = config.stash[BEFORE]
        keep_answer(
            before.checkout,
            cache_folder(),
            before.contents,
            before.base,
            variables=[*run.settings.inner.environment, run.settings.guardrails.variable],
            identities=plan.identities.asked,
            bundle=recorder.folder,
            lines=recorder.digest.lines(),
        )
