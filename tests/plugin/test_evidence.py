"""What a run leaves behind, however it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.plugin.conftest import Run

MIXED = """
import pytest

def test_good():
    assert True

def test_bad():
    assert 1 == 2, "planted failure"

def test_broken():
    raise RuntimeError("planted error")

@pytest.mark.skip(reason="planted reason")
def test_skipped():
    pass

@pytest.fixture
def no():
    raise OSError("no set-up")

def test_no_set_up(no):
    pass

@pytest.fixture
def messy():
    yield
    raise OSError("no teardown")

def test_no_teardown(messy):
    pass

@pytest.mark.xfail(reason="known", strict=False)
def test_expected():
    assert False
"""

STATUSES = {
    "test_good": "passed",
    "test_bad": "failed",
    "test_broken": "failed",
    "test_skipped": "skipped",
    "test_no_set_up": "error",
    "test_no_teardown": "error",
    "test_expected": "xfailed",
}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "two workers"])
def test_record_junit_allure_and_manifest_agree_on_every_outcome(suite, workers):
    run = suite(MIXED, *workers).require_sound()

    assert run.exit_code == 1
    assert run.statuses == STATUSES
    junit = (run.folder / "junit.xml").read_text()
    assert 'tests="7" failures="2" errors="2" skipped="2"' in junit
    allure = run.allure()
    assert (allure["test_good"], allure["test_bad"], allure["test_broken"]) == ("passed", "failed", "broken")
    for name in ("environment.properties", "categories.json", "executor.json"):
        assert (run.folder / "allure-results" / name).is_file()


def test_an_assertion_is_the_products_and_any_other_exception_the_infrastructures(suite):
    results = suite(MIXED).results

    classes = {
        test.id.split("::")[-1]: test.failure.failure_class for test in results.tests.values() if test.failure
    }
    assert classes["test_bad"] == "product"
    assert classes["test_broken"] == classes["test_no_set_up"] == "infrastructure"


def test_the_last_lines_are_the_verdict_the_first_error_and_the_command_to_run_again(suite):
    run = suite("def test_bad():\n    assert 1 == 2, 'planted failure'\n")

    lines = [line for line in run.output.splitlines() if line.strip()]
    tail = lines[lines.index("smoke: failed (1 failed)") :]
    assert tail[1] == "target: environment, from outside"
    assert tail[2].startswith("evidence: reports/")
    assert tail[3] == "first error (product): suites/smoke/test_a.py::test_bad"
    assert tail[4].strip() == "planted failure"
    assert tail[-1] == "run again: pytest -m smoke suites/smoke/test_a.py::test_bad"


def test_the_reasons_of_skipped_tests_are_in_the_last_lines(suite):
    run = suite(
        """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_s(number):
    pytest.skip("unverified: nobody let us look")

def test_good():
    pass
