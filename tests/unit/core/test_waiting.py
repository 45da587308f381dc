import pytest

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import AuthenticationError, TerminalState, Transient, WaitTimeout
from gatehouse.core.waiting import wait_until
from tests.support.clock import FakeClock


def states(*values):
    """An observation that gives each value once, then the last one for ever; exceptions are raised."""
    remaining = list(values)

    def observe():
        value = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if isinstance(value, Exception):
            raise value
        return value

    return observe


def wait(observe, clock, seconds=60, **arguments):
    arguments = {"ready": lambda state: state == "ready", "interval": 1.0, **arguments}
    return wait_until(observe, what="the workspace", deadline=Deadline.after(seconds, clock), **arguments)


def test_returns_the_state_that_was_ready_without_waiting_longer():
    clock = FakeClock()

    assert wait(states("pending", "running", "ready"), clock) == "ready"
    assert clock.elapsed == 2


def test_an_already_ready_state_costs_no_time():
    clock = FakeClock()

    wait(states("ready"), clock)

    assert clock.elapsed == 0


def test_readiness_must_hold_as_often_in_a_row_as_asked():
    clock = FakeClock()

    wait(states("ready", "flapping", "ready", "ready", "ready"), clock, successes=3)

    assert clock.elapsed == 4


def test_only_changes_of_state_are_reported():
    reported = []

    wait(
        states("pending", "pending", "pending", "running", "ready"),
        FakeClock(),
        on_change=lambda progress: reported.append(progress.last),
    )

    assert reported == ["pending", "running", "ready"]


def test_a_terminal_state_ends_the_wait_at_once_with_its_reason_and_the_history():
    clock = FakeClock()

    with pytest.raises(TerminalState, match="the build failed") as caught:
        wait(
            states("pending", "failed"),
            clock,
            failed=lambda state: "the build failed" if state == "failed" else None,
        )

    assert clock.elapsed == 1
    assert caught.value.seen == "pending (0.0 s) → failed (1.0 s)"


def test_a_timeout_names_the_last_state_seen_and_the_way_there():
    with pytest.raises(WaitTimeout, match="not ready within 5 s, last seen: stuck") as caught:
        wait(states("pending", "stuck"), FakeClock(), seconds=5)

    assert "pending (0.0 s) → stuck (1.0 s)" in str(caught.value)


def test_the_deadline_is_not_overshot_by_the_pause_between_observations():
    clock = FakeClock()

    with pytest.raises(WaitTimeout):
        wait(states("pending"), clock, seconds=5, interval=3.0)

    assert clock.elapsed == 5


def test_transient_errors_do_not_end_the_wait_and_reset_the_count_of_successes():
    clock = FakeClock()

    wait(states("ready", Transient("503", seen="try later"), "ready", "ready"), clock, successes=2)

    assert clock.elapsed == 3


def test_a_timeout_in_the_middle_of_transient_errors_carries_the_servers_words():
    with pytest.raises(WaitTimeout, match="try later"):
        wait(states(Transient("503", seen="try later")), FakeClock(), seconds=3)


def test_a_lasting_error_ends_the_wait_at_once():
    clock = FakeClock()

    with pytest.raises(AuthenticationError):
        wait(states(AuthenticationError("401")), clock)

    assert clock.elapsed == 0


def test_none_can_be_a_ready_state():
    assert wait(states("there", None), FakeClock(), ready=lambda state: state is None) is None
