import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatehouse.core import watchdog
from gatehouse.core.errors import NotInstalled
from gatehouse.core.launcher import OfflineLauncher
from gatehouse.core.processes import OWNER_VARIABLE, ProcessOwner


@pytest.fixture(params=["started here", "started without network"])
def owner(request):
    if request.param == "started here":
        with ProcessOwner() as owner:
            yield owner
        return
    launcher = OfflineLauncher()
    try:
        if launcher.problem:
            pytest.skip(f"this system does not let processes leave the network: {launcher.problem}")
        with ProcessOwner(launcher) as owner:
            yield owner
    finally:
        launcher.close()


def python(code):
    return [sys.executable, "-c", code]


#: A process that leaves its parent's session and would go on for a minute.
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in range(3):
            os.close(descriptor)
        time.sleep(60)
    os._exit(0)
os.wait()
"""


def test_gives_exit_code_and_both_streams(owner):
    done = owner.run(
        python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), timeout=30
    )

    assert (done.exit_code, done.stdout, done.stderr, done.ok) == (3, "out\n", "err\n", False)


def test_feeds_standard_input(owner):
    assert owner.run(["cat"], timeout=30, stdin=b"hello").stdout == "hello"


def test_has_no_standard_input_by_default(owner):
    assert owner.run(["cat"], timeout=30).exit_code == 0


def test_a_program_over_its_limit_is_ended_with_its_children_and_its_exit_code_is_unknown(owner):
    done = owner.run(["sh", "-c", "sleep 60 & echo started; sleep 60"], timeout=0.3)

    assert (done.exit_code, done.timed_out, done.stdout) == (None, True, "started\n")
    assert watchdog.find_processes(owner.name) == {}


def test_a_program_that_ignores_sigterm_is_killed(owner):
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"

    done = owner.run(python(code), timeout=1.0, grace=0.1)

    assert done.timed_out
    assert watchdog.find_processes(owner.name) == {}


def test_a_daemon_that_left_the_session_is_found_ended_and_named(owner):
    done = owner.run(python(DAEMON), timeout=30)

    assert done.exit_code == 0
    assert len(done.left_behind) == 1
    assert "python" in done.left_behind[0]
    assert watchdog.find_processes(owner.name) == {}


def test_a_killed_program_has_the_signal_as_exit_code(owner):
    assert owner.run(["sh", "-c", "kill -9 $$"], timeout=30).exit_code == -signal.SIGKILL


def test_output_beyond_the_cap_keeps_its_beginning_and_end_in_memory_and_all_of_it_in_the_log(
    owner, tmp_path
):
    log = tmp_path / "output.log"

    done = owner.run(
        python("print('first'); print('x' * 100_000); print('last')"), timeout=30, capture_bytes=1000, log=log
    )

    assert done.truncated
    assert done.stdout.startswith("first\n")
    assert done.stdout.endswith("last\n")
    assert "bytes left out" in done.stdout
    assert len(done.stdout) < 2100
    assert log.stat().st_size == len("first\n") + 100_001 + len("last\n")


def test_output_exactly_at_the_cap_is_whole(owner):
    done = owner.run(python("print('x' * 1999)"), timeout=30, capture_bytes=1000)

    assert (done.truncated, len(done.stdout)) == (False, 2000)


def test_output_that_is_not_utf8_does_not_stop_the_run(owner):
    assert owner.run(["printf", r"a\377b"], timeout=30).stdout == "a\ufffdb"


def test_a_missing_program_is_not_installed_rather_than_failed(owner):
    with pytest.raises(NotInstalled, match="no-such-program"):
        owner.run(["no-such-program"], timeout=1)


def test_a_missing_folder_is_not_taken_for_a_missing_program(owner, tmp_path):
    with pytest.raises(NotInstalled, match=r"folder .* does not exist"):
        owner.run(["true"], timeout=1, cwd=tmp_path / "nowhere")


def until_it_has_its_environment(process):
    """Popen returns a moment before the kernel shows the new program's environment."""
    limit = time.monotonic() + 10
    while not Path(f"/proc/{process.pid}/environ").read_bytes():
        assert time.monotonic() < limit


def test_stop_all_ends_what_was_started_elsewhere_under_this_owner(owner):
    stray = subprocess.Popen(["sleep", "60"], env=owner.environment(), start_new_session=True)
    until_it_has_its_environment(stray)

    ended = owner.stop_all()

    assert ended == ["sleep 60"]
    assert stray.wait(timeout=10) == -signal.SIGTERM


def test_owners_do_not_touch_each_others_processes(owner):
    with ProcessOwner() as neighbour:
        process = subprocess.Popen(["sleep", "60"], env=neighbour.environment(), start_new_session=True)
        owner.stop_all()

        assert process.poll() is None
    assert process.wait(timeout=10) == -signal.SIGTERM


def test_children_are_ended_when_their_owner_is_killed(tmp_path):
    code = f"""
import os, signal, sys
from pathlib import Path
from gatehouse.core.processes import ProcessOwner
owner = ProcessOwner()
import subprocess
subprocess.Popen(["sleep", "60"], env=owner.environment(), start_new_session=True)
Path({str(tmp_path / "name")!r}).write_text(owner.name)
os.kill(os.getpid(), signal.SIGKILL)
"""
    victim = subprocess.run(python(code), check=False)

    name = Path(tmp_path / "name").read_text()
    assert victim.returncode == -signal.SIGKILL
    limit = time.monotonic() + 20
    while watchdog.find_processes(name) and time.monotonic() < limit:
        os.sched_yield()
    assert watchdog.find_processes(name) == {}


def test_the_watchdog_is_not_a_child_of_an_outer_owner(owner):
    # In a process of its own: one that this process starts meanwhile would be a child of the outer owner, too.
    code = f"""
import os
from gatehouse.core.processes import ProcessOwner
with ProcessOwner() as inner:
    inner.environment()
    print("ready", os.environ[{OWNER_VARIABLE!r}], flush=True)
    input()
"""
    inner = subprocess.Popen(
        python(code), env=owner.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert inner.stdout.readline().startswith("ready")

    assert [each for each in owner.stop_all() if "watchdog" in each] == []
    assert inner.wait(timeout=10) == -signal.SIGTERM
    inner.stdin.close()
    inner.stdout.close()
