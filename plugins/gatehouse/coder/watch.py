"""Watches a workspace. A stream says when to look; what is seen is always read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from gatehouse.coder.errors import Gone, Redirected, UpgradeRequired
from gatehouse.coder.models import Workspace
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound, Transient, UnexpectedAnswer, Unreachable, WaitTimeout

#: Seconds before a stream is opened again, at least and at most; doubled each time it said nothing new.
BACKOFF = (0.2, 5.0)

#: An open stream of hints: True when something has changed, False for a ping or a quiet moment.
Hints = Callable[[], AbstractContextManager[Iterator[bool]]]


def watch(
    look: Callable[[], Workspace], socket: Hints, events: Hints, deadline: Deadline
) -> Iterator[Workspace]:
    """The workspace now, and again at each change, until the caller has seen enough.

    Hints come over a WebSocket or, where the server knows no such call, as server-sent events. Raises what the
    server refuses with (401, 403, 404, 410, 426), and `WaitTimeout` with the last state.
    """
    last: Workspace | None = None
    pause = BACKOFF[0]
    opener = socket
    while not deadline.expired:
        try:
            for state in _states(look, opener, deadline):
                if state != last:
                    last, pause = state, BACKOFF[0]
                    yield state
            if deadline.expired:
                break
        except (Gone, Redirected, UpgradeRequired):
            raise
        except NotFound:
            if opener is events:
                raise
            opener = events
            continue
        except (Transient, Unreachable, UnexpectedAnswer):
            pass  # cut, or nothing in between passes streams on: looked at again below
        state = look()
        if state != last:
            last = state
            yield state
        deadline.clock.sleep(min(pause, deadline.remaining))
        pause = min(pause * 2, BACKOFF[1])
    raise WaitTimeout(
        f"the workspace was watched for {deadline.budget:.0f} s in vain",
        seen=f"last state: {last.latest_build.status}" if last else "no state",
    )


def _states(look: Callable[[], Workspace], opener: Hints, deadline: Deadline) -> Iterator[Workspace]:
    """What a look shows when the stream is open, and after each hint."""
    with opener() as hints:
        yield look()
        for changed in hints:
            if changed:
                yield look()
            if deadline.expired:
                return
