"""Calls to an Argo CD API server (its REST gateway, HTTP/1.1)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from gatehouse.argocd.follow import ApplicationFollower, Source
from gatehouse.argocd.source import Scope
from gatehouse.argocd.stream import log_text, messages
from gatehouse.argocd.token import TokenSource
from gatehouse.core.answers import EMBEDDED_SERVER, failure
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline, clock_skew
from gatehouse.core.errors import (
    AuthenticationError,
    GatehouseError,
    NotFound,
    PermissionDenied,
    ServerFault,
    Transient,
    UnexpectedAnswer,
    Unreachable,
    UsageError,
)

Object = dict[str, Any]
Query = str | list[str]

#: Seconds one request may take, all attempts of a read together, and between two attempts. Whoever waits for
#: longer shall know why, so that is left to the wait.
REQUEST_TIMEOUT = 15.0
READ_BUDGET = 3.0
RETRY_PAUSE = 0.5

#: A stream that is silent for longer has lost its peer (seconds): keepalives come every 15.
SILENCE_TIMEOUT = 45.0

#: Bytes of an error's body that are read.
ERROR_BYTES = 64 * 1024

#: A refresh blocks until the controller has taken it up; this long at most (seconds).
REFRESH_TIMEOUT = 40.0


class ArgoCDClient:
    """A server at `server`, asked with `token`. Use as a context manager, or call `close`."""

    def __init__(self, server: str, token: str | TokenSource, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.server = server.rstrip("/")
        self.token = TokenSource.fixed(token) if isinstance(token, str) else token
        self._clock = clock
        self._session = requests.Session()
        # With an HTML Accept header a wrong path is answered with the user interface and status 200.
        self._session.headers["Accept"] = "application/json"
        #: Whether any answer said that it comes from the embedded platform.
        self.embedded = False
        self._skew = timedelta()
        #: Where each Application is: servers can have them in any namespace, and look in their own unless told.
        self._namespaces: dict[str, str] = {}

    def __enter__(self) -> ArgoCDClient:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def link(self, application: Object | None) -> str:
        """The page of an Application in Argo CD, or that of all."""
        if application is None:
            return f"{self.server}/applications"
        metadata = application["metadata"]
        return f"{self.server}/applications/{metadata.get('namespace', 'argocd')}/{metadata['name']}"

    def now(self) -> datetime:
        """The time as the server has it, with which the times of its objects are to be compared."""
        return self._clock.now() + self._skew

    def _note_time(self, date: str | None) -> None:
        """Take the server's clock from an answer's `Date`; whole seconds and the way here are no difference."""
        if (skew := clock_skew(date or "", self._clock.now())) is not None:
            self._skew = skew

    def version(self) -> str:
        """GET /api/version; needs no token."""
        return str(self._read("/api/version")["Version"])

    def preflight(self, seconds: float) -> str:
        """Ask for the version and who the token belongs to.

        Warns of a token that ends within `seconds`, and of a server that fails but may recover.

        Raises `AuthenticationError` for a token that is not accepted, and `Unreachable`.
        """
        try:
            self.version()  # a server that is not there at all is said at once, and not after the whole wait
            accepted = self.user_name() is not None or (self.token.renew() and self.user_name() is not None)
        except (Transient, ServerFault) as error:
            return f"{error.summary}: {error.seen}"
        if not accepted:
            ended = f"it ended {self.token.expires_at:%Y-%m-%d %H:%M:%S} UTC" if self.token.expires_at else ""
            raise AuthenticationError(
                "Argo CD does not accept the token",
                seen=ended or "GET /api/v1/session/userinfo says that nobody is logged in",
                where=self.server,
                next_step="make a new token and put it where the target's settings look for it (ARGOCD_AUTH_TOKEN)",
            )
        ends = self.token.expires_at
        left = (ends - self._clock.now()).total_seconds() if ends else float("inf")
        if left >= seconds:
            return ""
        return (
            f"the Argo CD token ends in {left:.0f} s, before the wait may ({seconds:.0f} s); "
            "it is read again from where it came from when it is refused"
        )

    def user_name(self) -> str | None:
        """GET /api/v1/session/userinfo: who the token belongs to, None if the server does not accept it."""
        answer = self._read("/api/v1/session/userinfo")
        return str(answer.get("username")) if answer.get("loggedIn") else None

    def may_read(self, project: str, name: str = "*") -> bool | None:
        """GET /api/v1/account/can-i/applications/get/{project}/{name}: None if the server does not say.

        A narrow permission, such as previews/pr-*, is only found by a name that it covers.
        """
        try:
            value = self._read(f"/api/v1/account/can-i/applications/get/{project}/{name}").get("value")
        except (NotFound, UsageError):
            return None
        return {"yes": True, "no": False}.get(str(value))

    def applications(self, scope: Scope) -> list[Object]:
        """GET /api/v1/applications by label selector and project, from a cache that is milliseconds old.

        Applications by name are read one by one, which tells those that do not exist from those that are forbidden.
        """
        if scope.names:
            found = (self._named(name, scope) for name in scope.names)
            return [each for each in found if each is not None]
        answer = self._read("/api/v1/applications", selector=scope.selector, projects=list(scope.projects))
        items: list[Object] = answer.get("items") or []
        for each in items:
            self.note_namespace(each)
        return items

    def note_namespace(self, application: Object) -> None:
        """Remember where an Application is, for what is asked about it by name."""
        metadata = application["metadata"]
        if namespace := metadata.get("namespace"):
            self._namespaces[metadata["name"]] = namespace

    def _about(self, name: str, project: str) -> dict[str, Query]:
        """The parameters by which a server finds an Application."""
        return {"project": project, "appNamespace": self._namespaces.get(name, "")}

    def _named(self, name: str, scope: Scope) -> Object | None:
        try:
            return self.application(name, scope.projects[0] if scope.projects else "")
        except PermissionDenied as error:
            if not scope.projects:
                error.summary = f"the token may not read the Application {name}, or it does not exist"
                error.next_step = "set argocd.project in gatehouse.yaml: then the server tells which"
            raise

    def follow(self, scope: Scope) -> ApplicationFollower:
        """The Applications that are meant, kept up to date over one event stream."""
        return ApplicationFollower(
            Source(lambda: self.applications(scope), lambda: _EventStream(self, scope)), clock=self._clock
        )

    def open_stream(self, scope: Scope) -> requests.Response:
        """GET /api/v1/stream/applications: server-sent events; returns once the first one is there.

        On a connection of its own, because it stays open. Raises `Unreachable`, and what the server refuses with.
        """
        path = "/api/v1/stream/applications"
        # Only with exactly this Accept header are there keepalives, and no compression that holds events back.
        headers = {"Authorization": f"Bearer {self.token.value}", "Accept": "text/event-stream"}
        query = {"selector": scope.selector, "projects": list(scope.projects)}
        if len(scope.names) == 1:
            query["name"] = scope.names[0]
        try:
            response = requests.get(
                self.server + path,
                params=query,
                headers=headers,
                stream=True,
                timeout=(REQUEST_TIMEOUT, SILENCE_TIMEOUT),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise self._unreachable(path, error) from error
        content_type = response.headers.get("Content-Type", "")
        if response.status_code == 200 and content_type.startswith(("text/event-stream", "application/json")):
            return response
        with response:
            text = response.raw.read(ERROR_BYTES, decode_content=True).decode(errors="replace")
            problem = failure("Argo CD", f"GET {path}", response.status_code, content_type, text)
        raise problem or UnexpectedAnswer(
            "Argo CD answered with no event stream", seen=text, where=f"GET {path}"
        )

    def application(self, name: str, project: str, *, refresh: bool = False) -> Object | None:
        """GET /api/v1/applications/{name}; None if it does not exist.

        `project` is always sent: without it a missing application is answered 403, as if forbidden. A
        `refresh` compares anew before it answers, and falls back to a plain read if the server gives up.
        """
        path = f"/api/v1/applications/{name}"
        try:
            if refresh:
                try:
                    return self._once(path, REFRESH_TIMEOUT, **self._about(name, project), refresh="normal")
                except (Transient, Unreachable, ServerFault, PermissionDenied):
                    pass  # also what is answered for an Application that is deleted meanwhile
            return self._read(path, **self._about(name, project))
        except NotFound:
            return None

    def resource_tree(self, name: str, project: str) -> list[Object]:
        """GET /api/v1/applications/{name}/resource-tree: the nodes."""
        answer = self._read(f"/api/v1/applications/{name}/resource-tree", **self._about(name, project))
        return answer.get("nodes") or []

    def resource(self, name: str, project: str, node: Object) -> Object:
        """GET /api/v1/applications/{name}/resource: the live object behind a node, Secrets masked.

        Raises `NotFound` if it is gone, which the server calls a bad request.
        """
        path = f"/api/v1/applications/{name}/resource"
        query = {"resourceName": node["name"], "version": node["version"], "kind": node["kind"]}
        query |= {"namespace": node.get("namespace", ""), "group": node.get("group", "")}
        try:
            answer = self._read(path, **self._about(name, project), **query)
        except UsageError as error:
            if "not found" not in error.seen:
                raise
            what = f"{node['kind']} {node['name']} of Application {name}"
            raise NotFound(f"{what} is gone", seen=error.seen, where=f"GET {path}") from error
        live: Object = json.loads(answer["manifest"])
        return live

    def log_tail(
        self,
        name: str,
        project: str,
        node: Object,
        container: str = "",
        previous: bool = True,
        lines: int = 20,
    ) -> str:
        """GET /api/v1/applications/{name}/logs of a pod; needs `logs, get`. Empty if it cannot be read."""
        query = {"namespace": node["namespace"], "podName": node["name"], "container": container}
        query |= {"tailLines": str(lines), "previous": "true" if previous else "false"}
        path = f"/api/v1/applications/{name}/logs"
        with contextlib.suppress(GatehouseError):  # 500 as well: there is no previous run, or none yet
            return log_text(self._text(path, REQUEST_TIMEOUT, {**self._about(name, project), **query}))
        return ""

    def sync_windows(self, name: str, project: str) -> Object:
        """GET /api/v1/applications/{name}/syncwindows; empty if they may not be read.

        `canSync` is about syncs by hand; whether auto-sync runs follows from `activeWindows`.
        """
        with contextlib.suppress(NotFound, PermissionDenied):
            return self._read(f"/api/v1/applications/{name}/syncwindows", **self._about(name, project))
        return {}

    def events(self, name: str, project: str, node: Object) -> list[Object]:
        """GET /api/v1/applications/{name}/events of one node of the tree; none if they cannot be read."""
        try:
            answer = self._read(
                f"/api/v1/applications/{name}/events",
                **self._about(name, project),
                resourceName=node["name"],
                resourceNamespace=node.get("namespace", ""),
                resourceUID=node["uid"],
            )
        except (NotFound, PermissionDenied):
            return []
        return answer.get("items") or []

    def application_sets(self) -> list[Object]:
        """GET /api/v1/applicationsets; needs `applicationsets, get`."""
        return self._read("/api/v1/applicationsets").get("items") or []

    def _read(self, path: str, **query: Query) -> Object:
        deadline = Deadline.after(READ_BUDGET, self._clock)
        while True:
            try:
                return self._once(path, REQUEST_TIMEOUT, **query)
            except (Transient, Unreachable):
                if deadline.remaining <= RETRY_PAUSE:
                    raise
                self._clock.sleep(RETRY_PAUSE)

    def _once(self, path: str, timeout: float, **query: Query) -> Object:
        answer: Object = json.loads(self._text(path, timeout, query))
        return answer

    def _text(self, path: str, timeout: float, query: dict[str, Query], *, renewed: bool = False) -> str:
        """The body of an answer. A token that is refused is read anew from where it came from, once."""
        headers = {"Authorization": f"Bearer {self.token.value}"}
        parameters = {key: value for key, value in query.items() if value}
        try:
            response = self._session.get(
                self.server + path,
                params=parameters,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise self._unreachable(path, error) from error
        self.embedded = self.embedded or response.headers.get("Server") == EMBEDDED_SERVER
        self._note_time(response.headers.get("Date"))
        content_type = response.headers.get("Content-Type", "")
        problem = failure("Argo CD", f"GET {path}", response.status_code, content_type, response.text)
        if isinstance(problem, AuthenticationError) and not renewed and self.token.renew():
            return self._text(path, timeout, query, renewed=True)
        if isinstance(problem, AuthenticationError) and self.token.expires_at:
            problem.expected = (
                f"a token that holds (this one ends {self.token.expires_at:%Y-%m-%d %H:%M:%S} UTC)"
            )
        if problem:
            raise problem
        return response.text

    def _unreachable(self, path: str, error: requests.RequestException) -> Unreachable:
        return Unreachable(
            f"Argo CD does not answer at {self.server}",
            seen=_words(error),
            where=f"GET {self.server}{path}",
            next_step="check ARGOCD_SERVER and that the server is up",
        )


def _words(error: requests.RequestException) -> str:
    """What went wrong, without the layers of libraries around it."""
    inner = error.args[0] if error.args else error
    inner = getattr(inner, "reason", inner)
    text = str(inner)
    return f"{type(inner).__name__}: {text.partition('>: ')[2] or text}"


class _EventStream:
    """One open stream of a client's, read as it comes."""

    def __init__(self, client: ArgoCDClient, scope: Scope) -> None:
        self._scope = scope
        self._note = client.note_namespace
        self._response = client.open_stream(scope)

    def events(self) -> Iterator[tuple[str, Object] | None]:
        try:
            for message in messages(self._response.raw.read1):
                if message is None:
                    yield None
                elif problem := message.get("error"):
                    # An error after the headers keeps status 200 and comes as a message (grpc-gateway).
                    words = problem.get("message", "") if isinstance(problem, dict) else str(problem)
                    raise Transient("Argo CD ended the event stream", seen=words)
                else:
                    kind, application = message["result"]["type"], message["result"]["application"]
                    self._note(application)
                    yield (kind, application) if self._scope.covers(application) else None
        except (HTTPError, AttributeError) as error:  # urllib3 loses its socket when another thread closes it
            raise Unreachable("the event stream was cut", seen=f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError, RuntimeError, HTTPError):  # ended already
            self._response.raw.shutdown()
        self._response.close()
