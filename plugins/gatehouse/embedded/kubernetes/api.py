"""The Kubernetes API over HTTP: discovery, objects, watches, tables, logs, exec, access reviews."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded import clock
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.access import Identity
from gatehouse.embedded.kubernetes.containers import current_log, followed_log
from gatehouse.embedded.kubernetes.exec import serve_exec
from gatehouse.embedded.kubernetes.faults import ServerFaults, refusing
from gatehouse.embedded.kubernetes.kinds import KINDS, POD, Kind, Object
from gatehouse.embedded.kubernetes.kubelet import Kubelet
from gatehouse.embedded.kubernetes.lists import list_of, page_of
from gatehouse.embedded.kubernetes.pod_network import PodNetwork
from gatehouse.embedded.kubernetes.store import (
    ApiError,
    Change,
    ObjectStore,
    field_selector,
    label_selector,
)

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
SERVER_VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.1", "platform": "linux/amd64"}


class KubernetesApi:
    """The API server. `tokens` says which bearer token is whose."""

    def __init__(
        self, store: ObjectStore, kubelet: Kubelet, network: PodNetwork, owner: ProcessOwner
    ) -> None:
        self._store = store
        self._kubelet = kubelet
        self._network = network
        self._owner = owner
        self.tokens: dict[str, Identity] = {}
        self._evictions: set[asyncio.Task[None]] = set()
        self.faults = ServerFaults()

    def application(self) -> ASGIApp:
        """The ASGI application."""
        return refusing(self._application(), self.faults)

    def _application(self) -> Starlette:
        collections = [
            pattern
            for kind in KINDS
            for pattern in (
                [f"{kind.path}/namespaces/{{namespace}}/{kind.plural}"] if kind.namespaced else []
            )
            + [f"{kind.path}/{kind.plural}"]
        ]
        pods = "/api/v1/namespaces/{namespace}/pods/{name}"
        routes: list[BaseRoute] = [
            Route("/version", lambda _request: JSONResponse(SERVER_VERSION)),
            Route("/healthz", lambda _request: PlainTextResponse("ok")),
            Route("/readyz", lambda _request: PlainTextResponse("ok")),
            Route("/api", self._core_versions),
            Route("/apis", self._groups),
            Route(f"{pods}/log", self._log),
            WebSocketRoute(f"{pods}/exec", self._exec),
            Route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", self._review, methods=["POST"]),
        ]
        versions = {(kind.path, kind.group, kind.version) for kind in KINDS}
        versions.add(("/apis/authorization.k8s.io/v1", "authorization.k8s.io", "v1"))
        routes += [Route(path, self._resources) for path, _, _ in sorted(versions)]
        for pattern in collections:
            routes.append(Route(pattern, self._collection, methods=["GET", "POST", "DELETE"]))
            routes += [
                Route(pattern + suffix, self._single, methods=["GET", "PUT", "PATCH", "DELETE"])
                for suffix in ("/{name}", "/{name}/status")
            ]
        return Starlette(
            routes=routes, exception_handlers={ApiError: _on_api_error, HTTPException: _on_http_error}
        )

    # --- who asks, and for what ----------------------------------------------------------------------

    def _identify(self, connection: HTTPConnection) -> Identity:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        identity = None
        if scheme.lower() == "bearer":
            identity = self.tokens.get(token) or self._kubelet.service_accounts.identity(token)
        if identity is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return identity

    def _kind(self, request: HTTPConnection) -> tuple[Kind, str]:
        """The kind a path is about, and its namespace (empty for all)."""
        namespace = request.path_params.get("namespace", "")
        path = request.url.path
        for kind in KINDS:
            scope = f"{kind.path}/namespaces/{namespace}/" if namespace else f"{kind.path}/"
            rest = path.removeprefix(scope)
            if rest != path and rest.split("/")[0] == kind.plural:
                return kind, namespace
        raise ApiError(404, "NotFound", "the server could not find the requested resource")

    # --- discovery -----------------------------------------------------------------------------------

    async def _core_versions(self, _request: Request) -> Response:
        return JSONResponse({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})

    async def _groups(self, _request: Request) -> Response:
        groups = {kind.group: kind.version for kind in KINDS if kind.group} | {"authorization.k8s.io": "v1"}
        described = [
            {
                "name": group,
                "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
                "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
            }
            for group, version in sorted(groups.items())
        ]
        return JSONResponse({"kind": "APIGroupList", "apiVersion": "v1", "groups": described})

    async def _resources(self, request: Request) -> Response:
        resources: list[Object] = []
        for kind in KINDS:
            if kind.path != request.url.path.rstrip("/"):
                continue
            entry = {
                "name": kind.plural,
                "singularName": kind.name.lower(),
                "namespaced": kind.namespaced,
                "kind": kind.name,
                "verbs": VERBS,
                "shortNames": list(kind.short_names),
            }
            resources.append(entry)
        if request.url.path.startswith("/api/v1"):
            for name, verbs in (("pods/log", ["get"]), ("pods/exec", ["create", "get"])):
                resources.append(
                    {"name": name, "singularName": "", "namespaced": True, "kind": "Pod", "verbs": verbs}
                )
        if request.url.path.startswith("/apis/authorization.k8s.io/"):
            review = {"name": "selfsubjectaccessreviews", "singularName": "selfsubjectaccessreview"}
            resources.append(
                {**review, "namespaced": False, "kind": "SelfSubjectAccessReview", "verbs": ["create"]}
            )
        version = request.url.path.removeprefix("/apis/").removeprefix("/api/").strip("/")
        return JSONResponse(
            {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}
        )

    # --- collections ---------------------------------------------------------------------------------

    async def _collection(self, request: Request) -> Response:
        identity = self._identify(request)
        kind, namespace = self._kind(request)
        if request.method == "POST":
            identity.require("create", kind.group, kind.plural, namespace)
            item = await _body(request)
            if kind.first_status is not None:
                item.pop("status", None)
            if "dryRun" in request.query_params:
                return JSONResponse(item, 201)
            return JSONResponse(self._store.create(kind, item, namespace), 201)
        labels = request.query_params.get("labelSelector", "")
        fields = request.query_params.get("fieldSelector", "")
        label_selector(labels)
        if request.method == "DELETE":
            identity.require("deletecollection", kind.group, kind.plural, namespace)
            for item in self._store.select(kind, namespace or None, labels, fields):
                self._store.delete(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
            return JSONResponse({"kind": "Status", "apiVersion": "v1", "status": "Success"})
        if request.query_params.get("watch") in ("true", "1"):
            identity.require("watch", kind.group, kind.plural, namespace)
            return self._watch(request, kind, namespace, labels, fields)
        identity.require("list", kind.group, kind.plural, namespace)
        items = self._store.select(kind, namespace or None, labels, fields)
        accept = request.headers.get("accept", "")
        if "as=Table" in accept:
            return JSONResponse(_table(kind, items, self._store.version))
        limit, token = request.query_params.get("limit") or 0, request.query_params.get("continue", "")
        page, metadata = page_of(items, int(limit), token, self._store.version)
        return JSONResponse(list_of(kind, page, metadata, accept))

    def _watch(self, request: Request, kind: Kind, namespace: str, labels: str, fields: str) -> Response:
        parameters = request.query_params
        version = int(parameters.get("resourceVersion") or 0)
        as_table = "as=Table" in request.headers.get("accept", "")
        matches_labels, matches_fields = label_selector(labels), field_selector(fields)

        def matches(item: Object) -> bool:
            in_namespace = not namespace or item["metadata"].get("namespace") == namespace
            return in_namespace and matches_labels(item) and matches_fields(item)

        def line(type_: str, item: Object) -> bytes:
            shown = _table(kind, [item], self._store.version) if as_table else item
            return json.dumps({"type": type_, "object": shown}).encode() + b"\n"

        async def stream() -> AsyncIterator[bytes]:
            sent: set[str] = set()
            since = version
            if not version:
                since = self._store.version
                for item in filter(matches, self._store.select(kind)):
                    sent.add(item["metadata"]["uid"])
                    yield line("ADDED", item)
            try:
                async with asyncio.timeout(float(parameters.get("timeoutSeconds") or 1800)):
                    async for change in self._store.watch(kind, since):
                        if type_ := _seen_as(change, matches(change.item), sent, bool(version)):
                            yield line(type_, change.item)
            except TimeoutError:
                return
            except ApiError as error:
                yield json.dumps({"type": "ERROR", "object": error.status()}).encode() + b"\n"

        return StreamingResponse(stream(), media_type="application/json")

    # --- one object ----------------------------------------------------------------------------------

    async def _single(self, request: Request) -> Response:
        identity = self._identify(request)
        kind, namespace = self._kind(request)
        name = request.path_params["name"]
        verb = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[request.method]
        identity.require(verb, kind.group, kind.plural, namespace, name)
        if request.method == "DELETE":
            options = await _body(request) if await request.body() else {}
            chosen = request.query_params.get("propagationPolicy") or options.get("propagationPolicy")
            meant = (options.get("preconditions") or {}).get("uid", "")
            return JSONResponse(self._store.delete(kind, namespace, name, chosen or "Background", meant))
        present = self._store.get(kind, namespace, name)
        if request.method == "GET":
            if "as=Table" in request.headers.get("accept", ""):
                return JSONResponse(_table(kind, [present], self._store.version))
            return JSONResponse(present)
        if request.method == "PUT":
            item = await _body(request)
        else:
            media_type = request.headers.get("content-type", "").split(";")[0]
            if media_type not in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
                raise _unsupported(
                    f"{media_type}: accepted media types include: "
                    "application/merge-patch+json, application/strategic-merge-patch+json"
                )
            item = merge_patch(present, await _body(request))
        if request.url.path.endswith("/status"):
            item = {**present, "status": item.get("status", {})}
        elif kind.first_status is not None:
            item["status"] = present["status"]
        item.setdefault("metadata", {}).update(
            {"name": name} | ({"namespace": namespace} if namespace else {})
        )
        return JSONResponse(self._store.update(kind, item))

    # --- pods ----------------------------------------------------------------------------------------

    async def _log(self, request: Request) -> Response:
        namespace, name = request.path_params["namespace"], request.path_params["name"]
        self._identify(request).require("get", "", "pods/log", namespace, name)
        pod = self._store.get(POD, namespace, name)
        container_name = request.query_params.get("container") or pod["spec"]["containers"][0]["name"]
        running = self._kubelet.pods.get(pod["metadata"]["uid"])
        container = running.containers.get(container_name) if running else None
        if container is None:
            message = f'container "{container_name}" in pod "{name}" is waiting to start: ContainerCreating'
            raise ApiError(400, "BadRequest", message)
        if _is_true(request.query_params.get("follow")):
            return StreamingResponse(followed_log(container), media_type="text/plain")
        previous = request.query_params.get("previous") in ("true", "1")
        log = container.previous_log if previous else current_log(container)
        if tail := request.query_params.get("tailLines"):
            log = b"".join(log.splitlines(keepends=True)[-int(tail) :])
        return Response(log, media_type="text/plain")

    async def _exec(self, socket: WebSocket) -> None:
        namespace, name = socket.path_params["namespace"], socket.path_params["name"]
        try:
            # kubectl asks with the verb create, WebSocket clients with get; either right is enough here.
            identity = self._identify(socket)
            if not identity.may("create", "pods/exec", namespace):
                identity.require("get", "", "pods/exec", namespace, name)
            pod = self._store.get(POD, namespace, name)
            running = self._kubelet.pods.get(pod["metadata"]["uid"])
            wanted = socket.query_params.get("container") or pod["spec"]["containers"][0]["name"]
            container = running.containers.get(wanted) if running else None
            if container is None or container.process is None or container.process.returncode is not None:
                message = f'unable to upgrade connection: container not found ("{wanted}")'
                raise ApiError(500, "InternalError", message)
        except ApiError as error:
            await socket.send_denial_response(JSONResponse(error.status(), error.code))
            return
        wants = {each for each in ("stdin", "stdout", "stderr") if _is_true(socket.query_params.get(each))}
        with contextlib.suppress(RuntimeError):  # the client left while we were answering
            argv, network = socket.query_params.getlist("command"), self._network.environment(namespace, name)
            faults = self._kubelet.exec_faults
            if faults.evicts_after is not None:
                self._evict_later(namespace, name, faults.evicts_after)
                faults.evicts_after = None
            await serve_exec(socket, container, argv, wants, self._owner, network, faults)

    def _evict_later(self, namespace: str, name: str, seconds: float) -> None:
        async def evict() -> None:
            await clock.pause(seconds)
            self._kubelet.evict(namespace, name, "The node was low on resource: memory.")

        task = asyncio.create_task(evict())
        self._evictions.add(task)
        task.add_done_callback(self._evictions.discard)

    # --- access --------------------------------------------------------------------------------------

    async def _review(self, request: Request) -> Response:
        identity = self._identify(request)
        review = await _body(request)
        asked = review.get("spec", {}).get("resourceAttributes", {})
        resource = asked.get("resource", "")
        if asked.get("subresource"):
            resource += f"/{asked['subresource']}"
        allowed = identity.may(asked.get("verb", ""), resource, asked.get("namespace", ""))
        review["status"] = {"allowed": allowed, "reason": "" if allowed else "no rule allows it"}
        review.setdefault("metadata", {})
        return JSONResponse(review, 201)


def _seen_as(change: Change, matches: bool, sent: set[str], resumed: bool) -> str | None:
    """How a filtered watch reports a change: an object that stops matching is deleted for its reader."""
    uid = change.item["metadata"]["uid"]
    if change.type == "DELETED" or not matches:
        known = uid in sent or (resumed and matches)
        sent.discard(uid)
        return "DELETED" if known else None
    type_ = "MODIFIED" if change.type == "MODIFIED" and (uid in sent or resumed) else "ADDED"
    sent.add(uid)
    return type_


def _table(kind: Kind, items: list[Object], version: int) -> Object:
    headers = ["Name", *(name.title() for name, _ in kind.columns), "Age"]
    rows = [
        {
            "cells": [
                item["metadata"]["name"],
                *(read(item) for _, read in kind.columns),
                _age(item["metadata"]["creationTimestamp"]),
            ],
            "object": {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": item["metadata"],
            },
        }
        for item in items
    ]
    columns = [
        {
            "name": name,
            "type": "string",
            "format": "name" if name == "Name" else "",
            "description": "",
            "priority": 0,
        }
        for name in headers
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(version)},
        "columnDefinitions": columns,
        "rows": rows,
    }


def _age(created: str) -> str:
    seconds = int((clock.now() - clock.parse(created)).total_seconds())
    return f"{seconds}s" if seconds < 120 else f"{seconds // 60}m"


def merge_patch(present: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    merged = copied(present) if isinstance(present, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _is_true(value: str | None) -> bool:
    return value in ("true", "1", "True")


def _unsupported(why: str) -> ApiError:
    return ApiError(415, "UnsupportedMediaType", f"the body of the request was in an unknown format - {why}")


async def _body(request: Request) -> Object:
    if "protobuf" in request.headers.get("content-type", ""):
        raise _unsupported("only JSON is served here, as for custom resources")
    try:
        body = await request.json()
    except ValueError as error:
        raise ApiError(400, "BadRequest", f"the object provided is unrecognized: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "BadRequest", "the object provided is unrecognized (must be an object)")
    return body


async def _on_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.status(), error.code)


async def _on_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    failure = ApiError(error.status_code, "NotFound", "the server could not find the requested resource")
    return JSONResponse(failure.status(), error.status_code)
