"""Calls that go on: logs that are followed, workspaces that are watched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ParamSpec, TypeVar

from pydantic import ValidationError

from gatehouse.coder import calls
from gatehouse.coder.api.agents import AgentCalls
from gatehouse.coder.api.workspaces import WorkspaceCalls
from gatehouse.coder.follow import follow
from gatehouse.coder.hints import Hints
from gatehouse.coder.models import SCRIPTS_ENDED, LogLine, Workspace
from gatehouse.coder.sockets import Socket, SocketClosed
from gatehouse.coder.watch import watch
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import UnexpectedAnswer

Arguments = ParamSpec("Arguments")
Seen = TypeVar("Seen")

#: Seconds of quiet after which a stream's reader looks up whether there is anything to wait for.
QUIET = 2.0

#: Seconds without a word after which an event stream is taken for lost: pings come every 15.
SILENCE = 45.0

#: Seconds by which an agent's last lines may come after it says that its scripts have ended: it sends them apart.
LATE_AGENT_LINES = 1.0


class StreamCalls(WorkspaceCalls, AgentCalls):
    """Follows logs and watches workspaces."""

    def follow_build_log(self, build_id: str, deadline: Deadline, *, after: int = 0) -> Iterator[LogLine]:
        """Every line of a build's log after the one with id `after`, until the build's job has ended.

        Raises `WaitTimeout` with the last line, and what the server refuses with.
        """
        return follow(
            _Log(
                f"log of build {build_id[:8]}",
                0.0,
                lambda last: self._transport.socket(
                    calls.FOLLOW_BUILD_LOGS, {"follow": "true", "after": last}, build=build_id
                ),
                self._bounded(deadline, lambda last: self.build_log(build_id, after=last)),
                self._bounded(deadline, lambda: self.build(build_id).job.ended),
            ),
            deadline,
            after=after,
        )

    def follow_agent_log(self, agent_id: str, deadline: Deadline, *, after: int = 0) -> Iterator[LogLine]:
        """Every line of an agent's log after the one with id `after`, until its start scripts have ended.

        Raises as `follow_build_log`.
        """
        return follow(
            _Log(
                f"log of agent {agent_id[:8]}",
                LATE_AGENT_LINES,
                lambda last: self._transport.socket(
                    calls.FOLLOW_AGENT_LOGS,
                    {"follow": "true", "after": last, "no_compression": "true"},
                    agent=agent_id,
                ),
                self._bounded(deadline, lambda last: self.agent_log(agent_id, after=last)),
                self._bounded(deadline, lambda: self.agent(agent_id).lifecycle_state in SCRIPTS_ENDED),
            ),
            deadline,
            after=after,
        )

    def watch_workspace(self, workspace_id: str, deadline: Deadline) -> Iterator[Workspace]:
        """The workspace now and at each change, also when it is deleted, until the caller has seen enough.

        Each state is read; the streams (`/watch-ws`, else `/watch`) only say when. Raises `WaitTimeout` with the
        last state, and what the server refuses with.
        """

        @contextmanager
        def socket() -> Iterator[Iterator[bool]]:
            with self._transport.socket(calls.WATCH_SOCKET, workspace=workspace_id) as opened:
                yield _socket_hints(opened)

        @contextmanager
        def events() -> Iterator[Iterator[bool]]:
            silence = min(SILENCE, max(deadline.remaining, 0.1))
            with self._transport.stream(calls.WATCH, silence, workspace=workspace_id) as lines:
                yield (line.strip() != "event: ping" for line in lines if line.startswith("event:"))

        look = self._bounded(deadline, lambda: self.workspace(workspace_id, include_deleted=True))
        return watch(look, socket, events, deadline)

    def hints(self, workspace_id: str) -> Hints:
        """For a `with`: what lets time pass until the workspace may have changed (`/watch-ws`)."""
        return Hints(
            lambda: self._transport.socket(calls.WATCH_SOCKET, workspace=workspace_id),
            _is_hint,
            self._transport.clock,
        )

    def _bounded(self, deadline: Deadline, read: Callable[Arguments, Seen]) -> Callable[Arguments, Seen]:
        """A read that does not wait for anything longer than there is time."""

        def bounded(*arguments: Arguments.args, **keywords: Arguments.kwargs) -> Seen:
            with self.within(deadline):
                return read(*arguments, **keywords)

        return bounded


class _Log:
    """A log as `follow` wants it; the arguments say how to open, read and judge it."""

    def __init__(
        self,
        what: str,
        late: float,
        open_socket: Callable[[int], AbstractContextManager[Socket]],
        lines: Callable[[int], list[LogLine]],
        ended: Callable[[], bool],
    ) -> None:
        self.what = what
        self.late = late
        self._open = open_socket
        self.lines = lines
        self.ended = ended

    def stream(self, after: int) -> Iterator[LogLine | None]:
        """See `follow.LogSource`."""
        with self._open(after) as socket:
            while True:
                try:
                    frame = socket.receive(QUIET)
                except TimeoutError:
                    yield None
                    continue
                except SocketClosed:
                    return
                yield from _lines(frame, self.what)


def _lines(frame: str | bytes, what: str) -> list[LogLine]:
    """The lines in a frame: builds send one at a time, agents a list."""
    try:
        data: Any = json.loads(frame)
        return [LogLine.model_validate(each) for each in (data if isinstance(data, list) else [data])]
    except (ValueError, ValidationError) as error:
        raise UnexpectedAnswer(
            "a stream sends what is no log line",
            expected="JSON with an id",
            seen=str(frame)[:200],
            where=what,
        ) from error


def _socket_hints(socket: Socket) -> Iterator[bool]:
    while True:
        try:
            frame = socket.receive(QUIET)
        except TimeoutError:
            yield False
            continue
        except SocketClosed:
            return
        yield _is_hint(frame)


def _is_hint(frame: str | bytes) -> bool:
    """Whether a frame of `/watch-ws` is anything but a ping."""
    try:
        message: Any = json.loads(frame)
    except ValueError:
        return True
    return not (isinstance(message, dict) and message.get("type") == "ping")
