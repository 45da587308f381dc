"""Lets time pass until a workspace may have changed: a wait that looks at once, and asks no more often for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType

from gatehouse.coder.sockets import Socket, SocketClosed
from gatehouse.core.deadline import Clock, Deadline
from gatehouse.core.errors import GatehouseError


class Hints:
    """What `wait_until` takes as `pause`, over one stream. Without a stream it is only a sleep. For a `with`."""

    def __init__(
        self,
        open_socket: Callable[[], AbstractContextManager[Socket]],
        is_hint: Callable[[str | bytes], bool],
        clock: Clock,
    ) -> None:
        """`is_hint` tells a change from a ping."""
        self._open_socket = open_socket
        self._is_hint = is_hint
        self._clock = clock
        self._stack = ExitStack()
        self._socket: Socket | None = None
        self._usable = True

    def __enter__(self) -> Hints:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def pause(self, seconds: float) -> None:
        """Return when something has changed since the last time, or after `seconds`.

        The first time returns as soon as the stream is open: what changed before that is to be looked at.
        """
        deadline = Deadline.after(seconds, self._clock)
        if self._usable and self._socket is None:
            try:
                self._socket = self._stack.enter_context(self._open_socket())
            except GatehouseError:
                self._usable = False  # nothing in between passes streams on, or there are none
            else:
                return
        try:
            while self._socket and not deadline.expired:
                if self._is_hint(self._socket.receive(deadline.remaining)):
                    return
        except TimeoutError:
            return
        except SocketClosed:
            self._usable, self._socket = False, None
        self._clock.sleep(deadline.remaining)
