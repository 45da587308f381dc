"""What containers need of this machine: free ports, processes that end, and whether something answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from gatehouse.core.processes import OWNER_VARIABLE


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def end_process(process: asyncio.subprocess.Process) -> None:
    """SIGTERM for the process's group, SIGKILL two seconds later."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 2)
            return


def end_marked(markers: Collection[str]) -> None:
    """End the processes, at once, that were started with one of these marks, and theirs."""
    wanted = {f"{OWNER_VARIABLE}={marker}".encode() for marker in markers}
    if not wanted:
        return
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone meanwhile, or another user's
            if not wanted.isdisjoint((entry / "environ").read_bytes().split(b"\0")):
                os.kill(int(entry.name), signal.SIGKILL)


def kill(process: asyncio.subprocess.Process | None) -> None:
    """SIGKILL for the process's group, if it still runs."""
    if process and process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


async def succeeds(argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> bool:
    """Whether a command ends with 0."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    return await process.wait() == 0


async def http_answers(port: int, path: str) -> bool:
    """Whether a port of this machine answers: any connection without a path, a status below 400 with one."""
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                if not path:
                    return True
                writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
                first = (await reader.readline()).split()
                return len(first) > 1 and first[1].isdigit() and int(first[1]) < 400
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
