"""Tools that do not behave: what becomes of their checks, and of their processes."""

import os
import sys
import time

import pytest

from gatehouse.core.launcher import OfflineLauncher
from gatehouse.inner.checks.parsing import placed_lines
from gatehouse.inner.model import Blame, Check, Outcome, Package, Parsed, Phase
from gatehouse.inner.plan import Action, Decision
from gatehouse.inner.pool import CheckPool

DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    open("pid.new", "w").write(str(os.getpid()))
    os.rename("pid.new", "pid")
    time.sleep(300)
while not os.path.exists("pid"):
    time.sleep(0.01)
"""


@pytest.fixture(params=[False, True], ids=["with network", "without network"])
def outcome(tmp_path, request):
    """What becomes of a check whose command is a script for `sh`."""

    def run(script, *, timeout=30.0, argv=None, **more):
        package = Package(tmp_path, "", "go.mod", "go", ("a.go",))
        parse = more.pop("parse", lambda check, done: Parsed(placed_lines(check, done.stdout)))
        command = argv or ("sh", "-c", script)
        check = Check(package, "tool", Phase.UNIT, Blame.LINT, command, parse, **more)
        pool = CheckPool(
            [Decision(check, Action.RUN, "asked")],
            timeout=timeout,
            workers=2,
            environment={"PATH": os.environ["PATH"]},
            logs=tmp_path,
            launcher=OfflineLauncher() if request.param else None,
        )
        pool.start()
        try:
            return pool.result(check)
        finally:
            pool.stop()

    return run


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_that_hangs_and_ignores_being_asked_is_ended_with_its_children(outcome, tmp_path):
    result = outcome("trap '' TERM; sleep 300 & echo $! > pid; wait; sleep 300", timeout=1.0)

    assert "did not end within 1 s" in result.reason
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_one_that_leaves_a_daemon_behind_is_red_and_the_daemon_is_ended(outcome, tmp_path):
    script = tmp_path / "daemon.py"
    script.write_text(DAEMON)

    result = outcome("", argv=(sys.executable, str(script)))

    assert result.outcome is Outcome.FAILED
    assert "left processes behind" in result.reason
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(pid)


def test_one_that_prints_without_end_is_kept_whole_on_disk_and_short_in_memory(outcome, tmp_path):
    result = outcome("head -c 30000000 /dev/zero | tr '\\0' x; echo; echo a.go:1:1: bad; exit 1")

    assert result.completed.truncated
    assert len(result.completed.stdout) < 20_000_000
    assert (tmp_path / "go.mod--tool.log").stat().st_size > 30_000_000
    assert [str(each) for each in result.findings] == ["a.go:1:1: bad"]


def test_one_that_finds_something_and_exits_with_0_is_red_where_findings_count(outcome):
    assert outcome("echo a.go:1:1: bad", findings_are_failures=True).outcome is Outcome.FAILED
    assert outcome("echo a.go:1:1: note").outcome is Outcome.PASSED


def test_one_that_says_nothing_and_exits_with_1_is_red_with_its_last_words(outcome):
    result = outcome("echo all is well; exit 1")

    assert (result.outcome, result.reason, result.output) == (Outcome.FAILED, "exit code 1", "all is well")


def test_one_that_is_killed_is_red(outcome):
    assert outcome("kill -9 $$").outcome is Outcome.FAILED


def test_one_that_prints_bytes_that_are_no_text_is_read_as_far_as_it_goes(outcome):
    result = outcome(r"printf '\377\376 a.go:1: x\n\033[31ma.go:2:1: bad\033[0m\n'; exit 1")

    assert result.outcome is Outcome.FAILED


def test_one_that_cannot_be_found_is_not_installed(outcome):
    result = outcome("", argv=("/nonexistent/tool",))

    assert result.outcome is Outcome.NOT_INSTALLED
    assert "/nonexistent/tool" in result.reason
