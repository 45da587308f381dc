"""`pods/exec`: a real process in a container, its streams framed by channel over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehouse.core.processes import OWNER_VARIABLE, ProcessOwner
from gatehouse.embedded.kubernetes.containers import Container
from gatehouse.embedded.kubernetes.kinds import Object

#: Newest first; v5 adds a way to close standard input.
SUBPROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")

STDIN, STDOUT, STDERR, ERROR, _RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


@dataclass
class ExecFaults:
    """What a scenario makes go wrong with commands in pods."""

    #: So many of the next streams are cut as soon as the command has printed something.
    cuts: int = 0
    #: So many of the next commands end without a status.
    without_status: int = 0
    #: Seconds after the start of the first command at which its pod is evicted.
    evicts_after: float | None = None


async def serve_exec(
    socket: WebSocket,
    container: Container,
    argv: Sequence[str],
    wants: set[str],
    owner: ProcessOwner,
    environment: Mapping[str, str],
    faults: ExecFaults,
) -> None:
    """Run `argv` in the container and carry the streams in `wants` (stdin, stdout, stderr).

    `environment` comes on top of the container's own.
    """
    offered = socket.scope.get("subprotocols", [])
    await socket.accept(next((each for each in SUBPROTOCOLS if each in offered), None))
    marked = owner.environment({**container.environment, **environment})
    container.markers.add(marked[OWNER_VARIABLE])
    try:
        process = await asyncio.create_subprocess_exec(
            *(container.real(part) for part in argv),
            cwd=container.working_folder,
            env=marked,
            stdin=asyncio.subprocess.PIPE if "stdin" in wants else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        reason = f"exec: {argv[0]!r}: {error.strerror or error}"
        status = {"message": f"OCI runtime exec failed: {reason}", "reason": "InternalError", "code": 500}
        await _finish(socket, {"metadata": {}, "status": "Failure", **status})
        return
    container.commands.add(process)
    reading = asyncio.create_task(_read_input(socket, process))
    pumps = [
        asyncio.create_task(_pump(socket, channel, stream))
        for channel, name, stream in ((STDOUT, "stdout", process.stdout), (STDERR, "stderr", process.stderr))
        if stream and name in wants
    ]
    try:
        if faults.cuts:
            faults.cuts -= 1
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            await socket.close(1011)
            return
        await asyncio.gather(*pumps)
        code = await process.wait()
        if faults.without_status:
            faults.without_status -= 1
            await socket.close()
            return
        await _finish(socket, _status(code))
    except (WebSocketDisconnect, RuntimeError):
        pass  # the client has gone; as in a real cluster, the process goes on until its container ends
    finally:
        reading.cancel()
        container.commands.discard(process)


async def _pump(socket: WebSocket, channel: int, stream: asyncio.StreamReader) -> None:
    while chunk := await stream.read(32 * 1024):
        await socket.send_bytes(bytes([channel]) + chunk)


async def _read_input(socket: WebSocket, process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, ConnectionError):
        while True:
            frame = await socket.receive_bytes()
            if not process.stdin or not frame:
                continue
            if frame[0] == CLOSE and frame[1:2] == bytes([STDIN]):
                process.stdin.close()
            elif frame[0] == STDIN:
                process.stdin.write(frame[1:])
                await process.stdin.drain()


async def _finish(socket: WebSocket, status: Object) -> None:
    await socket.send_bytes(bytes([ERROR]) + json.dumps(status).encode())
    await socket.close()


def _status(code: int) -> Object:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    code = code if code > 0 else 128 - code
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
