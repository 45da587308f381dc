import pytest

from gatehouse.coder.commands import Printed
from gatehouse.core.errors import ProductFailure
from gatehouse.smoke.workspace.hold import require_hold
from gatehouse.smoke.workspace.tools import failures_of
from gatehouse.workspace.startup import Started
from tests.support.clock import FakeClock
from tests.unit.workspace.test_stages import workspace

READY = workspace(agent="connected", lifecycle="ready", connected=True)
CUT = workspace(agent="disconnected", lifecycle="ready", connected=True)


class Coder:
    def __init__(self, clock, cut_at):
        self._clock, self._cut_at, self.looks = clock, cut_at, 0

    def workspace(self, _id):
        self.looks += 1
        return CUT if self._clock.monotonic() >= self._cut_at else READY


def held(cut_at=9999.0, ready_at=0.0, now=0.0, seconds=60.0):
    clock = FakeClock()
    clock.elapsed = now
    coder = Coder(clock, cut_at)
    require_hold(coder, Started(READY, {}, "", "", ready_at), seconds, clock)
    return clock, coder


def test_an_agent_that_stays_ready_is_looked_at_until_the_end():
    clock, coder = held()

    assert clock.elapsed == 60
    assert coder.looks == 61


def test_what_other_tests_took_counts_but_one_look_is_taken():
    clock, coder = held(ready_at=10.0, now=100.0)

    assert clock.elapsed == 100
    assert coder.looks == 1


def test_an_agent_that_is_lost_is_told_when_it_is():
    with pytest.raises(ProductFailure, match="no longer ready 30 s later: disconnected, ready"):
        held(cut_at=30.0)


def test_each_tool_that_is_not_signed_in_has_a_line():
    answers = {
        "gh auth status": Printed("Logged in\n", 0),
        "az account show": Printed("ERROR: Please run\n'az login'.\n", 1),
        "codex login status": Printed("", 127),
    }

    assert failures_of({"gh": "gh auth status"}, answers.__getitem__) == []
    assert failures_of({name.split()[0]: name for name in answers}, answers.__getitem__) == [
        "az: `az account show` ended with 1: ERROR: Please run 'az login'.",
        "codex: `codex login status` ended with 127: it printed nothing",
    ]
