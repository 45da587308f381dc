"""What every group of calls has."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime

from gatehouse.coder import calls
from gatehouse.coder.models import User
from gatehouse.coder.transport import Transport
from gatehouse.core.deadline import Deadline


class Calls:
    """A group of calls, all over the same transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._my_id = ""

    def my_id(self) -> str:
        """The id of the token's user, asked for once."""
        if not self._my_id:
            self._my_id = self._transport.read(calls.USER, User, user="me").id
        return self._my_id

    def server_time(self) -> datetime:
        """The time as the server has it, from the newest answer: to be compared with the times in its answers."""
        return self._transport.now()

    def within(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Let calls wait for faults and rate limits to pass only as long as there is time."""
        return self._transport.within(deadline)
