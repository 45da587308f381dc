"""What the preview suite adds to pytest-playwright: its fixtures are used as they are, and watched."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import allure
import pytest

from gatehouse.core.errors import FailureClass, GatehouseError, WrongSubject
from gatehouse.evidence.plugin import Evidence
from gatehouse.evidence.recorder import failure_data
from gatehouse.preview.browser import launch_options, resolver_arguments
from gatehouse.preview.journeys.browser_errors import BROWSER_GONE, meaning_of
from gatehouse.preview.journeys.correlation import Correlation, correlate
from gatehouse.preview.journeys.failure_report import console_line, request_line
from gatehouse.preview.journeys.findings import Journey, origin_of
from gatehouse.preview.journeys.steps import last_steps
from gatehouse.preview.journeys.watcher import Watcher
from gatehouse.preview.plugin import HEADERS, outcome_of, persona_named, personas_of
from gatehouse.preview.snapshots import Snapshots
from gatehouse.run import Run, current_run, required_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

WATCHER = pytest.StashKey[Watcher]()
JOURNEY = pytest.StashKey[Journey]()
ATTEMPT = pytest.StashKey[int]()
HARS = pytest.StashKey[list[Path]]()
FAILED = pytest.StashKey[bool]()
WRITTEN = pytest.StashKey[list[Path]]()

#: Bytes up to which an artifact is copied into Allure's results; larger ones are only in the bundle.
ATTACHED = 50_000_000

#: How artifacts are called in Allure, in the order of the failure report, and their media types.
ARTIFACTS = {
    "screenshot": ("screenshot", "image/png", "png"),
    "trace": ("trace", "application/zip", "zip"),
    "video": ("video", "video/webm", "webm"),
    "har": ("HAR", "application/json", "har"),
}


# --- fixtures --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], browser_name: str, pytestconfig: pytest.Config
) -> dict[str, Any]:
    """Playwright's arguments; for Chromium with the browser on the PATH and the target's addresses."""
    settings = required_run(pytestconfig).target.preview
    arguments = {**browser_type_launch_args}
    if browser_name != "chromium":
        return arguments
    if "executable_path" not in arguments:
        arguments |= launch_options(browser_name, arguments.get("channel"))
    if settings and settings.addresses:
        arguments["args"] = [*arguments.get("args", []), *resolver_arguments(settings.addresses)]
    return arguments


@pytest.fixture(scope="session")
def launch_browser(
    launch_browser: Callable[..., Browser], pytestconfig: pytest.Config
) -> Callable[..., Browser]:
    """Playwright's launcher; every context of what it launches is watched."""
    watcher = watcher_of(pytestconfig)
    return lambda **arguments: watcher.instrument(lambda: launch_browser(**arguments))


@pytest.fixture(scope="session")
def playwright(playwright: Playwright, pytestconfig: pytest.Config) -> Playwright:
    """Playwright, all of whose browsers are watched, and requests without a browser as well."""
    watcher = watcher_of(pytestconfig)
    watcher.instrument_types(playwright)
    watcher.instrument_requests(playwright)
    for name, module in list(sys.modules.items()):
        if name.startswith(("playwright.", "pytest_playwright.")):
            module.__dict__["__tracebackhide__"] = True  # its frames say nothing; --full-trace shows them
    return playwright


@pytest.fixture
def assert_snapshot(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, browser_name: str, evidence: Evidence
) -> Snapshots:
    """Compares a page or a locator with a picture that was kept: `assert_snapshot(locator, "name")`.

    Browsers and systems draw differently, so each pair of them has a folder of its own.
    """
    folder = pytestconfig.rootpath / str(pytestconfig.getini("gatehouse_snapshots"))
    snapshots = Snapshots(
        folder / f"{browser_name}-{sys.platform}",
        shlex.join(["pytest", "-m", "preview", "--gate-update-snapshots", request.node.nodeid]),
        pytestconfig.getoption("gate_update_snapshots"),
        evidence.attach,
    )
    request.node.stash[WRITTEN] = snapshots.written
    return snapshots


# --- one test --------------------------------------------------------------------------------------------


