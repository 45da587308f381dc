"""Calls to a Coder deployment over HTTP.

Answers are classified before they are believed (see `core.answers`). Only reads are retried: a create or
build whose answer was lost is looked up by its caller, never sent again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from gatehouse.coder.models import (
    Build,
    BuildInfo,
    HealthReport,
    Job,
    LogLine,
    ProvisionerDaemon,
    ScriptTiming,
    Template,
    TemplateParameter,
    TemplateVersion,
    User,
    Workspace,
)
from gatehouse.core.answers import EMBEDDED_SERVER, failure
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import (
    NotFound,
    PermissionDenied,
    Transient,
    UnexpectedAnswer,
    Unreachable,
)

Answer = TypeVar("Answer")

TOKEN_HEADER = "Coder-Session-Token"  # noqa: S105 - the header's name
VERSION_HEADER = "X-Coder-Build-Version"

#: Seconds one request may take, and all attempts of a read together.
REQUEST_TIMEOUT = 15.0
READ_BUDGET = 30.0

#: Pauses between attempts of a read, in seconds; the last one repeats.
RETRY_PAUSES = (0.2, 0.5, 1.0, 2.0)


class PremiumOnly(PermissionDenied):
    """The deployment has no license for this: expected on Community Edition, never a failure."""


class CoderClient:
    """A deployment at `url`, asked with `token`. Use as a context manager, or call `close`."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        clock: Clock = SYSTEM_CLOCK,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`transport` takes the place of the network, in tests."""
        self.url = url.rstrip("/")
        self._token = token
        self._clock = clock
        self._http = httpx.Client(
            base_url=self.url,
            timeout=REQUEST_TIMEOUT,
            transport=transport,
            headers={TOKEN_HEADER: token, "Accept": "application/json"},
        )
        #: Every server version seen on an answer; more than one means that replicas differ.
        self.versions: set[str] = set()
        #: Whether any answer said that it comes from the embedded platform.
        self.embedded = False
        self._silent = False

    def __enter__(self) -> CoderClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # --- the deployment ------------------------------------------------------------------------------

    def healthz(self) -> str:
        """GET /healthz: the body, `OK` when the process is up. Says nothing of migrations (issue 21307)."""
        return self._read_text("/healthz")

    def build_info(self) -> BuildInfo:
        """GET /api/v2/buildinfo; needs no token."""
        return self._read("/api/v2/buildinfo", BuildInfo)

    def first_user_exists(self) -> bool:
        """GET /api/v2/users/first: False means that first-run set-up is open, so the database is empty."""
        try:
            self._read("/api/v2/users/first", dict[str, Any])
        except NotFound:
            return False
        return True

    def auth_methods(self) -> dict[str, Any]:
        """GET /api/v2/users/authmethods; needs no token."""
        return self._read("/api/v2/users/authmethods", dict[str, Any])

    def me(self) -> User:
        """GET /api/v2/users/me."""
        return self._read("/api/v2/users/me", User)

    def health(self) -> HealthReport:
        """GET /api/v2/debug/health?force=true: the report made now, not the cached one.

        Needs `debug_info:read`. A check still under way (404 or 503 "in progress") is asked for again.
        """
        return self._read("/api/v2/debug/health?force=true", HealthReport)

    def entitlements(self) -> dict[str, Any] | None:
        """GET /api/v2/entitlements; None where a Community Edition build has no such route."""
        try:
            return self._read("/api/v2/entitlements", dict[str, Any])
        except NotFound:
            return None

    def experiments(self) -> list[str]:
        """GET /api/v2/experiments."""
        return self._read("/api/v2/experiments", list[str])

    def regions(self) -> list[dict[str, Any]]:
        """GET /api/v2/regions: where path apps are served."""
        answer = self._read("/api/v2/regions", dict[str, list[dict[str, Any]]])
        return answer["regions"]

    def provisioner_daemons(self, organization: str) -> list[ProvisionerDaemon]:
        """GET /api/v2/organizations/{organization}/provisionerdaemons."""
        return self._read(f"/api/v2/organizations/{organization}/provisionerdaemons", list[ProvisionerDaemon])

    def pending_jobs(self, organization: str) -> list[Job]:
        """GET /api/v2/organizations/{organization}/provisionerjobs?status=pending."""
        return self._read(f"/api/v2/organizations/{organization}/provisionerjobs?status=pending", list[Job])

    def templates(self) -> list[Template]:
        """GET /api/v2/templates."""
        return self._read("/api/v2/templates", list[Template])

    def template(self, name: str) -> Template:
        """The template of this name. Raises `NotFound` with the names there are."""
        found = self.templates()
        for template in found:
            if template.name == name:
                return template
        raise NotFound(
            f"Coder has no template {name!r}",
            seen=f"templates: {', '.join(each.name for each in found) or 'none'}",
        )

    def template_version(self, version_id: str) -> TemplateVersion:
        """GET /api/v2/templateversions/{version}."""
        return self._read(f"/api/v2/templateversions/{version_id}", TemplateVersion)

    def parameters(self, version_id: str) -> list[TemplateParameter]:
        """GET /api/v2/templateversions/{version}/rich-parameters."""
        return self._read(f"/api/v2/templateversions/{version_id}/rich-parameters", list[TemplateParameter])

    # --- workspaces ----------------------------------------------------------------------------------

    def create_workspace(
        self,
        name: str,
        *,
        template_version_id: str,
        parameters: Mapping[str, str] | None = None,
        ttl_seconds: float | None = None,
    ) -> Workspace:
        """POST /api/v2/users/me/workspaces; answers 201. Not retried: look up a lost answer by name."""
        body: dict[str, Any] = {
            "name": name,
            "template_version_id": template_version_id,
            "rich_parameter_values": [
                {"name": key, "value": value} for key, value in (parameters or {}).items()
            ],
        }
        if ttl_seconds is not None:
            body["ttl_ms"] = int(ttl_seconds * 1000)
        return self._write("POST", "/api/v2/users/me/workspaces", body, Workspace)

    def create_build(self, workspace_id: str, transition: str) -> Build:
        """POST /api/v2/workspaces/{workspace}/builds with `start`, `stop` or `delete`; answers 201."""
        return self._write(
            "POST", f"/api/v2/workspaces/{workspace_id}/builds", {"transition": transition}, Build
        )

    def workspace(self, workspace_id: str, *, include_deleted: bool = False) -> Workspace:
        """GET /api/v2/workspaces/{workspace}. A deleted one is `NotFound` (410) unless asked for."""
        query = "?include_deleted=true" if include_deleted else ""
        return self._read(f"/api/v2/workspaces/{workspace_id}{query}", Workspace)

    def find_workspace(self, name: str) -> Workspace | None:
        """GET /api/v2/users/me/workspace/{name}; None for one that does not exist or was deleted."""
        try:
            return self._read(f"/api/v2/users/me/workspace/{quote(name)}", Workspace)
        except NotFound:
            return None

    def own_workspaces(self, name_prefix: str) -> list[Workspace]:
        """GET /api/v2/workspaces?q=owner:me name:…; the server matches parts of names, so they are filtered again."""
        query = urlencode({"q": f"owner:me name:{name_prefix}"})
        answer = self._read(f"/api/v2/workspaces?{query}", dict[str, Any])
        found = TypeAdapter(list[Workspace]).validate_python(answer.get("workspaces") or [])
        return [workspace for workspace in found if workspace.name.startswith(name_prefix)]

    def build_log(self, build_id: str) -> list[LogLine]:
        """GET /api/v2/workspacebuilds/{build}/logs."""
        return self._read(f"/api/v2/workspacebuilds/{build_id}/logs", list[LogLine])

    def agent_log(self, agent_id: str) -> list[LogLine]:
        """GET /api/v2/workspaceagents/{agent}/logs."""
        return self._read(f"/api/v2/workspaceagents/{agent_id}/logs", list[LogLine])

    def script_timings(self, workspace_id: str) -> list[ScriptTiming]:
        """GET /api/v2/workspaces/{workspace}/timings: exit codes of start scripts, which arrive a little late."""
        answer = self._read(f"/api/v2/workspaces/{workspace_id}/timings", dict[str, Any])
        return TypeAdapter(list[ScriptTiming]).validate_python(answer.get("agent_script_timings") or [])

    def app(self, workspace: Workspace, slug: str, path: str = "") -> httpx.Response:
        """GET an application through Coder's own proxy, by its path URL; the answer as it came."""
        agent = workspace.agent
        where = f"/@{workspace.owner_name}/{workspace.name}.{agent.name if agent else ''}/apps/{slug}/{path}"
        return self._send("GET", where, headers={"Accept": "*/*"})

    # --- WebSockets ----------------------------------------------------------------------------------

    def echo(self, text: str, timeout: float = 10.0) -> str:
        """Send a message to /api/v2/debug/ws and give what comes back; needs `debug_info:read`."""
        with self._connect("/api/v2/debug/ws", timeout) as socket:
            socket.send(text)
            return str(socket.recv(timeout=timeout))

    def terminal(self, agent_id: str, command: str, reconnect: str, timeout: float = 20.0) -> str:
        """Run a command in a web terminal, /api/v2/workspaceagents/{agent}/pty; what it printed.

        `reconnect` is a fresh UUID. A terminal gives no exit code (see reference: sentinel).
        """
        query = urlencode({"reconnect": reconnect, "command": command, "width": 80, "height": 24})
        deadline = Deadline.after(timeout, self._clock)
        output = b""
        with self._connect(f"/api/v2/workspaceagents/{agent_id}/pty?{query}", timeout) as socket:
            try:
                while True:
                    frame = socket.recv(timeout=deadline.remaining)
                    output += frame if isinstance(frame, bytes) else frame.encode()
            except WebSocketException:
                pass  # the stream ends when the command does
            except TimeoutError as error:
                raise Unreachable(
                    f"the terminal did not end within {timeout:.0f} s", seen=output.decode(errors="replace")
                ) from error
        return output.decode(errors="replace")

    def _connect(self, path: str, timeout: float) -> ClientConnection:
        address = urlsplit(self.url)
        scheme = "wss" if address.scheme == "https" else "ws"
        where = f"{scheme}://{address.netloc}{address.path}{path}"
        shown = f"WebSocket {path.split('?')[0]}"
        try:
            return connect(
                where,
                additional_headers={TOKEN_HEADER: self._token},
                open_timeout=timeout,
                max_size=4 * 1024 * 1024,
            )
        except InvalidStatus as error:
            answer = error.response
            content_type = answer.headers.get("Content-Type", "")
            body = (answer.body or b"").decode(errors="replace")
            raise failure("Coder", shown, answer.status_code, content_type, body) or UnexpectedAnswer(
                "Coder did not upgrade the connection to a WebSocket",
                seen=str(answer.status_code),
                where=shown,
            ) from error
        except (OSError, WebSocketException) as error:
            raise Unreachable("no WebSocket connection to Coder", seen=str(error), where=shown) from error

    # --- requests ------------------------------------------------------------------------------------

    def _read(self, path: str, kind: type[Answer]) -> Answer:
        return self._parsed(self._retried(path, as_text=False), kind, path)

    def _read_text(self, path: str) -> str:
        return self._retried(path, as_text=True).text

    def _retried(self, path: str, *, as_text: bool) -> httpx.Response:
        # Where nobody answered for a whole budget, the next call asks only once: the first told all there is.
        deadline = Deadline.after(0.0 if self._silent else READ_BUDGET, self._clock)
        attempt = 0
        while True:
            try:
                response = self._send("GET", path)
                problem = (
                    None if as_text and response.status_code < 400 else self._failure("GET", path, response)
                )
                if problem is None:
                    return response
                raise problem
            except (Transient, Unreachable) as error:
                pause = RETRY_PAUSES[min(attempt, len(RETRY_PAUSES) - 1)]
                if deadline.remaining <= pause:
                    self._silent = isinstance(error, Unreachable)
                    raise
                self._clock.sleep(pause)
                attempt += 1

    def _write(self, method: str, path: str, body: object, kind: type[Answer]) -> Answer:
        response = self._send(
            method, path, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        if problem := self._failure(method, path, response):
            raise problem
        return self._parsed(response, kind, path)

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **arguments)
        except httpx.TransportError as error:
            # The path's query is left out: it never holds a token, but it may hold a command.
            raise Unreachable(
                f"Coder does not answer at {self.url}",
                seen=f"{type(error).__name__}: {error}",
                where=f"{method} {path.split('?')[0]}",
                next_step="check CODER_URL and that the deployment is up",
            ) from error
        self._silent = False
        if version := response.headers.get(VERSION_HEADER):
            self.versions.add(version)
        self.embedded = self.embedded or response.headers.get("Server") == EMBEDDED_SERVER
        return response

    @staticmethod
    def _failure(method: str, path: str, response: httpx.Response) -> Exception | None:
        problem = failure(
            "Coder",
            f"{method} {path.split('?')[0]}",
            response.status_code,
            response.headers.get("Content-Type", ""),
            response.text,
            response.headers.get("Retry-After", ""),
        )
        if isinstance(problem, PermissionDenied) and "is a Premium feature" in problem.seen:
            return PremiumOnly(
                "this deployment has no license for it", seen=problem.seen, where=problem.where
            )
        if isinstance(problem, NotFound) and "in progress" in problem.seen:
            return Transient("Coder is still working on it", seen=problem.seen, where=problem.where)
        return problem

    @staticmethod
    def _parsed(response: httpx.Response, kind: type[Answer], path: str) -> Answer:
        try:
            return TypeAdapter(kind).validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the answer"
            raise UnexpectedAnswer(
                "Coder's answer does not have the expected shape",
                expected=kind.__name__
                if isinstance(kind, type) and issubclass(kind, BaseModel)
                else str(kind),
                seen=f"{field}: {first['msg']}",
                where=path.split("?")[0],
                next_step="compare the server's version with those Gatehouse supports",
            ) from error
