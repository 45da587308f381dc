"""Follows many Applications over one event stream, with lists as a safety net.

The stream alone is never believed: an update can be lost while it opens, a label that stops matching sends
nothing, deletions during a disconnect are never told. So there is a list before the stream and one now and then,
and where there is no stream (a proxy cuts it, or nothing matches yet) the list alone is asked more often.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gatehouse.argocd.table import ApplicationTable, Object
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock
from gatehouse.core.errors import GatehouseError

#: Seconds between two lists: while the stream runs, and while it does not.
LIST_INTERVAL = 15.0
POLL_INTERVAL = 1.0

#: Seconds before the stream is opened again, at least and at most; doubled each time, with jitter.
BACKOFF = (0.5, 15.0)

#: Seconds that closing waits for the stream's thread; one that is still connecting ends by itself.
CLOSE_TIMEOUT = 1.0


class Stream(Protocol):
    """An open event stream: its events, and a way to end it from another thread."""

    def events(self) -> Iterator[tuple[str, Object] | None]:
        """Kind and Application of each event; None for a keepalive. Raises `GatehouseError`, `OSError`."""

    def close(self) -> None:
        """End the stream; `events` then ends or raises."""


@dataclass(frozen=True)
class Source:
    """Where Applications come from. Both may raise errors of the server's."""

    list: Callable[[], list[Object]]
    open: Callable[[], Stream]


class ApplicationFollower:
    """The newest known version of all Applications of a source. Use as a context manager.

    `look` is for one thread, the one that waits; the stream is read in a thread of its own.
    """

    def __init__(self, source: Source, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._source = source
        self._clock = clock
        self._table = ApplicationTable()
        self._changed = threading.Condition()
        self._seen = 0
        self._listed_at: float | None = None
        #: Whether the stream stands, so that changes come by themselves.
        self.streaming = False
        self._closed = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._follow, name="argocd stream", daemon=True)

    def __enter__(self) -> ApplicationFollower:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stream and its thread."""
        self._closed.set()
        with self._changed:
            stream = self._stream
        if stream is not None:
            stream.close()
        if self._thread.is_alive():
            self._thread.join(CLOSE_TIMEOUT)

    def look(self) -> dict[str, Object]:
        """The Applications by name; asks for a list if one is due. Raises what the list raises."""
        now = self._clock.monotonic()
        interval = LIST_INTERVAL if self.streaming else POLL_INTERVAL
        if self._listed_at is None or now - self._listed_at >= interval:
            with self._changed:
                since = self._table.revision
            self._listed_at = now  # before the list: the stream may ask for another while it is under way
            try:
                listed = self._source.list()
            except Exception:
                self._listed_at = None
                raise
            with self._changed:
                self._table.replace(listed, since)
            # A stream that matches nothing sends no headers, and a proxy ends it with an error: not opened then.
            if listed and self._thread.ident is None:
                self._thread.start()
        with self._changed:
            self._seen = self._table.revision
            return self._table.applications

    def wait(self, seconds: float) -> None:
        """Return when something has changed since the last look, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._table.revision != self._seen, seconds)

    # --- in the thread of its own ---

    def _follow(self) -> None:
        pause = BACKOFF[0]
        while not self._closed.is_set():
            try:
                if self._read_stream():
                    pause = BACKOFF[0]
            except (GatehouseError, OSError, ValueError, LookupError, TypeError):
                # Cut, refused, or saying what is no event: the lists go on meanwhile, and tell what is wrong.
                pass
            self.streaming = False
            self._closed.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            pause = min(pause * 2, BACKOFF[1])

    def _read_stream(self) -> bool:
        """Read until the stream ends; whether it ever said anything."""
        stream = self._source.open()
        with self._changed:
            self._stream = stream
        try:
            with contextlib.closing(stream):
                if self._closed.is_set():
                    return False
                for event in stream.events():
                    if not self.streaming:
                        # What happened between the last list and the first event is asked for once more.
                        self._listed_at = None
                        self.streaming = True
                    if event is not None:
                        with self._changed:
                            if self._table.apply(*event):
                                self._changed.notify_all()
        finally:
            with self._changed:
                self._stream = None
        return self.streaming
