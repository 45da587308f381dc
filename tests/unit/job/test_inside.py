"""What the container does: runs the suite, hands its evidence over, waits to be collected."""

import pytest

from gatehouse.job.inside import Supervisor
from tests.support.clock import FakeClock


class Process:
    """A suite that ends after some looks, or once it is asked to."""

    def __init__(self, code, looks=2, stopped_code=None):
        self.code, self.looks, self.stopped_code = code, looks, stopped_code
        self.terminations = 0

    def poll(self):
        self.looks -= 1
        return self.code if self.looks < 0 else None

    def terminate(self):
        self.terminations += 1
        if self.stopped_code is not None:
            self.code, self.looks = self.stopped_code, 1


@pytest.fixture
def run(tmp_path):
    """Runs a suite that is a fake, in a folder that may hold files from the start; gives code, seconds and file."""

    def run(process, *files, before=lambda _supervisor: None):
        for name in files:
            (tmp_path / name).touch()
        clock = FakeClock()
        supervisor = Supervisor(tmp_path, 600, clock)
        before(supervisor)
        code = supervisor.run(["pytest"], start=lambda _command: process)
        return code, clock.elapsed, (tmp_path / "exit-code").read_text()

    return run


@pytest.mark.parametrize("code", [0, 1, 2, 5])
def test_the_exit_code_is_the_suites_and_is_there_once_the_suite_has_ended(run, code):
    assert run(Process(code), "collected") == (code, 1.0, f"{code}\n")


def test_a_suite_that_was_killed_is_no_success(run):
    code, _, written = run(Process(-9), "collected")

    assert (code, written) == (137, "137\n")


def test_evidence_that_nobody_collects_is_waited_with_for_as_long_as_was_said(run):
    _, seconds, _ = run(Process(0))

    assert seconds == pytest.approx(601, abs=1)


def test_a_suite_that_is_asked_to_stop_tears_down_and_still_hands_over(run):
    process = Process(0, looks=10_000, stopped_code=2)

    code, seconds, written = run(process, "stop", "collected")

    assert (code, written, process.terminations) == (2, "2\n", 1)
    assert seconds < 10


def test_a_pod_that_is_to_end_stops_the_suite_once_and_waits_for_nobody(run):
    process = Process(0, looks=10_000, stopped_code=2)

    code, seconds, _ = run(process, before=lambda supervisor: supervisor.on_sigterm(15, None))

    assert (code, process.terminations) == (2, 1)
    assert seconds < 10


def test_a_suite_that_takes_its_time_to_tear_down_is_asked_only_once(run):
    process = Process(0, looks=20)

    assert run(process, "stop", "collected")[0] == 0
    assert process.terminations == 1
