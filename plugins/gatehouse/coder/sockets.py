"""WebSockets: opened, read and written, with the errors of this module only."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

import certifi
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, reconnect

#: Bytes of one message, as in Coder's own client.
MESSAGE_LIMIT = 4 * 1024 * 1024

#: Seconds that closing waits for the other side.
CLOSE_TIMEOUT = 1.0


class SocketClosed(Exception):
    """The other side has ended the connection, or it was cut."""


class NotOpened(Exception):
    """There is no connection; the cause tells why."""


class NotUpgraded(Exception):
    """An answer came in place of the upgrade."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        super().__init__(str(status))
        self.status = status
        self.headers = headers
        self.body = body


class Socket:
    """An open WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        answer = connection.response
        #: The headers of the answer that opened it.
        self.headers = list(answer.headers.raw_items()) if answer else []

    def send(self, message: str | bytes) -> None:
        """Send text or bytes. Raises `SocketClosed`."""
        try:
            self._connection.send(message)
        except ConnectionClosed as error:
            raise SocketClosed(str(error)) from error

    def receive(self, timeout: float) -> str | bytes:
        """The next message, within so many seconds. Raises `TimeoutError`, `SocketClosed`."""
        try:
            return self._connection.recv(timeout=timeout)
        except ConnectionClosed as error:
            raise SocketClosed(str(error)) from error


@contextmanager
def open_socket(
    address: str,
    query: Mapping[str, str | int] | None,
    headers: Mapping[str, str],
    trust: ssl.SSLContext | None,
    timeout: float,
) -> Iterator[Socket]:
    """A WebSocket at `address`; `timeout` for opening, in seconds.

    Raises `NotUpgraded` for any other answer than an upgrade, a redirect as well, and `NotOpened`.
    """
    opening = _WithoutRedirects(
        f"{address}?{urlencode(query)}" if query else address,
        additional_headers=headers,
        open_timeout=timeout,
        close_timeout=CLOSE_TIMEOUT,
        max_size=MESSAGE_LIMIT,
        ssl=trust,
    )
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(opening)
        except InvalidStatus as error:
            answer = error.response
            body = (answer.body or b"").decode(errors="replace")
            raise NotUpgraded(answer.status_code, list(answer.headers.raw_items()), body) from error
        except (OSError, WebSocketException) as error:
            raise NotOpened(str(error)) from error
        yield Socket(connection)


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
