import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from gatehouse.core.lease import Holder, hold, holder, release
from gatehouse.core.ledger import Ledger, read_ledger
from tests.support.clock import FakeClock

WRITER = """
import sys
from pathlib import Path
from gatehouse.core.ledger import Ledger
Ledger(Path(sys.argv[1])).intend("workspace", "one", "run-1", 60)
print("written", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """A process that has written an entry and lives on until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "ledger.jsonl")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"written\n"
    yield process
    process.kill()
    process.communicate()


def seen(path):
    reading = read_ledger(path)
    return reading.holder(reading.entries[0])


def test_a_writer_holds_its_lease_until_it_is_killed(writer, tmp_path):
    assert seen(tmp_path / "ledger.jsonl") is Holder.ALIVE

    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert seen(tmp_path / "ledger.jsonl") is Holder.ENDED


def test_asking_does_not_take_the_lease_from_anyone(writer, tmp_path):
    assert [seen(tmp_path / "ledger.jsonl") for _ in range(3)] == [Holder.ALIVE] * 3


def test_of_a_copy_nobody_can_say_whether_its_writer_lives(writer, tmp_path):
    shutil.copy(tmp_path / "ledger.jsonl", tmp_path / "copy.jsonl")

    assert seen(tmp_path / "copy.jsonl") is Holder.UNKNOWN


def test_of_a_writer_on_another_machine_nobody_can_say_whether_it_lives(tmp_path):
    path = tmp_path / "file"
    path.touch()
    lease = hold(path)
    release(path)

    assert holder(path, lease) is Holder.ENDED
    assert holder(path, replace(lease, host="elsewhere")) is Holder.UNKNOWN
    assert holder(path, None) is Holder.UNKNOWN
    path.unlink()
    assert holder(path, lease) is Holder.UNKNOWN


def test_reading_the_ledger_in_the_run_itself_does_not_end_its_lease(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.intend("workspace", "one", "run-1", 60)
    assert seen(ledger.path) is Holder.ALIVE

    Ledger(ledger.path).gone("two")
    assert seen(ledger.path) is Holder.ALIVE
    ledger.close()
    assert seen(ledger.path) is Holder.ENDED


def test_who_only_asks_at_the_same_time_is_not_taken_for_the_writer(tmp_path):
    path = tmp_path / "file"
    path.touch()
    lease = hold(path)
    release(path)
    other = os.open(path, os.O_RDONLY)
    import fcntl

    fcntl.flock(other, fcntl.LOCK_EX)

    class Meanwhile(FakeClock):
        def sleep(self, seconds):
            super().sleep(seconds)
            if len(self.sleeps) == 3:
                os.close(other)

    assert holder(path, lease, clock=Meanwhile()) is Holder.ENDED
