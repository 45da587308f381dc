"""A workspace watched over streams: they say when to look, what is seen is read."""

import contextlib
import itertools

import pytest

from gatehouse.coder.errors import Gone, LostAnswer, UpgradeRequired
from gatehouse.coder.models import Workspace
from gatehouse.coder.watch import watch
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    AuthenticationError,
    NotFound,
    PermissionDenied,
    Transient,
    UnexpectedAnswer,
    WaitTimeout,
)
from tests.support.clock import FakeClock
from tests.support.coder_server import BUILD, WORKSPACE


class Streams:
    """Opens one stream after the other: a list of hints, or an error; the last one repeats."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.opened = 0

    @contextlib.contextmanager
    def __call__(self):
        self.opened += 1
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        yield iter(step)


def watching(states, socket, events=None, seconds=60):
    """The states seen, and the clock."""
    given = itertools.chain(states, itertools.repeat(states[-1]))

    def look():
        state = next(given)
        if isinstance(state, Exception):
            raise state
        return Workspace.model_validate({**WORKSPACE, "latest_build": {**BUILD, "status": state}})

    clock = FakeClock()
    seen = watch(
        look, socket, events or Streams(AssertionError("not to be opened")), Deadline.after(seconds, clock)
    )
    return (each.latest_build.status for each in seen), clock


def test_each_change_is_seen_once_and_pings_are_not_looked_at():
    states, _ = watching(
        ["pending", "starting", "starting", "running"], Streams([True, False, False, True, True])
    )

    assert list(itertools.islice(states, 3)) == ["pending", "starting", "running"]


def test_a_server_without_the_socket_is_watched_by_events():
    events = Streams([True, True])
    states, _ = watching(["pending", "running"], Streams(NotFound("404")), events)

    assert list(itertools.islice(states, 2)) == ["pending", "running"]
    assert events.opened == 1


def test_neither_stream_means_that_there_is_no_such_workspace():
    states, _ = watching(["pending"], Streams(NotFound("404")), Streams(NotFound("404, too")))

    with pytest.raises(NotFound, match="too"):
        next(states)


@pytest.mark.parametrize(
    "refusal",
    [
        AuthenticationError("401"),
        PermissionDenied("403"),
        Gone("410"),
        UpgradeRequired("426"),
    ],
)
def test_a_lasting_refusal_ends_it(refusal):
    socket = Streams(refusal)
    states, _ = watching(["pending"], socket)

    with pytest.raises(type(refusal)):
        next(states)
    assert socket.opened == 1


@pytest.mark.parametrize("cut", [LostAnswer("cut"), Transient("502"), UnexpectedAnswer("a page")])
def test_a_stream_that_is_cut_is_opened_again_and_nothing_in_between_is_missed(cut):
    socket = Streams(cut, cut, [True])
    states, _ = watching(["pending", "starting", "running"], socket)

    assert list(itertools.islice(states, 3)) == ["pending", "starting", "running"]


def test_what_is_never_seen_ends_with_the_last_state():
    states, clock = watching(["pending"], Streams([]), seconds=20)

    with pytest.raises(WaitTimeout) as caught:
        list(states)
    assert caught.value.seen == "last state: pending"
    assert clock.elapsed == 20