def watcher_of(config: pytest.Config) -> Watcher:
    """The watcher of this process. Raises the error that ended the wait for the preview."""
    if WATCHER not in config.stash:
        settings = required_run(config).target.preview
        assert settings, "checked before the run"
        environment = outcome_of(config).environment()
        watcher = Watcher(
            [origin_of(url) for url in environment["urls"].values()],
            map(origin_of, settings.origins_besides_its_own),
        )
        watcher.to_everyone = settings.correlation.send == "all"
        if settings.tls.unknown_to_browsers:  # the proof has verified the certificates before
            watcher.defaults["ignore_https_errors"] = True
        config.stash[WATCHER] = watcher
    return config.stash[WATCHER]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a journey of its own for each attempt of a test."""
    run = current_run(item.config)
    if run is None or item.get_closest_marker("preview") is None or not isinstance(item, pytest.Function):
        return
    try:
        watcher = watcher_of(item.config)
    except GatehouseError:
        return  # the suite's own hook says it
    item.stash[ATTEMPT] = item.stash.get(ATTEMPT, 0) + 1
    item.stash[HARS] = []
    item.stash[FAILED] = False
    journey = item.stash[JOURNEY] = Journey()
    watcher.begin(journey)
    correlation = _correlation(run, item)
    item.config.stash[HEADERS] = watcher.headers = correlation.headers if correlation else {}
    if correlation:
        journey.trace_id, journey.baggage = correlation.trace_id, correlation.baggage
    if item.config.getoption("gate_har") != "off":
        watcher.har = lambda: _har_path(item)
    if mark := item.get_closest_marker("persona"):
        watcher.context_args["storage_state"] = (
            personas_of(item.config).persona(persona_named(mark)).storage_state
        )


def _correlation(run: Run, item: pytest.Item) -> Correlation | None:
    settings = run.target.preview
    if settings is None or settings.correlation.send == "none" or run.bundle is None:
        return None
    return correlate(settings.correlation, run.bundle.run_id, item.nodeid, item.stash[ATTEMPT])


def _har_path(item: pytest.Item) -> Path:
    hars = item.stash[HARS]
    name = "".join(each if each.isalnum() else "-" for each in item.nodeid.rpartition("/")[2])[:120]
    folder = Path(item.config.getoption("output")).absolute() / "har"
    hars.append(folder / f"{name}-{item.stash[ATTEMPT]}-{len(hars) + 1}.har")
    return hars[-1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test whose pages left the preview proves nothing about it, whether it passed or failed."""
    __tracebackhide__ = True
    try:
        result = yield
    except (Exception, pytest.fail.Exception) as error:
        if left := _left(item):
            raise left from error
        raise
    if left := _left(item):
        raise left
    return result


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that wrote what it is to be compared with has compared nothing."""
    result = yield
    if written := pyfuncitem.stash.get(WRITTEN, []):
        names = ", ".join(map(os.path.relpath, written))
        pytest.skip(f"written: {names}; look at what has changed (git status), commit it, and run again")
    return result


def _left(item: pytest.Item) -> WrongSubject | None:
    journey = item.stash.get(JOURNEY, None)
    return left_preview(journey.left) if journey else None


def left_preview(left: list[str]) -> WrongSubject | None:
    """The failure of a test whose pages or requests were outside of the preview; None if none was."""
    if not left:
        return None
    return WrongSubject(
        f"the test left the preview for {origin_of(left[0])}",
        expected="pages and answers of the preview and of the identity provider only",
        seen=", ".join(dict.fromkeys(left[:3])),
        next_step="look at what leads there; what may be opened or asked is named in preview.other_origins",
    )


# --- what remains of it ----------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say whose fault an error of the browser is; when the test has ended, put together what was found out."""
    report = yield
    journey = item.stash.get(JOURNEY, None)
    if journey is None:
        return report
    if report.when == "call" and journey.left and hasattr(report, "wasxfail"):
        _take_for_a_failure(item, report, call)
    if report.failed:
        _explain(report, call.excinfo, journey, item.path)
        item.stash[FAILED] = True
        report.gatehouse_preview = True  # type: ignore[attr-defined] # extra attributes travel to the controller
    if report.when == "teardown":
        _finish(item, report, journey)
    return report


