"""The smoke suite: its option, how its tests are spread over workers, and the table at its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gatehouse.core.errors import GatehouseError, PermissionDenied
from gatehouse.evidence.recorder import RECORDER
from gatehouse.run import Run, current_run

if TYPE_CHECKING:
    from gatehouse.coder.client import CoderClient
    from gatehouse.evidence.record import Event
    from gatehouse.smoke.subsystems import Subsystem, Version

#: How many failures of a process have been given what an SRE would ask for, how many get it, and in which seconds.
SUPPORTED = pytest.StashKey[int]()
MOST_SUPPORTED, SUPPORT_SECONDS = 3, 20.0

#: Whether this process has told of a clock that differs.
CLOCK_NOTED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    parser.getgroup("gatehouse").addoption(
        "--gate-baseline",
        metavar="DIR",
        type=Path,
        help="What the smoke suite compares the deployment with: the folder that `gatehouse baseline` wrote before "
        "the upgrade",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """Keep the tests of a file in one worker: they share a workspace, and its life goes in order."""
    run = current_run(config)
    if run is None or run.suites != ("smoke",) or config.getoption("dist", "no") != "load":
        return None
    from gatehouse.smoke.file_scheduling import FileScheduling

    return FileScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a test take as long as the target's settings let workspaces take, whatever limit other tests have.

    A limit for quick tests would otherwise end the wait for a workspace, and make it look like a failure of it.
    """
    run = current_run(config)
    if run is None or run.target.coder is None or not config.pluginmanager.hasplugin("timeout"):
        return
    limit = run.target.coder.longest_test_seconds
    for item in items:
        if item.get_closest_marker("smoke") and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(limit))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the table of subsystems, and put it into the bundle."""
    run = current_run(config)
    if run is None or run.bundle is None or "smoke" not in run.suites:
        return
    from gatehouse.evidence.record import FILE_NAME, read_record
    from gatehouse.evidence.results import read_results
    from gatehouse.smoke.subsystems import clock_words, lines, subsystems

    events = list(read_record(run.bundle.folder / FILE_NAME))
    found = subsystems(read_results(iter(events)))
    if not found:
        return
    versions = _versions(events)
    differences = [str(each["text"]) for each in events if each["event"] == "difference"]
    clocks = [float(each["seconds_ahead"]) for each in events if each["event"] == "clock"]
    notes = [clock_words(clocks[0])] if clocks else []
    text = [run.redactor.text(line) for line in lines(found, versions, [*notes, *differences])]
    _keep(run, found, versions, text)
    terminalreporter.section("smoke", sep="-")
    for line in text:
        terminalreporter.write_line(line)


def _versions(events: list[Event]) -> dict[str, Version]:
    from gatehouse.smoke.subsystems import Version

    return {
        str(each["name"]): Version(str(each["name"]), str(each["now"]), str(each.get("before") or ""))
        for each in events
        if each["event"] == "version"
    }


def _keep(run: Run, found: list[Subsystem], versions: dict[str, Version], text: list[str]) -> None:
    data = {
        "subsystems": [
            {
                "name": each.name,
                "state": str(each.state),
                "tests": {str(state): number for state, number in each.tests.items()},
                "seconds": round(each.seconds, 3),
                "reasons": each.reasons,
                "red": [
                    {
                        "test": red.id,
                        "words": red.words,
                        "next": red.next_step,
                        "regression": red.regression and red.regression.name,
                        "issues": red.regression.links if red.regression else [],
                    }
                    for red in each.red
                ],
            }
            for each in found
        ],
        "versions": [version.__dict__ for version in versions.values()],
    }
    folder = run.attachments()
    (folder / "smoke.json").write_text(json.dumps(run.redactor.data(data), indent=1))
    (folder / "smoke.txt").write_text("\n".join(text) + "\n")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Note which deployment, in which version, the run was about: evidence from two places must be of one."""
    run = current_run(session.config)
    recorder = session.config.stash.get(RECORDER, None)
    ended_by_itself = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if run is None or recorder is None or "smoke" not in run.suites or not ended_by_itself:
        return
    from gatehouse.coder.client import CoderClient
    from gatehouse.core.deadline import Deadline

    assert run.target.coder
    try:
        token = run.target.coder.token.read()
        with CoderClient(run.target.coder.url, token) as coder, coder.within(Deadline.after(0)):
            info = coder.build_info()
    except GatehouseError:
        return  # without it the gate takes no evidence from two places
    recorder.event("coder_deployment", id=info.deployment_id, version=info.version)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """What a fixture is not allowed to look at is unverified."""
    with _unverified(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """What a test is not allowed to look at is unverified, never a failure of the platform and never a pass."""
    with _unverified(item):
        return (yield)


@contextmanager
def _unverified(item: pytest.Item) -> Iterator[None]:
    try:
        yield
    except PermissionDenied as error:
        if item.get_closest_marker("smoke") is None:
            raise
        from gatehouse.coder.errors import PremiumOnly
        from gatehouse.smoke.subsystems import NOT_CONFIGURED, UNVERIFIED

        begin = NOT_CONFIGURED if isinstance(error, PremiumOnly) else UNVERIFIED
        words = f": {error.seen}" if error.seen else ""
        pytest.skip(f"{begin}{error.summary}{words} ({error.where})")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a wrong clock; gather what an SRE would ask for while what broke is still there, of the first failures."""
    report = yield
    run = current_run(item.config)
    if report.when == "call" and item.get_closest_marker("smoke") and run and run.bundle:
        _note_clock(item, run)
    if (
        report.failed
        and report.when != "teardown"
        and run
        and run.bundle
        and item.get_closest_marker("smoke")
    ):
        count = item.config.stash.get(SUPPORTED, 0)
        if count < MOST_SUPPORTED:
            item.config.stash[SUPPORTED] = count + 1
            _attach_support(item, run)
    return report


def _note_clock(item: pytest.Item, run: Run) -> None:
    """Once a process: how far Coder's clock is from this machine's, if it is."""
    coder = getattr(item, "funcargs", {}).get("coder")
    if coder is None or item.config.stash.get(CLOCK_NOTED, False) or not coder.clock_skew_seconds:
        return
    from gatehouse.evidence.plugin import Evidence

    item.config.stash[CLOCK_NOTED] = True
    Evidence(run, item).event("clock", of="Coder", seconds_ahead=round(coder.clock_skew_seconds))


def _silence(coder: CoderClient) -> str:
    """Why Coder cannot be asked at all, by a single question; empty when it can."""
    from gatehouse.core.deadline import Deadline

    try:
        with coder.within(Deadline.after(0)):
            coder.build_info()
    except GatehouseError as error:
        return str(error)
    return ""


def _attach_support(item: pytest.Item, run: Run) -> None:
    from gatehouse.coder.connect import connect
    from gatehouse.core.ledger import outstanding
    from gatehouse.evidence.plugin import Evidence
    from gatehouse.kube.client import connect as connect_cluster
    from gatehouse.smoke.support import collect, sources

    settings = run.target.coder
    assert settings and run.bundle
    ledger = run.bundle.folder / f"ledger-{run.worker}.jsonl"
    try:
        token = settings.token.read()
        owner_token = settings.deployment_token.read()
        cluster = connect_cluster(run.target.kubernetes)
    except GatehouseError:
        return  # the failure at hand says it
    with (
        connect(settings, token) as coder,
        connect(settings, owner_token) as owner,
        cluster or nullcontext(),
    ):
        if words := _silence(coder):
            item.config.stash[SUPPORTED] = MOST_SUPPORTED
            Evidence(run, item).attach("support.json", {"not collected": words})
            return
        made = outstanding(ledger) if ledger.exists() else []
        found = collect(sources(coder, owner, cluster, made), SUPPORT_SECONDS)
    Evidence(run, item).attach("support.json", found)


@pytest.fixture
def note_version(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that notes what has which version, and had before, for the table at the end of the run."""
    from gatehouse.evidence.plugin import Evidence
    from gatehouse.run import required_run

    evidence = Evidence(required_run(request.config), request.node)

    def note(name: str, now: str, before: str = "") -> None:
        evidence.event("version", name=name, now=now, before=before)

    return note
