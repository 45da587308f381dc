"""Opens WebSockets, and says whose certificates are trusted."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager
from urllib.parse import urlencode

import certifi
from websockets.sync.client import ClientConnection, reconnect

#: Bytes of one message, as in Coder's own client.
MESSAGE_LIMIT = 4 * 1024 * 1024

#: Seconds that closing waits for the other side.
CLOSE_TIMEOUT = 1.0


def open_socket(
    address: str,
    query: Mapping[str, str | int] | None,
    headers: Mapping[str, str],
    trust: ssl.SSLContext | None,
    timeout: float,
) -> AbstractContextManager[ClientConnection]:
    """A WebSocket at `address`, as a context manager; `timeout` for opening, in seconds.

    Raises `InvalidStatus` for any other answer than an upgrade, a redirect as well, and what websockets raises.
    """
    return _WithoutRedirects(
        f"{address}?{urlencode(query)}" if query else address,
        additional_headers=headers,
        open_timeout=timeout,
        close_timeout=CLOSE_TIMEOUT,
        max_size=MESSAGE_LIMIT,
        ssl=trust,
    )


class _WithoutRedirects(reconnect):
    """Goes where it is told and nowhere else: websockets follows redirects, and takes the token along."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Never another address."""
        return exc


def default_trust() -> ssl.SSLContext:
    """What requests and WebSockets trust alike: this machine's authorities and, unless told which, the well-known."""
    trust = ssl.create_default_context()
    if not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & set(os.environ):
        trust.load_verify_locations(certifi.where())
    return trust