def _take_for_a_failure(item: pytest.Item, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Nobody expects of a test that it leaves the preview, whatever its mark (xfail) says."""
    del report.wasxfail
    report.outcome = "failed"
    if call.excinfo is not None:
        report.longrepr = str(call.excinfo.value)
        failure = failure_data(call.excinfo.value, report.longrepr)
        report.gatehouse_failure = required_run(item.config).redactor.data(failure)  # type: ignore[attr-defined] # extra attributes travel to the controller


def _finish(item: pytest.Item, report: Any, journey: Journey) -> None:
    failed = item.stash[FAILED]
    _keep_artifacts(item, report, journey, failed=failed)
    if failed:
        traces = (_bundle(item) / each["path"] for each in journey.artifacts if each["kind"] == "trace")
        journey.steps = last_steps(*traces)
        _attach(_bundle(item), journey)
    report.gatehouse_journey = journey.as_data()
    report.gatehouse_commands = [shlex.join([item.nodeid, "--headed", "--tracing", "on"])]
    _add_events(item, report, journey)


def _explain(
    report: Any, excinfo: pytest.ExceptionInfo[BaseException] | None, journey: Journey, file: Path
) -> None:
    """Correct who was at fault, where the browser's own words tell; `file` holds the test."""
    error = excinfo.value if excinfo else None
    text = str(error) if error else report.longreprtext
    failure = getattr(report, "gatehouse_failure", None)
    if failure is None:  # pytest-playwright could not keep an artifact
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        failure = {"class": str(FailureClass.INFRASTRUCTURE), "type": "ArtifactError", "text": text}
        text = lines[-1] if lines else text
        failure["summary"] = f"the browser's evidence could not be kept: {text}"
        report.gatehouse_failure = failure
    if "Call log:" in failure.get("details", ""):
        failure["details"] = ""  # it is in the text; the failure report says more in fewer lines
    if error is not None and not type(error).__module__.startswith("playwright."):
        return
    failure["summary"] = failure["summary"].removeprefix(f"{type(error).__name__}: ")
    if excinfo and failure["summary"].endswith("exceeded."):
        # Playwright does not say what it waited for; the test's own line does.
        lines = [str(each.statement) for each in excinfo.traceback if each.path == file]
        waited = f": {' '.join(lines[-1].split())}" if lines else "."
        failure["summary"] = failure["summary"].rstrip(".") + waited
    if meaning := meaning_of(type(error).__name__, text):
        failure["class"] = str(meaning.failure_class)
        if meaning.next_step:
            failure["next"] = meaning.next_step
    if journey.crashed:
        failure["summary"] += " (the page crashed)"
        failure.setdefault("next", BROWSER_GONE.next_step)


def _bundle(item: pytest.Item) -> Path:
    bundle = required_run(item.config).bundle
    assert bundle, "checked before the run"
    return bundle.folder


def _keep_artifacts(item: pytest.Item, report: Any, journey: Journey, *, failed: bool) -> None:
    """Note pytest-playwright's artifacts by their paths in the bundle; keep HARs as they are wanted."""
    started_in = item.config.invocation_params.dir
    kept = [
        (kind.removeprefix("playwright_"), started_in / path)
        for kind, path in report.user_properties
        if kind.removeprefix("playwright_") in ARTIFACTS and kind.startswith("playwright_")
    ]
    report.user_properties = [
        each for each in report.user_properties if not each[0].startswith("playwright_")
    ]
    for har in item.stash[HARS]:
        if failed or item.config.getoption("gate_har") == "on":
            kept.append(("har", har))
        else:
            har.unlink(missing_ok=True)
    for kind, path in sorted(kept, key=lambda each: [*ARTIFACTS].index(each[0])):
        if path.is_file() and path.is_relative_to(_bundle(item)):
            journey.artifacts.append({"kind": kind, "path": path.relative_to(_bundle(item)).as_posix()})


def _attach(bundle: Path, journey: Journey) -> None:
    """Attach what was found out to the test in Allure, in the order in which people look for the reason."""
    _attach_files(bundle, journey, "screenshot")
    for name, lines in (
        ("console errors", map(console_line, journey.console)),
        ("failed requests", map(request_line, journey.requests)),
        ("last steps", journey.steps),
    ):
        if text := "\n".join(lines):
            allure.attach(text, name, allure.attachment_type.TEXT)
    for kind in ("trace", "video", "har"):
        _attach_files(bundle, journey, kind)


def _attach_files(bundle: Path, journey: Journey, kind: str) -> None:
    name, media_type, extension = ARTIFACTS[kind]
    for path in (bundle / each["path"] for each in journey.artifacts if each["kind"] == kind):
        if path.stat().st_size <= ATTACHED:
            allure.attach.file(path, name, media_type, extension)


def _add_events(item: pytest.Item, report: Any, journey: Journey) -> None:
    """What the record keeps of the journey."""
    found = {name: value for name, value in journey.as_data().items() if value and name != "artifacts"}
    events = [
        {"event": "journey", "test": item.nodeid, "attempt": item.stash[ATTEMPT], **found},
        *(
            {
                "event": "attachment",
                "test": item.nodeid,
                "name": ARTIFACTS[each["kind"]][0],
                "path": each["path"],
                "media_type": ARTIFACTS[each["kind"]][1],
            }
            for each in journey.artifacts
        ),
    ]
    report.gatehouse_events = [*getattr(report, "gatehouse_events", ()), *events]
