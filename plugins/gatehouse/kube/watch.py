"""An answer of the Kubernetes API that goes on: its bytes as they come, and a way to end it from another thread."""

from __future__ import annotations

import contextlib

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from gatehouse.core.errors import Unreachable


class Watch:
    """One response that stays open: the changes of a list, one JSON object a line, or the log of a container."""

    def __init__(self, response: BaseHTTPResponse, request: str) -> None:
        self._response = response
        self._request = request

    def read(self, size: int) -> bytes:
        """What has come, at most `size` bytes; waits for some; nothing once the server has ended the watch.

        Raises `Unreachable` when the watch is cut, here or on the way, or silent beyond its time.
        """
        try:
            return self._response.read1(size)
        except (HTTPError, OSError, ValueError, AttributeError) as error:
            # urllib3 loses its socket when another thread closes it, and trips over that in all of these ways.
            raise Unreachable(
                "the watch was cut", seen=f"{type(error).__name__}: {error}", where=self._request
            ) from error

    def close(self) -> None:
        """End the watch at once; a `read` under way in another thread returns or raises."""
        with contextlib.suppress(OSError, ValueError, RuntimeError, HTTPError):  # ended already
            self._response.shutdown()
        self._response.close()
