"""The gateway: a hostname leads through its route and service to a ready pod's process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

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
class EdgeFaults:
    """What a scenario makes go wrong, by hostname."""

    down: dict[str, Outage] = field(default_factory=dict)
    old: dict[str, OldPods] = field(default_factory=dict)


class Ingress:
    """Answers for every preview hostname on one port."""

    def __init__(self, store: ObjectStore, kubelet: Kubelet, forwarder: Forwarder) -> None:
        self._store = store
        self._kubelet = kubelet
        self._forwarder = forwarder
        self.faults = EdgeFaults()
        #: Told the hostname and the path of each request that a pod has answered.
        self.on_answer: list[Callable[[str, str], None]] = []

    def application(self) -> Starlette:
        """The ASGI application."""
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        return Starlette(routes=[Route("/{path:path}", self._forward, methods=methods)])

    async def _forward(self, request: Request) -> Response:
        host = request.headers.get("host", "").split(":")[0]
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


def _raw_path(request: Request) -> bytes:
    query = request.url.query
    return bytes(request.scope["raw_path"]) + (f"?{query}".encode() if query else b"")
