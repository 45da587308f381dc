import pytest

from gatehouse.core.deadline import Deadline
from tests.support.clock import FakeClock


def test_a_deadline_counts_down_and_never_below_zero():
    clock = FakeClock()
    deadline = Deadline.after(10, clock)

    clock.sleep(4)
    assert (deadline.remaining, deadline.elapsed, deadline.expired) == (6, 4, False)

    clock.sleep(7)
    assert (deadline.remaining, deadline.expired) == (0, True)


def test_a_step_gets_its_own_budget_but_never_outlives_the_whole():
    clock = FakeClock()
    whole = Deadline.after(10, clock)
    clock.sleep(7)

    assert whole.within(2).remaining == 2
    assert whole.within(60).remaining == 3


def test_a_negative_budget_is_refused():
    with pytest.raises(ValueError, match="-1"):
        Deadline.after(-1, FakeClock())
