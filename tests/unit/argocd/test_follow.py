import queue
import threading

import pytest

from gatehouse.argocd import follow
from gatehouse.argocd.follow import ApplicationFollower, Source
from gatehouse.core.errors import AuthenticationError, Transient
from tests.support.clock import FakeClock

CUT = object()


def app(version, name="web"):
    return {"metadata": {"name": name, "uid": name, "resourceVersion": str(version)}}


class FakeStream:
    """A stream that says what it is told to; `CUT` cuts it."""

    def __init__(self):
        self.said = queue.Queue()
        self.closed = threading.Event()

    def events(self):
        while (event := self.said.get(timeout=10)) is not CUT:
            yield event
        if not self.closed.is_set():
            raise Transient("the stream was cut")

    def close(self):
        self.closed.set()
        self.said.put(CUT)


class FakeServer:
    """Lists what it is given, and hands out streams."""

    def __init__(self, *applications):
        self.applications = list(applications)
        self.lists = 0
        self.error = None
        self.streams = queue.Queue()

    def list(self):
        self.lists += 1
        if self.error:
            raise self.error
        return list(self.applications)

    def open(self):
        stream = FakeStream()
        self.streams.put(stream)
        return stream

    def stream(self):
        return self.streams.get(timeout=10)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def follower_of(clock, monkeypatch):
    """Followers that open a stream again at once; closed at the end."""
    monkeypatch.setattr(follow, "BACKOFF", (0.0, 0.0))
    made = []

    def make(server):
        made.append(ApplicationFollower(Source(server.list, server.open), clock=clock))
        return made[-1]

    yield make
    for each in made:
        each.close()


def versions(follower):
    return {name: each["metadata"]["resourceVersion"] for name, each in follower.look().items()}


def until(follower, wanted):
    """Look, and wait for changes, until the versions are as wanted."""
    for _ in range(100):
        if versions(follower) == wanted:
            return
        follower.wait(0.1)
    raise AssertionError(versions(follower))


def test_a_list_comes_first_and_events_follow_without_another(follower_of):
    server = FakeServer(app(1))
    follower = follower_of(server)
    assert versions(follower) == {"web": "1"}

    server.stream().said.put(("MODIFIED", app(2)))
    until(follower, {"web": "2"})

    assert server.lists <= 2  # one more once the stream stands, for what was lost between the two


def test_waiting_ends_with_the_first_change_and_not_before(follower_of):
    server = FakeServer(app(1))
    follower = follower_of(server)
    follower.look()
    stream = server.stream()
    stream.said.put(("ADDED", app(1)))
    woken = threading.Event()
    waiting = threading.Thread(target=lambda: (follower.wait(30), woken.set()))
    waiting.start()
    assert not woken.is_set()

    stream.said.put(("MODIFIED", app(2)))

    assert woken.wait(10)
    waiting.join()


def test_nothing_is_streamed_while_nothing_matches(follower_of, clock):
    server = FakeServer()
    follower = follower_of(server)
    assert versions(follower) == {}
    assert server.streams.empty()

    server.applications = [app(1)]
    clock.sleep(follow.POLL_INTERVAL)
    assert versions(follower) == {"web": "1"}
    assert server.stream()


def test_without_a_stream_the_list_is_asked_again_and_again(follower_of, clock):
    server = FakeServer(app(1))
    server.open = lambda: (_ for _ in ()).throw(Transient("no streams here"))
    follower = follower_of(server)
    follower.look()

    server.applications = [app(2)]
    assert versions(follower) == {"web": "1"}
    clock.sleep(follow.POLL_INTERVAL)
    assert versions(follower) == {"web": "2"}


def test_a_stream_that_is_cut_is_opened_again_and_what_was_missed_is_listed(follower_of, clock):
    server = FakeServer(app(1))
    follower = follower_of(server)
    follower.look()
    server.stream().said.put(CUT)
    server.applications = [app(2)]

    again = server.stream()
    clock.sleep(follow.POLL_INTERVAL)
    until(follower, {"web": "2"})
    again.said.put(("MODIFIED", app(3)))
    until(follower, {"web": "3"})


def test_a_deletion_that_was_missed_is_noticed_by_the_next_list(follower_of, clock):
    server = FakeServer(app(1), app(1, "api"))
    follower = follower_of(server)
    follower.look()
    server.applications = [app(1)]

    clock.sleep(follow.LIST_INTERVAL)

    assert versions(follower) == {"web": "1"}


def test_errors_of_the_list_are_the_callers_and_the_next_look_asks_again(follower_of):
    server = FakeServer(app(1))
    server.error = AuthenticationError("invalid session: token is expired")
    follower = follower_of(server)
    with pytest.raises(AuthenticationError):
        follower.look()

    server.error = None
    assert versions(follower) == {"web": "1"}


def test_closing_ends_the_stream_and_its_thread(follower_of):
    server = FakeServer(app(1))
    follower = follower_of(server)
    follower.look()
    stream = server.stream()

    follower.close()

    assert stream.closed.is_set()
    assert "argocd stream" not in {thread.name for thread in threading.enumerate()}


def test_what_is_no_event_ends_that_stream_and_not_the_following(follower_of):
    server = FakeServer(app(1))
    follower = follower_of(server)
    follower.look()
    first = server.stream()
    first.said.put(("MODIFIED", {"kind": "Status"}))

    server.stream().said.put(("MODIFIED", app(2)))

    until(follower, {"web": "2"})
    assert first.closed.is_set()


def test_a_list_that_the_stream_asks_for_while_one_is_under_way_is_not_forgotten(follower_of):
    server = FakeServer(app(1))
    listed = server.list

    def list_while_the_stream_comes_up():
        answer = listed()
        if server.lists == 2:  # the stream stands now, and this list was asked before
            follower._listed_at = None
        return answer

    server.list = list_while_the_stream_comes_up
    follower = follower_of(server)
    follower.look()
    follower._listed_at = None
    follower.look()

    server.applications = [app(2)]
    assert versions(follower) == {"web": "2"}
