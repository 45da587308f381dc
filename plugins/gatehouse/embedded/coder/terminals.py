"""Web terminals: real ones, kept for a while after their client has gone, so that it can come back."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import struct
import termios
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded.kubernetes.containers import Container
from gatehouse.embedded.kubernetes.host import end_process

#: Bytes that are shown again to a client that comes back, and seconds for which it can.
REPLAYED = 64 * 1024
KEPT = 300.0


class Terminals:
    """The terminals of all agents, by agent and the id that clients give them."""

    def __init__(self, owner: ProcessOwner) -> None:
        self._owner = owner
        self._open: dict[tuple[str, str], Terminal] = {}

    async def open(self, agent_id: str, name: str, container: Container, command: str) -> Terminal:
        """The terminal of this id, or a new one with a command in it."""
        key = (agent_id, name)
        terminal = self._open.get(key)
        if terminal is None or terminal.ended:
            terminal = await Terminal.start(container, command, self._owner)
            self._open[key] = terminal
            terminal.on_end = lambda: self._open.pop(key, None)
        return terminal


class Terminal:
    """A program in a terminal: bytes out, keys in. It ends without a code."""

    def __init__(self, controller: int, process: asyncio.subprocess.Process, container: Container) -> None:
        self._controller = controller
        self._process = process
        self._container = container
        self._recent = b""
        self._clients: set[asyncio.Queue[bytes]] = set()
        self._closing: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self.ended = False
        #: Told when it has ended.
        self.on_end: Callable[[], object] = lambda: None
        asyncio.get_running_loop().add_reader(controller, self._readable)

    @classmethod
    async def start(cls, container: Container, command: str, owner: ProcessOwner) -> Terminal:
        """Run a command, or a shell where none is given."""
        controller, terminal = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            "sh",
            *(["-c", container.real(command)] if command else ["-i"]),
            cwd=container.working_folder,
            env=owner.environment({**container.environment, "TERM": "xterm-256color", "PS1": "$ "}),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        container.commands.add(process)
        return cls(controller, process, container)

    def resize(self, height: int, width: int) -> None:
        """Set the size in characters, if it is one."""
        if height and width and not self.ended:
            fcntl.ioctl(self._controller, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    async def serve(self, socket: WebSocket) -> None:
        """Show the terminal to a client until it leaves or the program ends."""
        await socket.accept()
        if self._closing:
            self._closing.cancel()
        output: asyncio.Queue[bytes] = asyncio.Queue()
        if self._recent:
            output.put_nowait(self._recent)
        if self.ended:
            output.put_nowait(b"")
        self._clients.add(output)
        typing = asyncio.create_task(self._read_keys(socket, output))
        try:
            while data := await output.get():
                await socket.send_bytes(data)
            if self.ended:
                await socket.close()
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            typing.cancel()
            self._clients.discard(output)
            if not self._clients and not self.ended:
                self._closing = asyncio.get_running_loop().call_later(KEPT, self._end)

    def _readable(self) -> None:
        try:
            data = os.read(self._controller, 65536)
        except OSError:
            data = b""
        self._recent = (self._recent + data)[-REPLAYED:]
        for client in self._clients:
            client.put_nowait(data)
        if not data:
            self._end()

    def _end(self) -> None:
        """The program has ended, or nobody has come back."""
        if self.ended:
            return
        self.ended = True
        asyncio.get_running_loop().remove_reader(self._controller)
        os.close(self._controller)
        self._ending = asyncio.create_task(self._end_process())
        self.on_end()

    async def _end_process(self) -> None:
        await end_process(self._process)
        self._container.commands.discard(self._process)

    async def _read_keys(self, socket: WebSocket, output: asyncio.Queue[bytes]) -> None:
        """Type what the client sends; tells the client's own queue when it has left."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, ValueError, OSError):
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                frame = json.loads(message.get("bytes") or message.get("text") or "{}")
                self.resize(frame.get("height", 0), frame.get("width", 0))
                os.write(self._controller, frame.get("data", "").encode())
        output.put_nowait(b"")
