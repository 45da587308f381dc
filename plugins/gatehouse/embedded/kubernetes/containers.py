"""What the node keeps of pods and their containers, and what their main processes have printed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from gatehouse.embedded.clock import pause

#: Bytes of a container's log that are kept.
LOG_BYTES = 1024 * 1024

#: Seconds between looks at a log that is followed.
FOLLOW_PERIOD = 0.1


@dataclass
class Container:
    """A container of a pod: its folder, its environment, its process and what it has printed."""

    name: str
    folder: Path
    environment: dict[str, str]
    mounts: dict[str, Path]
    working_folder: Path
    image_id: str = ""
    process: asyncio.subprocess.Process | None = None
    port: int = 0
    restarts: int = 0
    log: bytes = b""
    previous_log: bytes = b""
    #: Why its process was ended from outside, in Kubernetes' word for it.
    ended_by: str = ""
    commands: set[asyncio.subprocess.Process] = field(default_factory=set)
    #: Marks of the processes that were started in it by exec, and of theirs.
    markers: set[str] = field(default_factory=set)

    def real(self, text: str) -> str:
        """`text` with the mount paths of this container replaced by the folders that stand for them."""
        for path, folder in sorted(self.mounts.items(), key=lambda mount: -len(mount[0])):
            text = re.sub(rf"(?<![\w./-]){re.escape(path)}(?![\w.-])", str(folder), text)
        return text


@dataclass
class RunningPod:
    """What the node keeps of a pod."""

    uid: str
    namespace: str
    name: str
    folder: Path
    #: Of its own volumes: a short path, as browsers put sockets there, whose paths have 107 characters at most.
    volumes: Path
    containers: dict[str, Container] = field(default_factory=dict)


def open_log(container: Container) -> IO[bytes]:
    """The file into which the main process prints, emptied."""
    return (container.folder.parent / f"{container.name}.log").open("wb")


def read_log(container: Container) -> bytes:
    """The last `LOG_BYTES` of that file."""
    path = container.folder.parent / f"{container.name}.log"
    return path.read_bytes()[-LOG_BYTES:] if path.exists() else b""


def current_log(container: Container) -> bytes:
    """What the container's main process has printed so far, at most the last `LOG_BYTES`."""
    return (
        read_log(container) if container.process and container.process.returncode is None else container.log
    )


async def followed_log(container: Container) -> AsyncIterator[bytes]:
    """What a container's main process has printed, and what it goes on printing until it ends."""
    path = container.folder.parent / f"{container.name}.log"
    if not path.exists():
        return
    with path.open("rb") as file:
        while True:
            ended = container.process is None or container.process.returncode is not None
            if chunk := file.read():
                yield chunk
            elif ended:
                return
            await pause(FOLLOW_PERIOD)
