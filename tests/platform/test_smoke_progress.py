"""What people see while the smoke suite runs: in a terminal, and in the log of a CI."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from tests.platform.interruptible import AMBIENT, ROOT
from tests.platform.smoke_runs import SmokeRun

WORKSPACE, IDENTITY = "suites/smoke/test_workspace.py", "suites/smoke/test_identity.py"


def in_a_terminal(platform, folder, *arguments):
    """All that the suite writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(AMBIENT)}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pytest", "-m", "smoke", "-p", "no:cacheprovider"),
            f"--gate-evidence={folder / 'evidence'}",
            *arguments,
        ],
        cwd=ROOT,
        env={**environment, "GATEHOUSE_CONFIG": str(platform.configuration_file), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:  # how Linux says that nobody has the other side open any more
        pass
    finally:
        os.close(ours)
        process.wait(60)
    return process.returncode, written.decode(errors="replace")


@pytest.mark.parametrize("workers", [("-n0",), ("-n", "2")], ids=["one process", "two workers"])
def test_a_terminal_shows_which_check_runs_what_it_awaits_and_how_many_are_left(start, tmp_path, workers):
    code, written = in_a_terminal(
        start("scale-from-zero"), tmp_path, WORKSPACE, "-k", "budget or identity", *workers
    )

    assert code == 0, written
    assert "0 of 2 checks done" in written
    assert re.search(r"\d s  workspace: it becomes ready within the budget of each stage", written)
    assert re.search(r"\d s    awaited: start: wait for a node: ", written)
    drawn = [line for line in re.split(r"\x1b\[2K", written) if "checks done" in line or "awaited" in line]
    assert max(len(re.sub(r"\x1b(\[[\d;]*[A-Za-z]|[78D])", "", line).rstrip()) for line in drawn) < 80
    end = written[written.index("- smoke -") :]
    assert "checks done" not in end


def test_a_log_has_one_line_for_each_subsystem_that_is_done_and_nothing_else(platform, tmp_path):
    run = SmokeRun(platform, tmp_path, "suites/smoke/test_control_plane.py", IDENTITY)

    told = re.findall(r"^smoke: (?!passed)(.*) \(\d+\.\d s\)$", run.output, re.MULTILINE)
    assert told == ["control plane: 23 passed, 1 skipped", "identity: 4 passed, 6 skipped"]
    assert "checks done" not in run.output
    assert "\x1b" not in run.output
