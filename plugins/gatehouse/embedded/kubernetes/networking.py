"""The controllers of the cluster's network: endpoints of services, the gateway, its routes."""

from __future__ import annotations

from typing import Any

from gatehouse.embedded.kubernetes.conditions import condition, conditions_of, pod_ready
from gatehouse.embedded.kubernetes.kinds import (
    ENDPOINT_SLICE,
    ENDPOINTS,
    GATEWAY,
    HTTP_ROUTE,
    POD,
    SERVICE,
    Object,
)
from gatehouse.embedded.kubernetes.store import ObjectStore, owner_reference

#: Where the gateway is that the sample's routes name as their parent.
GATEWAY_NAMESPACE = "envoy-gateway-system"
GATEWAY_NAME = "preview"

CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"

_NO_INTERSECTION = (
    "There were no hostname intersections between the HTTPRoute and this parent ref's Listener(s)."
)


class Networking:
    """Looks at all services, gateways and routes whenever anything has changed."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def reconcile(self) -> None:
        """Bring every status and every endpoint up to date."""
        for service in self._store.select(SERVICE):
            if service["spec"].get("selector") and not service["metadata"].get("deletionTimestamp"):
                self._publish(service)
        for route in self._store.select(HTTP_ROUTE):
            self._judge_route(route)
        for gateway in self._store.select(GATEWAY):
            self._judge_gateway(gateway)

    # --- services ------------------------------------------------------------------------------------

    def _publish(self, service: Object) -> None:
        metadata = service["metadata"]
        labels = ",".join(f"{key}={value}" for key, value in service["spec"]["selector"].items())
        pods = [
            pod
            for pod in self._store.select(POD, metadata["namespace"], labels)
            if pod.get("status", {}).get("podIP") and not pod["metadata"].get("deletionTimestamp")
        ]
        self._endpoints(service, pods)
        self._endpoint_slice(service, pods)

    def _endpoints(self, service: Object, pods: list[Object]) -> None:
        metadata = service["metadata"]
        addresses = [
            {"ip": "127.0.0.1", "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"]}}
            for pod in pods
            if pod_ready(pod)
        ]
        ports = [{"port": port["port"]} for port in service["spec"].get("ports", [])]
        subsets = [{"addresses": addresses, "ports": ports}] if addresses else []
        found = self._store.find(ENDPOINTS, metadata["namespace"], metadata["name"])
        if found is None:
            own = {"name": metadata["name"], "ownerReferences": [owner_reference(service)]}
            self._store.create(ENDPOINTS, {"metadata": own, "subsets": subsets}, metadata["namespace"])
        else:
            found["subsets"] = subsets
            self._store.update(ENDPOINTS, found)

    def _endpoint_slice(self, service: Object, pods: list[Object]) -> None:
        metadata = service["metadata"]
        content: Object = {
            "addressType": "IPv4",
            "endpoints": [_endpoint(pod) for pod in pods],
            "ports": [
                {
                    "name": port.get("name", ""),
                    "port": port.get("targetPort", port["port"]),
                    "protocol": port.get("protocol", "TCP"),
                }
                for port in service["spec"].get("ports", [])
            ],
        }
        label = f"kubernetes.io/service-name={metadata['name']}"
        found = self._store.select(ENDPOINT_SLICE, metadata["namespace"], label)
        if found:
            self._store.update(ENDPOINT_SLICE, {**found[0], **content})
            return
        own = {
            "generateName": f"{metadata['name']}-",
            "labels": {
                "kubernetes.io/service-name": metadata["name"],
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            "ownerReferences": [owner_reference(service)],
        }
        self._store.create(ENDPOINT_SLICE, {"metadata": own, **content}, metadata["namespace"])

    # --- the gateway ---------------------------------------------------------------------------------

    def _judge_route(self, route: Object) -> None:
        metadata, spec = route["metadata"], route["spec"]
        backends = [backend["name"] for rule in spec.get("rules", []) for backend in rule["backendRefs"]]
        missing = [name for name in backends if not self._store.find(SERVICE, metadata["namespace"], name)]
        before = {
            each["type"]: each
            for parent in route.get("status", {}).get("parents", [])
            for each in parent["conditions"]
        }
        resolved = (
            ("False", "BackendNotFound", f"Service {metadata['namespace']}/{missing[0]} not found")
            if missing
            else ("True", "ResolvedRefs", "Resolved all the Object references for the Route")
        )
        parents = []
        for reference in spec.get("parentRefs", []):
            namespace = reference.get("namespace", metadata["namespace"])
            gateway = self._store.find(GATEWAY, namespace, reference["name"])
            if gateway is None:  # nobody's gateway: nobody writes a status
                continue
            accepted = (
                ("True", "Accepted", "Route is accepted")
                if any(_intersects(listener, spec) for listener in gateway["spec"]["listeners"])
                else ("False", "NoMatchingListenerHostname", _NO_INTERSECTION)
            )
            conditions = [
                condition(before, "Accepted", *accepted),
                condition(before, "ResolvedRefs", *resolved),
            ]
            parents.append({"parentRef": reference, "controllerName": CONTROLLER, "conditions": conditions})
        self._store.set_status(HTTP_ROUTE, metadata["namespace"], metadata["name"], {"parents": parents})

    def _judge_gateway(self, gateway: Object) -> None:
        metadata, before = gateway["metadata"], conditions_of(gateway)
        listeners_before = {each["name"]: each for each in gateway.get("status", {}).get("listeners", [])}
        listeners = []
        for listener in gateway["spec"]["listeners"]:
            earlier = conditions_of({"status": listeners_before.get(listener["name"], {})})
            listeners.append(
                {
                    "name": listener["name"],
                    "attachedRoutes": self._attached(gateway, listener),
                    "supportedKinds": [{"group": HTTP_ROUTE.group, "kind": HTTP_ROUTE.name}],
                    "conditions": [
                        condition(earlier, "Programmed", "True", "Programmed", "Sending translated config"),
                        condition(earlier, "Accepted", "True", "Accepted", "Listener has been accepted"),
                        condition(earlier, "ResolvedRefs", "True", "ResolvedRefs", "References are resolved"),
                    ],
                }
            )
        programmed = "Address assigned to the Gateway, 1/1 envoy replicas available"
        status = {
            "addresses": [{"type": "IPAddress", "value": "127.0.0.1"}],
            "conditions": [
                condition(before, "Accepted", "True", "Accepted", "The Gateway has been scheduled"),
                condition(before, "Programmed", "True", "Programmed", programmed),
            ],
            "listeners": listeners,
        }
        self._store.set_status(GATEWAY, metadata["namespace"], metadata["name"], status)

    def _attached(self, gateway: Object, listener: Object) -> int:
        where = (gateway["metadata"]["namespace"], gateway["metadata"]["name"])
        return sum(
            1
            for route in self._store.select(HTTP_ROUTE)
            if _intersects(listener, route["spec"])
            and any(
                (each.get("namespace", route["metadata"]["namespace"]), each["name"]) == where
                for each in route["spec"].get("parentRefs", [])
            )
        )


def _endpoint(pod: Object) -> Object:
    ready = pod_ready(pod)
    metadata = pod["metadata"]
    target: dict[str, Any] = {"kind": "Pod", "name": metadata["name"]}
    return {
        "addresses": ["127.0.0.1"],
        "conditions": {"ready": ready, "serving": ready, "terminating": False},
        "nodeName": pod["spec"].get("nodeName", ""),
        "targetRef": {**target, "namespace": metadata["namespace"], "uid": metadata["uid"]},
    }


def _intersects(listener: Object, route: Object) -> bool:
    """Whether a listener admits one of the hostnames of a route."""
    hostname: str = listener.get("hostname", "")
    if not hostname or not route.get("hostnames"):
        return True
    if hostname.startswith("*."):
        return any(each.endswith(hostname[1:]) for each in route["hostnames"])
    return hostname in route["hostnames"]
