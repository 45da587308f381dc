"""Argo CD's REST API as its gateway serves it, event stream included."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gatehouse.embedded.argocd.accounts import (
    INTERNAL,
    INVALID_ARGUMENT,
    NOT_FOUND,
    PERMISSION,
    UNAUTHENTICATED,
    Account,
    Accounts,
    RpcError,
)
from gatehouse.embedded.argocd.api_faults import ApiFaults, FaultyProxy
from gatehouse.embedded.argocd.applications import REFRESH
from gatehouse.embedded.argocd.faults import Faults
from gatehouse.embedded.argocd.health import health_of
from gatehouse.embedded.argocd.pod_logs import pod_logs
from gatehouse.embedded.argocd.tree import resource_tree
from gatehouse.embedded.clock import Timings
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.kinds import APPLICATION, APPLICATION_SET, EVENT, KINDS, Object
from gatehouse.embedded.kubernetes.kubelet import Kubelet
from gatehouse.embedded.kubernetes.store import ApiError, ObjectStore, label_selector

VERSION = "v3.2.1+embedded"
NAMESPACE = "argocd"

#: Seconds the server waits for the controller to take a refresh up.
REFRESH_TIMEOUT = 30.0


class ArgoCDApi:
    """The API server. `accounts` says whose token is whose and what each may see.

    `controller` is what goes wrong in the application controller; the projects' sync windows are part of it.
    """

    def __init__(
        self, store: ObjectStore, accounts: Accounts, timings: Timings, kubelet: Kubelet, controller: Faults
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._timings = timings
        self._kubelet = kubelet
        self._controller = controller
        self.faults = ApiFaults()
        self.version = VERSION

    def application(self) -> Starlette:
        """The ASGI application."""
        one = "/api/v1/applications/{name}"
        return Starlette(
            routes=[
                Route("/healthz", lambda _request: PlainTextResponse("ok")),
                Route("/api/version", self._version),
                Route("/api/v1/session", self._create_session, methods=["POST"]),
                Route("/api/v1/session/userinfo", self._user_info),
                Route("/api/v1/account/can-i/{resource}/{action}/{subresource:path}", self._can_i),
                Route("/api/v1/applications", self._list),
                Route("/api/v1/stream/applications", self._stream),
                Route(f"{one}/resource-tree", self._tree),
                Route(f"{one}/resource", self._resource),
                Route(f"{one}/events", self._events),
                Route(f"{one}/logs", self._logs),
                Route(f"{one}/syncwindows", self._sync_windows),
                Route(f"{one}/operation", self._terminate, methods=["DELETE"]),
                Route(one, self._get),
                Route("/api/v1/applicationsets", self._list_sets),
                Route("/api/v1/applicationsets/{name}", self._get_set),
            ],
            middleware=[Middleware(FaultyProxy, faults=self.faults)],
            exception_handlers={
                RpcError: _on_rpc_error,
                ApiError: _on_api_error,
                HTTPException: _on_http_error,
            },
        )

    # --- sessions ------------------------------------------------------------------------------------

    def _account(self, request: Request) -> Account:
        if request.method != "GET":
            _require_json(request)
        return self._accounts.check(request.headers.get("authorization"), request.cookies.get("argocd.token"))

    async def _version(self, _request: Request) -> Response:
        return JSONResponse({"Version": self.version})

    async def _create_session(self, request: Request) -> Response:
        _require_json(request)
        body = await request.json()
        account = self._accounts.accounts.get(body.get("username", ""))
        if account is None or not account.password or body.get("password") != account.password:
            raise RpcError(UNAUTHENTICATED, "Invalid username or password")
        return JSONResponse({"token": self._accounts.issue(account.name)})

    async def _user_info(self, request: Request) -> Response:
        try:
            account = self._account(request)
        except RpcError:
            return JSONResponse({})
        return JSONResponse({"loggedIn": True, "username": account.name, "iss": "argocd"})

    async def _can_i(self, request: Request) -> Response:
        account = self._account(request)
        project = request.path_params["subresource"].split("/")[0]
        allowed = account.may(request.path_params["action"], project)
        return JSONResponse({"value": "yes" if allowed else "no"})

    # --- applications --------------------------------------------------------------------------------

    def _find(self, request: Request, action: str = "get") -> Object:
        """One application. A missing one is 403 unless the caller names a project it may read; then 404."""
        account = self._account(request)
        name = request.path_params["name"]
        project = request.query_params.get("project", "")
        namespace = request.query_params.get("appNamespace") or NAMESPACE
        found = self._store.find(APPLICATION, namespace, name)
        if found is None or (project and found["spec"]["project"] != project):
            if project and account.may(action, project):
                raise RpcError(NOT_FOUND, f'applications.argoproj.io "{name}" not found')
            raise PERMISSION
        if not account.may(action, found["spec"]["project"]):
            raise PERMISSION
        return found

    def _selection(self, request: Request, account: Account) -> Callable[[Object], bool]:
        """Whether the query of a list or stream covers an application, and the caller may read it."""
        parameters = request.query_params
        projects = parameters.getlist("projects") + parameters.getlist("project")
        name, namespace = parameters.get("name"), parameters.get("appNamespace")
        try:
            matches = label_selector(parameters.get("selector", ""))
        except ApiError as error:
            raise RpcError(INVALID_ARGUMENT, f"error parsing the selector: {error.message}") from error

        def selected(application: Object) -> bool:
            metadata, project = application["metadata"], application["spec"]["project"]
            return (
                matches(application)
                and account.may("get", project)
                and (not projects or project in projects)
                and name in (None, metadata["name"])
                and namespace in (None, "", metadata["namespace"])
            )

        return selected

    async def _list(self, request: Request) -> Response:
        selected = self._selection(request, self._account(request))
        items = [
            self.faults.padded(_cleaned(each)) for each in self._store.select(APPLICATION) if selected(each)
        ]
        return JSONResponse({"metadata": {"resourceVersion": str(self._store.version)}, "items": items})

    async def _get(self, request: Request) -> Response:
        application = self._find(request)
        if request.query_params.get("refresh"):
            application = await self._refresh(application, request.query_params["refresh"])
        return JSONResponse(self._with_health(application))

    async def _refresh(self, application: Object, kind: str) -> Object:
        metadata = application["metadata"]
        metadata.setdefault("annotations", {})[REFRESH] = kind
        metadata.pop("resourceVersion")
        self._store.update(APPLICATION, application)
        version = 0
        try:
            async with asyncio.timeout(REFRESH_TIMEOUT):
                while True:
                    version = await self._store.changed_since(version)
                    present = self._store.find(APPLICATION, metadata["namespace"], metadata["name"])
                    if present is None:
                        raise PERMISSION
                    if REFRESH not in present["metadata"].get("annotations", {}):
                        return present
        except TimeoutError:
            raise RpcError(INTERNAL, "application refresh deadline exceeded") from None

    def _with_health(self, application: Object) -> Object:
        """Single reads and the stream carry each resource's health; lists do not (3.x)."""
        shown = _cleaned(application)
        for entry in shown.get("status", {}).get("resources", []):
            for kind in KINDS if "health" not in entry else ():
                if (kind.name, kind.group) == (entry["kind"], entry.get("group", "")):
                    health = health_of(self._store.find(kind, entry.get("namespace", ""), entry["name"]))
                    if health:
                        entry["health"] = {"status": health[0]} | (
                            {"message": health[1]} if health[1] else {}
                        )
        return self.faults.padded(shown)

    async def _tree(self, request: Request) -> Response:
        application = self._find(request)
        return JSONResponse(resource_tree(self._store, application["metadata"]["name"]))

    async def _resource(self, request: Request) -> Response:
        application = self._find(request)
        parameters = request.query_params
        for wanted in ("resourceName", "version", "kind"):
            if not parameters.get(wanted):
                raise RpcError(INVALID_ARGUMENT, f"{wanted} is required")
        nodes = resource_tree(self._store, application["metadata"]["name"])["nodes"]
        for node in nodes:
            named = (node["kind"], node["name"]) == (parameters["kind"], parameters["resourceName"])
            if named and node.get("namespace", "") == parameters.get("namespace", node.get("namespace", "")):
                item = copied(self._store.by_uid(node["uid"])) or {}
                if item.get("kind") == "Secret":
                    item["data"] = dict.fromkeys(item.get("data", {}), "++++++++")
                return JSONResponse({"manifest": json.dumps(item)})
        kind, name = parameters["kind"], parameters["resourceName"]
        raise RpcError(INVALID_ARGUMENT, f"{kind} {name} not found as part of application")

    async def _events(self, request: Request) -> Response:
        application = self._find(request)
        parameters = request.query_params
        uid = parameters.get("resourceUID") or application["metadata"]["uid"]
        tree = resource_tree(self._store, application["metadata"]["name"])["nodes"]
        if parameters.get("resourceUID") and uid not in {node["uid"] for node in tree}:
            raise RpcError(
                INVALID_ARGUMENT, f"{parameters.get('resourceName')} not found as part of application"
            )
        events = [each for each in self._store.select(EVENT) if each["involvedObject"]["uid"] == uid]
        return JSONResponse({"metadata": {}, "items": events})

    async def _logs(self, request: Request) -> Response:
        sse = request.headers.get("accept") == "text/event-stream"
        try:
            application = self._find(request, "logs")
        except RpcError as error:
            return _stream_error(error, sse)
        entries = pod_logs(self._store, self._kubelet, application["metadata"]["name"], request.query_params)
        return StreamingResponse(
            iter([_frame(entry, sse) for entry in entries]),
            media_type="text/event-stream" if sse else "application/json",
        )

    async def _sync_windows(self, request: Request) -> Response:
        application = self._find(request)
        schedule = self._controller.closed_windows.get(application["metadata"]["name"])
        if schedule is None:  # empty lists are left out
            return JSONResponse({"canSync": True})
        windows = [{"kind": "deny", "schedule": schedule, "duration": "24h", "manualSync": False}]
        return JSONResponse({"activeWindows": windows, "assignedWindows": windows, "canSync": False})

    async def _terminate(self, request: Request) -> Response:
        application = self._find(request, "sync")
        if "operation" not in application:
            raise RpcError(INVALID_ARGUMENT, "Unable to terminate operation. No operation is in progress")
        application["status"]["operationState"]["phase"] = "Terminating"
        self._store.update(APPLICATION, application)
        return JSONResponse({})

    # --- the event stream ----------------------------------------------------------------------------

    async def _stream(self, request: Request) -> Response:
        sse = request.headers.get("accept") == "text/event-stream"
        try:
            selected = self._selection(request, self._account(request))
        except RpcError as error:
            return _stream_error(error, sse)
        events = self._application_events(request.query_params, selected)
        # The gateway sends no headers before the first message, and its keepalives start only after it.
        first = await _first_or_disconnect(request, events)
        if first is None:
            return PlainTextResponse("", 499)
        return StreamingResponse(
            self._framed(first, events, sse), media_type="text/event-stream" if sse else "application/json"
        )

    async def _application_events(
        self, parameters: QueryParams, selected: Callable[[Object], bool]
    ) -> AsyncIterator[Object]:
        since = self._store.version
        if parameters.get("name") or not parameters.get("resourceVersion"):
            for application in filter(selected, self._store.select(APPLICATION)):
                yield {"type": "ADDED", "application": self._with_health(application)}
        async for change in self._store.watch(APPLICATION, since):
            # An application whose labels stop matching sends nothing at all, not even DELETED.
            if selected(change.item):
                yield {"type": change.type, "application": self._with_health(change.item)}

    async def _framed(self, first: Object, events: AsyncIterator[Object], sse: bool) -> AsyncIterator[bytes]:
        last: dict[str, Object] = {}
        upcoming: asyncio.Task[Object] | None = None
        event = first
        try:
            while True:
                name = event["application"]["metadata"]["name"]
                if last.get(name) != event:  # consecutive identical payloads of one application are dropped
                    last[name] = event
                    yield _frame({"result": event}, sse)
                upcoming = asyncio.ensure_future(_next(events))
                while not (await asyncio.wait({upcoming}, timeout=self._timings.stream_keepalive))[0]:
                    if sse:
                        yield b":\n"
                event = upcoming.result()
        finally:
            if upcoming:
                upcoming.cancel()

    # --- application sets ----------------------------------------------------------------------------

    async def _list_sets(self, request: Request) -> Response:
        account = self._account(request)
        sets = self._store.select(APPLICATION_SET, labels=request.query_params.get("selector", ""))
        return JSONResponse(
            {
                "metadata": {"resourceVersion": str(self._store.version)},
                "items": [_cleaned(each) for each in sets if account.may_get_set(each)],
            }
        )

    async def _get_set(self, request: Request) -> Response:
        account = self._account(request)
        name = request.path_params["name"]
        found = self._store.find(APPLICATION_SET, NAMESPACE, name)
        if found is None:
            raise RpcError(NOT_FOUND, f'applicationsets.argoproj.io "{name}" not found')
        if not account.may_get_set(found):
            raise PERMISSION
        return JSONResponse(_cleaned(found))


