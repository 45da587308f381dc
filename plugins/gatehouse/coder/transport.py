"""Requests to a deployment: sent, classified, and repeated where that is safe.

Only reads are repeated. What changes something is sent again only if the server refused it for the number of
requests (429), so that it did nothing. Whoever asks for a change whose answer is lost looks up what became of it
(see `creation`).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, TypeVar

import httpx

from gatehouse.coder.answers import problem
from gatehouse.coder.calls import Call
from gatehouse.coder.connection import connection_problem
from gatehouse.coder.observed import Observed
from gatehouse.coder.patience import RATE_LIMIT_BUDGET, Patience
from gatehouse.coder.shapes import parsed
from gatehouse.coder.sockets import NotOpened, NotUpgraded, Socket, default_trust, open_socket
from gatehouse.core.deadline import Clock
from gatehouse.core.errors import GatehouseError, UnexpectedAnswer

Answer = TypeVar("Answer")
Query = Mapping[str, str | int]

#: An answer as it came, and what takes the place of the network in tests.
RawAnswer = httpx.Response
Network = httpx.BaseTransport

TOKEN_HEADER = "Coder-Session-Token"  # noqa: S105 - the header's name

#: Seconds one request may take, and one to a server that has answered nothing for a whole budget.
REQUEST_TIMEOUT = 15.0
SILENT_TIMEOUT = 2.0


class Transport:
    """Sends calls to the deployment at `url` with `token`, which goes into a header and nowhere else.

    `network` takes the place of real connections, in tests; `trust` is for certificates that this machine does
    not know. Redirects are never followed.
    """

    def __init__(
        self,
        url: str,
        token: str,
        clock: Clock,
        *,
        network: Network | None = None,
        trust: ssl.SSLContext | None = None,
        rate_limit_budget: float = RATE_LIMIT_BUDGET,
    ) -> None:
        self.url = url.rstrip("/")
        self.clock = clock
        self.observed = Observed()
        #: How long calls are repeated.
        self.patience = Patience(clock, rate_limit_budget)
        #: When the token ends, once somebody has asked.
        self.token_ends: datetime | None = None
        #: How the server names the token in use: a token is `<id>-<secret>`.
        self.key_id = token.partition("-")[0]
        self._token = token
        self._network = network
        self._trust = trust or (default_trust() if self.url.startswith("https:") else None)
        self._http = self._connections()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def now(self) -> datetime:
        """The time as the server has it, with which the times in its answers are to be compared."""
        return self.clock.now() + self.observed.skew

    # --- requests ------------------------------------------------------------------------------------

    def read(self, call: Call, kind: type[Answer], query: Query | None = None, **values: str | int) -> Answer:
        """What a call answers, as `kind`. Repeats what may pass by itself, within the budget.

        Raises the error that the answer stands for, `Unreachable`, and `UnexpectedAnswer` for another shape.
        """
        path = call.at(**values)
        return parsed(self._repeated(call, path, query).content, kind, _where(call, path))

    def read_list(
        self, call: Call, item: type[Answer], query: Query | None = None, **values: str | int
    ) -> list[Answer]:
        """What a call answers, as a list of `item`; an empty list is often `null`. Raises as `read`."""
        path = call.at(**values)
        answer = self._repeated(call, path, query)
        if answer.content.strip() == b"null":
            return []
        return parsed(answer.content, list[item], _where(call, path))  # type: ignore[valid-type]

    def body(self, call: Call, query: Query | None = None, **values: str | int) -> RawAnswer:
        """The successful answer to a read, whatever its content type. Raises as `read`."""
        return self._repeated(call, call.at(**values), query, json_expected=False)

    def write(
        self, call: Call, kind: type[Answer], body: object, query: Query | None = None, **values: str | int
    ) -> Answer:
        """Change something, once, and give the answer as `kind`. Raises as `read`.

        On a connection of its own: one that was idle may have been closed by a proxy meanwhile, which would look
        like a lost answer.
        """
        path = call.at(**values)
        with self._connections() as http:
            answer = self.patience.let_through(lambda: self._checked(call, path, query, http=http, json=body))
        return parsed(answer.content, kind, _where(call, path))

    def change(self, call: Call, body: object, query: Query | None = None, **values: str | int) -> None:
        """Change something, once, where the answer says nothing more. Raises as `read`."""
        self.write(call, object, body, query, **values)

    def raw(self, call: Call, path: str, query: Query | None = None) -> RawAnswer:
        """An answer as it came, whatever its status; `path` is the whole path. Raises `Unreachable` only.

        On connections of its own, so that what an app sets as cookies is not sent with other calls.
        """
        with self._connections() as http:
            return self._send(call, path, query, http=http, headers={"Accept": "*/*"})

    def fresh(self, call: Call) -> RawAnswer:
        """A successful answer over a connection of its own, so that a load balancer chooses anew. Raises as `read`."""
        with self._connections() as http:
            return self._checked(call, call.at(), None, http=http)

    @contextmanager
    def stream(self, call: Call, silence: float, **values: str | int) -> Iterator[Iterator[str]]:
        """The lines of server-sent events as they come. Raises as `read`, but repeats nothing.

        After `silence` seconds without a word the stream is taken for lost (`LostAnswer`).
        """
        path = call.at(**values)
        where = _where(call, path)
        self.observed.requests[call] += 1
        timeout = httpx.Timeout(REQUEST_TIMEOUT, read=silence)
        try:
            with self._http.stream(
                "GET", path, headers={"Accept": "text/event-stream"}, timeout=timeout
            ) as answer:
                self._note(call, answer.headers)
                if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                    answer.read()
                    raise self._problem(where, answer, json_expected=True) or UnexpectedAnswer(
                        "Coder sends no events", seen=answer.text[:200], where=where
                    )
                yield answer.iter_lines()
        except httpx.RequestError as error:
            raise self._clean(connection_problem(error, self.url, where)) from error

    @contextmanager
    def socket(
        self,
        call: Call,
        query: Query | None = None,
        *,
        timeout: float = REQUEST_TIMEOUT,
        below: str = "",
        **values: str | int,
    ) -> Iterator[Socket]:
        """An open WebSocket; `below` is more of the path, `timeout` for opening in seconds. Raises as `read`."""
        path = call.at(**values) + below
        where = _where(call, path)
        self.observed.requests[call] += 1
        address = self.url.replace("http", "ws", 1) + path
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(
                    open_socket(
                        address, query, {TOKEN_HEADER: self._token}, self._trust, self._timeout(timeout)
                    )
                )
            except NotUpgraded as error:
                raise self._not_upgraded(call, where, error) from error
            except NotOpened as error:
                raise self._clean(connection_problem(error, self.url, where)) from error
            self._note(call, httpx.Headers(opened.headers))
            yield opened

    # --- how -----------------------------------------------------------------------------------------

    def _connections(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            timeout=REQUEST_TIMEOUT,
            transport=self._network,
            verify=self._trust or False,  # nothing to verify without TLS
            headers={TOKEN_HEADER: self._token, "Accept": "application/json"},
            follow_redirects=False,
        )

    def _timeout(self, seconds: float) -> float:
        return min(seconds, SILENT_TIMEOUT) if self.patience.silent else seconds

    def _repeated(
        self, call: Call, path: str, query: Query | None, *, json_expected: bool = True
    ) -> RawAnswer:
        return self.patience.repeated(lambda: self._checked(call, path, query, json_expected=json_expected))

    def _checked(
        self, call: Call, path: str, query: Query | None, *, json_expected: bool = True, **arguments: Any
    ) -> RawAnswer:
        answer = self._send(call, path, query, **arguments)
        if found := self._problem(_where(call, path), answer, json_expected=json_expected):
            raise found
        return answer

    def _send(
        self,
        call: Call,
        path: str,
        query: Query | None,
        *,
        http: httpx.Client | None = None,
        **arguments: Any,
    ) -> RawAnswer:
        self.observed.requests[call] += 1
        try:
            answer = (http or self._http).request(
                call.method,
                path,
                params=dict(query) if query else None,
                timeout=self._timeout(REQUEST_TIMEOUT),
                **arguments,
            )
        except httpx.RequestError as error:
            raise self._clean(connection_problem(error, self.url, _where(call, path))) from error
        if answer.status_code < 500:
            self.patience.answered(limited=answer.status_code == 429)
        self._note(call, answer.headers)
        return answer

    def _note(self, call: Call, headers: httpx.Headers) -> None:
        self.observed.note(call, headers, self.clock.now())

    def _problem(self, where: str, answer: httpx.Response, *, json_expected: bool) -> GatehouseError | None:
        found = problem(
            where,
            answer.status_code,
            answer.headers,
            answer.text if json_expected or answer.status_code >= 300 else "",
            json_expected=json_expected,
            token_ended=self._token_ended(),
        )
        return self._clean(found) if found else None

    def _not_upgraded(self, call: Call, where: str, answer: NotUpgraded) -> GatehouseError:
        headers = httpx.Headers(answer.headers)
        self._note(call, headers)
        found = problem(where, answer.status, headers, answer.body, token_ended=self._token_ended())
        return self._clean(
            found
            or UnexpectedAnswer(
                "the connection was not upgraded to a WebSocket",
                expected="101",
                seen=f"{answer.status}: {answer.body[:200]}",
                where=where,
                next_step="have the gateway or proxy in front of Coder pass WebSockets on",
            )
        )

    def _token_ended(self) -> datetime | None:
        return self.token_ends if self.token_ends and self.token_ends <= self.now() else None

    def _clean(self, error: GatehouseError) -> GatehouseError:
        """The error without the token, should a server or proxy have repeated it."""
        if self._token.strip():
            error.seen = error.seen.replace(self._token.strip(), "[token]")
        return error


def _where(call: Call, path: str) -> str:
    """Method and path of a request for messages: no query, which may hold a command."""
    return f"{call.method} {path}"
