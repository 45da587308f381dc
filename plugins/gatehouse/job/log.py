"""Follows what a container prints, across connections that are cut."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from gatehouse.core.errors import GatehouseError
from gatehouse.kube.client import Cluster
from gatehouse.kube.watch import Watch

#: Seconds until a log that ended, was cut or is not there yet is asked for again.
PAUSE = 1.0

#: Bytes read at a time.
BLOCK = 64 * 1024


class LogFollower:
    """A thread that hands a container's output on as it comes; use as a context manager.

    What was handed on before a cut is not handed on again. It never raises: the log is for people, not for the verdict.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        container: str,
        write: Callable[[bytes], None],
        pause: float = PAUSE,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._container = container
        self._write = write
        self._pause = pause
        self._told = 0
        self._watch: Watch | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> LogFollower:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._watch:
            self._watch.close()
        if self._thread:
            self._thread.join(self._pause * 5)

    def start(self, pod: str) -> None:
        """Begin to follow a pod's container; further calls do nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._follow, args=(pod,), name="log", daemon=True)
            self._thread.start()

    def _follow(self, pod: str) -> None:
        while not self._ended.is_set():
            try:
                self._watch = self._cluster.follow_log(self._namespace, pod, self._container)
                self._read(self._watch)
            except GatehouseError:
                pass  # cut, or nothing to follow: asked for again, or told by the pod's state
            self._ended.wait(self._pause)

    def _read(self, watch: Watch) -> None:
        skip = self._told
        while not self._ended.is_set() and (chunk := watch.read(BLOCK)):
            fresh, skip = chunk[skip:], max(0, skip - len(chunk))
            self._told += len(fresh)
            if fresh:
                self._write(fresh)