def _frame(message: Object, sse: bool) -> bytes:
    line = json.dumps(message)
    return f"data: {line} \n\n".encode() if sse else f"{line}\n".encode()


async def _next(events: AsyncIterator[Object]) -> Object:
    return await anext(events)


async def _first_or_disconnect(request: Request, events: AsyncIterator[Object]) -> Object | None:
    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    first, disconnected = asyncio.ensure_future(_next(events)), asyncio.ensure_future(gone())
    await asyncio.wait({first, disconnected}, return_when=asyncio.FIRST_COMPLETED)
    for task in (first, disconnected):
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return first.result() if first.done() and not first.cancelled() else None


def _cleaned(item: Object) -> Object:
    """A copy without the server's own bookkeeping and without the type, which the gateway's objects lack."""
    shown = copied(item)
    shown.pop("apiVersion", None)
    shown.pop("kind", None)
    return shown


def _require_json(request: Request) -> None:
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise HTTPException(415, "Invalid content type")


def _stream_error(error: RpcError, sse: bool) -> Response:
    body = json.dumps(
        {
            "error": {
                "grpc_code": error.code,
                "http_code": error.http_status,
                "message": error.message,
                "http_status": {401: "Unauthorized", 403: "Forbidden"}.get(error.http_status, "Error"),
            }
        }
    )
    return Response(f"data: {body}" if sse else body, error.http_status, media_type="application/json")


async def _on_rpc_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RpcError)
    return JSONResponse(
        {"error": error.message, "code": error.code, "message": error.message}, error.http_status
    )


async def _on_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse({"error": error.message, "code": INTERNAL, "message": error.message}, 500)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Below an unknown path a browser gets the user interface, with 200; everyone else a bare 404."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and "text/html" in request.headers.get("accept", ""):
        return HTMLResponse("<!doctype html><html><head><title>Argo CD</title></head></html>")
    return PlainTextResponse(error.detail, error.status_code)
