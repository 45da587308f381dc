"""A web terminal: bytes of a real terminal out, keys in. It never tells an exit code."""

from __future__ import annotations

import json

from gatehouse.coder.sockets import Socket, SocketClosed
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import Unreachable


class Terminal:
    """An open terminal.

    Once the connection is closed, the program in it lives for five minutes more: opened again with the same
    `reconnect` id, it shows its last 64 KiB once more and goes on.
    """

    def __init__(self, socket: Socket, reconnect: str, where: str) -> None:
        self._socket = socket
        self._where = where
        #: The id under which the server keeps it.
        self.reconnect = reconnect
        #: All bytes that have come so far.
        self.output = b""
        #: Whether the program in it has ended, or the connection.
        self.ended = False

    def send(self, keys: str) -> None:
        """Type. A line ends with a carriage return, as the key does. Raises `Unreachable` if it has ended."""
        self._write({"data": keys})

    def resize(self, height: int, width: int) -> None:
        """Tell the terminal its size in characters."""
        self._write({"height": height, "width": width})

    def read_until(self, text: str, deadline: Deadline) -> str:
        """Everything so far, once `text` is in it. Raises `Unreachable` if it ends or the time passes first.

        What is typed comes back, too: wait for something that is not in the command itself.
        """
        while text.encode() not in self.output:
            if not self._read(deadline):
                raise self._problem(f"the terminal ended without {text!r}")
        return self.text

    def read_all(self, deadline: Deadline) -> str:
        """Everything until the program ends. Raises `Unreachable` if the time passes first."""
        while self._read(deadline):
            pass
        return self.text

    @property
    def text(self) -> str:
        """The output so far; lines end as on a terminal, with CR and LF."""
        return self.output.decode(errors="replace")

    def _read(self, deadline: Deadline) -> bool:
        """Take one message; False at the end."""
        try:
            frame = self._socket.receive(deadline.remaining)
        except SocketClosed:
            self.ended = True
            return False
        except TimeoutError as error:
            raise self._problem(f"the terminal did not end within {deadline.budget:.0f} s") from error
        self.output += frame if isinstance(frame, bytes) else frame.encode()
        return True

    def _write(self, keys: dict[str, object]) -> None:
        try:
            self._socket.send(json.dumps(keys).encode())
        except SocketClosed as error:
            self.ended = True
            raise self._problem("the terminal has ended") from error

    def _problem(self, summary: str) -> Unreachable:
        return Unreachable(
            summary,
            seen=self.text[-400:],
            where=self._where,
            next_step="open the web terminal in the dashboard; agent, network and WebSockets are all in between",
        )
