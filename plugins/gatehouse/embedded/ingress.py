"""The gateway: a hostname leads through its route and service to a ready pod's process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from gatehouse.embedded.connections import reset
from gatehouse.embedded.forwarding import Forwarder
from gatehouse.embedded.kubernetes.kinds import ENDPOINTS, HTTP_ROUTE, POD, Object
from gatehouse.embedded.kubernetes.kubelet import Kubelet
from gatehouse.embedded.kubernetes.store import ObjectStore


@dataclass
class Window:
    """A time that begins when it is first asked for."""

    seconds: float = math.inf
    _ends: float | None = None

    def is_open(self) -> bool:
        """Whether it has not yet passed."""
        if self._ends is None:
            self._ends = time.monotonic() + self.seconds
        return time.monotonic() < self._ends


@dataclass
class Outage:
    """What the gateway answers in place of a ready pod, and for how long."""

    status: int
    words: str
    window: Window = field(default_factory=Window)


@dataclass
class OldPods:
    """A Service whose pod answers every second request in another's place, and for how long."""

    namespace: str
    service: str
    window: Window
    requests: int = 0


@dataclass
class BrokenJourney:
    """The signed in are answered so often, then with 500 for ever, or not at all: their connection is reset."""

    cookies: tuple[str, ...]
    answers: int
    resets: bool = False


@dataclass
class EdgeFaults:
    """What a scenario makes go wrong, by hostname."""

    down: dict[str, Outage] = field(default_factory=dict)
    old: dict[str, OldPods] = field(default_factory=dict)
    broken: dict[str, BrokenJourney] = field(default_factory=dict)


class Ingress:
    """Answers for every hostname on one port: with a preview's pods, or with what is always there."""

    def __init__(self, store: ObjectStore, kubelet: Kubelet, forwarder: Forwarder) -> None:
        self._store = store
        self._kubelet = kubelet
        self._forwarder = forwarder
        self.faults = EdgeFaults()
        #: What answers for hostnames of the base environment, which are no preview's.
        self.base: dict[str, ASGIApp] = {}
        #: Told the hostname and the path of each request that a pod has answered.
        self.on_answer: list[Callable[[str, str], None]] = []

    def application(self) -> ASGIApp:
        """The ASGI application."""
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        previews = Starlette(routes=[Route("/{path:path}", self._forward, methods=methods)])

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "websocket":
                app = self.base.get(_host(HTTPConnection(scope)), _no_websocket)
                await app(scope, receive, send)
                return
            request = Request(scope)
            host = _host(request)
            outage, journey = self.faults.down.get(host), self.faults.broken.get(host)
            if outage and host in self.base and outage.window.is_open():
                await PlainTextResponse(outage.words, outage.status)(scope, receive, send)
            elif journey and any(name in request.cookies for name in journey.cookies):
                await self._break(journey, previews, (scope, receive, send))
            else:
                await self.base.get(host, previews)(scope, receive, send)

        return answer

    async def _break(
        self, journey: BrokenJourney, app: ASGIApp, connection: tuple[Scope, Receive, Send]
    ) -> None:
        """Answer one of the signed in, if it is not too late for that."""
        _, receive, send = connection
        journey.answers -= 1
        if journey.answers >= 0:
            await app(*connection)
        elif journey.resets:
            await reset(receive, send)
        else:
            await PlainTextResponse("Internal Server Error", 500)(*connection)

    async def _forward(self, request: Request) -> Response:
        host = _host(request)
        route = self._route(host)
        if route is None:
            return Response(status_code=404)  # Envoy's answer for a host without a route has no body
        # The first backend of the first rule is the only one that the sample's routes have.
        service = route["spec"]["rules"][0]["backendRefs"][0]["name"]
        port = self._port(route["metadata"]["namespace"], service)
        if port is None:
            return PlainTextResponse("no healthy upstream", 503)
        outage = self.faults.down.get(host)
        if outage and outage.window.is_open():
            return PlainTextResponse(outage.words, outage.status)
        try:
            answer = await self._forwarder.forward(request, self._chosen(host, port), _raw_path(request))
        except httpx.TransportError as error:
            return PlainTextResponse(f"upstream connect error or disconnect/reset: {error}", 503)
        for listener in self.on_answer:
            listener(host, request.url.path)
        return answer

    def _chosen(self, host: str, port: int) -> int:
        """The port of an old pod, when it is an old pod's turn, else the one given."""
        old = self.faults.old.get(host)
        if old is None or not old.window.is_open():
            return port
        old.requests += 1
        return port if old.requests % 2 else self._port(old.namespace, old.service) or port

    def _route(self, host: str) -> Object | None:
        for route in self._store.select(HTTP_ROUTE):
            conditions = [
                each for parent in route.get("status", {}).get("parents", []) for each in parent["conditions"]
            ]
            accepted = any(each["type"] == "Accepted" and each["status"] == "True" for each in conditions)
            if accepted and host in route["spec"].get("hostnames", []):
                return route
        return None

    def _port(self, namespace: str, service: str) -> int | None:
        """The port of a ready pod of a Service."""
        endpoints = self._store.find(ENDPOINTS, namespace, service) or {}
        for subset in endpoints.get("subsets", []):
            for address in subset["addresses"]:
                pod = self._store.find(POD, namespace, address["targetRef"]["name"])
                running = self._kubelet.pods.get(pod["metadata"]["uid"]) if pod else None
                if running and running.containers:
                    return next(iter(running.containers.values())).port
        return None


async def _no_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """Previews have no WebSockets."""
    await WebSocket(scope, receive, send).send_denial_response(Response(status_code=404))


def _host(request: HTTPConnection) -> str:
    return request.headers.get("host", "").split(":")[0]


def _raw_path(request: Request) -> bytes:
    query = request.url.query
    return bytes(request.scope["raw_path"]) + (f"?{query}".encode() if query else b"")
