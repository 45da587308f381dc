import sys
import threading

import pytest

from gatehouse.core.inner_settings import SilencedCheck
from gatehouse.inner.model import Blame, Check, Finding, Outcome, Package, Parsed, Phase
from gatehouse.inner.plan import Scope, decide
from gatehouse.inner.pool import CheckPool


@pytest.fixture
def package(tmp_path):
    return Package(tmp_path, "", "go.mod", "go")


def check(package, name, code="pass", phase=Phase.UNIT, **more):
    return Check(package, name, phase, Blame.TEST, (sys.executable, "-c", code), lambda *_: Parsed(), **more)


def run(checks, *, silenced=(), timeout=30.0, logs=None, environment=None):
    everything = Scope({}, "no base")
    pool = CheckPool(
        [decide(each, everything, silenced=silenced, key="", find=lambda key: None) for each in checks],
        timeout=timeout,
        workers=2,
        environment=environment or {"PATH": "/usr/bin:/bin"},
        logs=logs,
    )
    pool.start()
    try:
        return {each.name: pool.result(each) for each in checks}
    finally:
        pool.stop()


def test_results_come_for_every_check(package):
    results = run([check(package, "good"), check(package, "bad", "raise SystemExit(3)")])

    assert results["good"].outcome is Outcome.PASSED
    assert (results["bad"].outcome, results["bad"].reason) == (Outcome.FAILED, "exit code 3")


def test_a_red_phase_stops_the_next_but_not_its_own(package):
    results = run(
        [
            check(package, "red", "raise SystemExit(1)", Phase.CONTRACT),
            check(package, "green", phase=Phase.CONTRACT),
            check(package, "later"),
        ]
    )

    assert results["green"].outcome is Outcome.PASSED
    assert (results["later"].outcome, results["later"].reason) == (
        Outcome.STOPPED,
        "not run: the contract phase is red",
    )


def test_a_check_that_is_not_installed_makes_its_phase_red(package):
    results = run([check(package, "absent", phase=Phase.CONTRACT, missing="go"), check(package, "later")])

    assert (results["absent"].outcome, results["absent"].reason) == (
        Outcome.NOT_INSTALLED,
        "go is not installed",
    )
    assert results["later"].outcome is Outcome.STOPPED


@pytest.mark.parametrize("pattern", ["bad", "go.mod::bad", "go.mod::*", "b?d"])
def test_a_silenced_check_is_not_run_and_says_why(package, pattern):
    silenced = [SilencedCheck(check=pattern, reason="the tool is broken upstream")]

    results = run([check(package, "bad", "raise SystemExit(1)", Phase.CONTRACT)], silenced=silenced)

    assert (results["bad"].outcome, results["bad"].reason) == (
        Outcome.SILENCED,
        "the tool is broken upstream",
    )


def test_a_check_that_hangs_is_ended_at_its_limit(package):
    results = run([check(package, "hangs", "import time; time.sleep(60)")], timeout=0.5)

    assert "did not end within" in results["hangs"].reason


def test_a_parser_that_trips_over_output_does_not_hang_the_run(package):
    def trip(*_arguments):
        raise RuntimeError("unexpected output")

    broken = Check(package, "trips", Phase.UNIT, Blame.TEST, ("true",), trip)

    results = run([broken])

    assert results["trips"].outcome is Outcome.FAILED
    assert "unexpected output" in results["trips"].reason


def test_a_program_that_cannot_be_started_is_not_installed(package):
    gone = Check(package, "gone", Phase.UNIT, Blame.TEST, ("/nonexistent/tool",), lambda *_: Parsed())

    assert run([gone])["gone"].outcome is Outcome.NOT_INSTALLED


def test_findings_are_kept_with_the_whole_output_in_a_log(package, tmp_path):
    one = Check(
        package,
        "talks",
        Phase.UNIT,
        Blame.TEST,
        ("sh", "-c", "echo said; exit 1"),
        lambda *_: Parsed((Finding("a.go", "bad", 1),)),
    )

    results = run([one], logs=tmp_path)

    assert results["talks"].findings == (Finding("a.go", "bad", 1),)
    assert (tmp_path / "go.mod--talks.log").read_text() == "said\n"


def test_checks_of_one_resource_run_one_after_the_other_and_others_beside_them(package, tmp_path):
    wait_for_other = "import pathlib, time\nwhile not pathlib.Path('{}').exists(): time.sleep(0.01)"
    alone = "import pathlib; pathlib.Path('held').mkdir(); pathlib.Path('held').rmdir()"
    checks = [
        check(package, "first", f"{alone}", resource="lock"),
        check(package, "second", f"{alone}", resource="lock"),
        check(package, "third", f"{alone}", resource="lock"),
        check(package, "meets", f"open('here', 'w'); {wait_for_other.format('there')}"),
        check(package, "other", f"open('there', 'w'); {wait_for_other.format('here')}"),
    ]

    assert {each.outcome for each in run(checks).values()} == {Outcome.PASSED}


def test_a_look_is_run_without_a_process(package):
    seen = []

    def look():
        seen.append(threading.current_thread())
        return Parsed((Finding("go.mod", "has no module line", 1),))

    result = run([Check(package, "looks", Phase.CONTRACT, Blame.SETUP, look=look)])["looks"]

    assert seen
    assert (result.outcome, result.findings[0].line) == (Outcome.FAILED, 1)


def test_a_run_that_is_stopped_answers_for_every_check(package):
    checks = [check(package, f"hangs-{number}", "import time; time.sleep(60)") for number in range(4)]
    everything = Scope({}, "no base")
    pool = CheckPool(
        [decide(each, everything, silenced=(), key="", find=lambda key: None) for each in checks],
        timeout=60.0,
        workers=2,
        environment={"PATH": "/usr/bin:/bin"},
        logs=None,
    )
    pool.start()
    pool.stop()

    assert Outcome.PASSED not in {pool.result(each).outcome for each in checks}
