"""The gateway: a hostname leads through its route and service to a ready pod's process."""

from __future__ import annotations

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
class EdgeFaults:
    """Hostnames a scenario has cut off, and the status they answer."""

    down: dict[str, int] = field(default_factory=dict)


class Ingress:
    """Answers for every preview hostname on one port."""

    def __init__(self, store: ObjectStore, kubelet: Kubelet, forwarder: Forwarder) -> None:
        self._store = store
        self._kubelet = kubelet
        self._forwarder = forwarder
        self.faults = EdgeFaults()

    def application(self) -> Starlette:
        """The ASGI application."""
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        return Starlette(routes=[Route("/{path:path}", self._forward, methods=methods)])

    async def _forward(self, request: Request) -> Response:
        host = request.headers.get("host", "").split(":")[0]
        if host in self.faults.down:
            return PlainTextResponse("upstream connect error or disconnect/reset", self.faults.down[host])
        route = self._route(host)
        if route is None:
            return Response(status_code=404)  # Envoy's answer for a host without a route has no body
        port = self._port(route)
        if port is None:
            return PlainTextResponse("no healthy upstream", 503)
        try:
            return await self._forwarder.forward(request, port, _raw_path(request))
        except httpx.TransportError as error:
            return PlainTextResponse(f"upstream connect error or disconnect/reset: {error}", 503)

    def _route(self, host: str) -> Object | None:
        for route in self._store.select(HTTP_ROUTE):
            conditions = [
                each for parent in route.get("status", {}).get("parents", []) for each in parent["conditions"]
            ]
            accepted = any(each["type"] == "Accepted" and each["status"] == "True" for each in conditions)
            if accepted and host in route["spec"].get("hostnames", []):
                return route
        return None

    def _port(self, route: Object) -> int | None:
        """The port of a ready pod behind the route's first backend."""
        namespace = route["metadata"]["namespace"]
        service = route["spec"]["rules"][0]["backendRefs"][0]["name"]
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