"""
    )

    assert "skipped: unverified: nobody let us look (2 tests)" in run.output.splitlines()


def test_a_conftest_that_cannot_be_imported_is_named_with_its_error(suite):
    run = suite(
        "def test_s():\n    pass\n",
        files={"suites/smoke/test_b.py": "raise RuntimeError('no database url')\n"},
    )

    assert run.exit_code == 2
    assert "test_b.py cannot be collected: RuntimeError: no database url" in run.output


def test_a_pass_is_a_pass(suite):
    run = suite("def test_good():\n    pass\n").require_sound()

    assert run.exit_code == 0
    assert run.digest["verdict"] == "passed"


@pytest.mark.parametrize(
    "tests",
    ["", "import pytest\n@pytest.mark.skip(reason='x')\ndef test_a():\n    pass\n"],
    ids=["no test at all", "all skipped"],
)
def test_a_run_in_which_nothing_was_executed_never_exits_with_0(suite, tests):
    run = suite(tests)

    assert run.exit_code == 5
    assert run.digest["verdict"] == "nothing ran"


def test_a_test_that_ends_the_session_with_success_does_not_make_it_one(suite):
    run = suite(
        """
        import pytest

        def test_first():
            pytest.exit("enough", returncode=0)

        def test_second():
            assert False
        """
    )

    assert run.exit_code == 2
    assert run.statuses["test_second"] == "not run"
    assert run.results.interrupted == "pytest.exit: enough"
    assert run.digest["verdict"] == "interrupted"


def test_a_test_that_ends_the_process_leaves_a_bundle_that_says_it_is_unfinished(suite):
    run = suite("import os\n\ndef test_a():\n    os._exit(0)\n\ndef test_b():\n    pass\n")

    assert not (run.folder / "manifest.json").exists()
    assert not (run.folder / "junit.xml").exists()
    assert run.results.finished is None


def test_a_crashed_worker_is_in_every_part_of_the_evidence(suite):
    run = suite(
        """
        import os

        def test_crash():
            os.kill(os.getpid(), 9)

        def test_good():
            pass
        """,
        *("-n", "2"),
    ).require_sound()

    assert run.exit_code == 1
    assert run.statuses == {"test_crash": "crashed", "test_good": "passed"}
    assert run.allure()["test_crash"] == "broken"


def test_a_file_that_cannot_be_imported_is_an_error_of_the_run(suite):
    run = suite("import nothing_of_that_name\n")

    assert run.exit_code == 2
    (error,) = run.results.collection_errors
    assert "nothing_of_that_name" in error.summary
    assert "<error" in (run.folder / "junit.xml").read_text()


def test_failed_subtests_make_their_test_fail(suite):
    run = suite(
        """
        def test_parts(subtests):
            for number in range(3):
                with subtests.test(number=number):
                    assert number != 1
        """
    ).require_sound()

    assert run.exit_code == 1
    assert run.statuses == {"test_parts": "failed"}


def test_attachments_and_events_of_tests_reach_the_record(suite):
    run = suite(
        """
        import enum, pathlib

        def test_a(evidence):
            evidence.attach("notes.txt", "a note")
            evidence.attach("data", {"token": "abc", "n": 1})
            outcome = enum.StrEnum("Outcome", "CLEAN")["CLEAN"]
            evidence.event("leak_proof", proof={"workspace": "w", "outcome": outcome, "at": pathlib.Path("p")})
        """,
        *("-n", "2"),
    ).require_sound()

    (test,) = run.results.tests.values()
    assert [each["name"] for each in test.attachments] == ["notes.txt", "data"]
    assert (run.folder / test.attachments[0]["path"]).read_text() == "a note"
    assert '"[redacted]"' in (run.folder / test.attachments[1]["path"]).read_text()
    assert run.results.leaks[0]["proof"]["outcome"] == "clean"


def test_no_planted_secret_is_left_anywhere_in_a_bundle(suite, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "planted-secret-token-2")
    run = suite(
        """
        import os

        def test_a(evidence, request):
            token = os.environ["CODER_SESSION_TOKEN"]
            evidence.attach("log.txt", f"used {token}")
            request.node.user_properties.append(("seen", token))
            print("printed", token)
            import allure
            allure.attach(f"allure {os.environ['GITHUB_TOKEN']}", "raw")
            assert token == "x", f"GET /?coder_session_token={token}"

        def test_b():
            raise RuntimeError("Authorization: Bearer " + os.environ["GITHUB_TOKEN"])
        """
    ).require_sound()

    for path in run.folder.rglob("*"):
        if path.is_file():
            assert b"planted-secret" not in path.read_bytes(), path


@pytest.mark.parametrize("plugin", ["allure_pytest", "xdist", "playwright", "timeout"])
def test_a_run_works_without_each_of_the_optional_plugins(suite, plugin):
    arguments = ("-p", f"no:{plugin}") + (("-p", "no:looponfail") if plugin == "xdist" else ())

    run = suite("def test_good():\n    pass\n", *arguments)

    assert run.exit_code == 0, run.output
    assert run.statuses == {"test_good": "passed"}


def test_a_signal_in_the_middle_of_writing_the_record_is_not_waited_for_by_itself(suite):
    run = suite(
        """
def test_good():
    pass
""",
        files={
            "conftest.py": """
import datetime, os, signal
from gatehouse.evidence import record

class SignalledOnce(datetime.datetime):
    at = 3

    @classmethod
    def now(cls, zone):
        cls.at -= 1
        if not cls.at:
            os.kill(os.getpid(), signal.SIGTERM)
        return datetime.datetime.now(zone)

record.datetime = SignalledOnce
"""
        },
        timeout=20,
    )

    assert run.exit_code == 2, run.output
    assert run.results.interrupted == "SIGTERM"


@pytest.mark.parametrize(
    ("number", "workers", "background"),
    [
        (signal.SIGINT, (), False),
        (signal.SIGTERM, (), False),
        (signal.SIGTERM, ("-n", "2"), False),
        (signal.SIGTERM, ("-n", "2"), True),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGTERM with two workers", "SIGTERM as a background job with two workers"],
)
def test_an_interrupted_run_tears_down_and_leaves_an_honest_bundle(
    suite, pytester, workers, number, background
):
    """Start a run, wait until a test is under way, and interrupt it. Background jobs ignore Ctrl-C."""
    folder = pytester.path / "suites" / "smoke"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text(
        """
import pathlib, time, pytest

@pytest.fixture
def resource():
    pathlib.Path("started").write_text("")
    yield
    pathlib.Path("torn-down").write_text("")

def test_long(resource):
    time.sleep(60)

def test_later():
    pass
"""
    )
    disposition = "SIG_IGN" if background else "default_int_handler"
    program = (
        f"import os, signal, sys; signal.signal(signal.SIGINT, signal.{disposition}); "
        "os.execv(sys.executable, [sys.executable, '-m', 'pytest', *sys.argv[1:]])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "-m", "smoke", *workers],
        cwd=pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ,
    )
    limit = time.monotonic() + 30
    while not (pytester.path / "started").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)

    run = Run(pytester.path, process.returncode, output)
    assert run.exit_code == 2, output
    assert (pytester.path / "torn-down").exists()
    assert run.manifest["exit_status"] == 2
    assert run.results.interrupted
    assert run.statuses["test_long"] == "not run"
    assert "collected, but no result was recorded" in (run.folder / "junit.xml").read_text()
