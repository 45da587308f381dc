"""The preview's addresses: configured, found in ConfigMaps or routes, and checked against each other."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]

ROUTE_KINDS = ("HTTPRoute", "GRPCRoute", "Ingress")


@dataclass(frozen=True)
class LiveObject:
    """An object of an Application's, as it is in the cluster."""

    application: str
    object: Object

    @property
    def kind(self) -> str:
        """Its kind, such as HTTPRoute."""
        return str(self.object.get("kind", ""))

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.object["metadata"]["name"])

    @property
    def hosts(self) -> list[str]:
        """The hostnames that a route or an Ingress serves."""
        spec = self.object.get("spec") or {}
        if self.kind == "Ingress":
            return [str(rule["host"]) for rule in spec.get("rules") or [] if rule.get("host")]
        return [str(host) for host in spec.get("hostnames") or []]

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class FoundUrls:
    """Addresses by name, where each comes from, and what keeps them from being used, if anything does."""

    urls: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def find_urls(
    configured: Mapping[str, str],
    wanted_keys: Iterable[tuple[str, str, str]],
    objects: Iterable[LiveObject],
    pattern: str,
    *,
    cross_check: bool,
) -> FoundUrls:
    """The addresses to test.

    `configured` are those of the settings, which come first. `wanted_keys` are name, ConfigMap and key of others.
    Without any of both, every hostname of a route becomes one, by `pattern` with `{host}`, called like the route.
    """
    known = list(objects)
    routes = [each for each in known if each.kind in ROUTE_KINDS]
    urls, origins = dict(configured), dict.fromkeys(configured, "gatehouse.yaml")
    for name, config_map, key in wanted_keys:
        origin = f"ConfigMap {config_map}, key {key}"
        value = _value(known, config_map, key)
        if value is None:
            return FoundUrls(
                urls, origins, f"the Applications have no ConfigMap {config_map} with the key {key}"
            )
        if not host_of(value):
            return FoundUrls(urls, origins, f"{origin} holds no address: {value!r}")
        urls[name], origins[name] = value, origin
    if not urls:
        for route in sorted(routes, key=lambda each: each.name):
            for host in [each for each in route.hosts if "*" not in each][:1]:
                name = route.name if route.name not in urls else host  # of several Applications, or kinds
                urls[name], origins[name] = pattern.format(host=host), str(route)
    if not urls:
        return FoundUrls(
            problem="no address is configured, and the Applications have no route with a hostname"
        )
    served = {host for route in routes for host in route.hosts}
    everything = any(not route.hosts for route in routes)  # it serves all that its gateway does
    for name, url in urls.items() if cross_check and served and not everything else []:
        host = host_of(url)
        if not any(fnmatch.fnmatchcase(host, each) for each in served):
            problem = (
                f"no route of the Applications serves {host} ({origins[name]}); they serve {_listed(served)}"
            )
            return FoundUrls(urls, origins, problem)
    return FoundUrls(urls, origins)


def host_of(url: str) -> str:
    """The hostname of an address; empty for a text that is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def edge_problem(host: str, objects: Iterable[LiveObject]) -> str:
    """Why a hostname may not answer, from the conditions of the routes and secrets; empty if they tell nothing.

    In this order: a route that no gateway accepts or whose references do not resolve, a Service without ready
    endpoints, a secret store or an external secret that is not ready.
    """
    known = list(objects)
    for route in known:
        if route.kind in ROUTE_KINDS and host in route.hosts and (problem := _route_problem(route)):
            return problem
    behind = {service for route in known if host in route.hosts for service in _services(route)}
    for each in known:
        service = (each.object["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        about_it = not behind or service is None or service in behind
        if each.kind == "EndpointSlice" and about_it and not _has_ready_endpoint(each.object):
            return f"{each} has no ready endpoint: no ready pod matches its Service's selector"
    order = ("SecretStore", "ClusterSecretStore", "ExternalSecret")
    for kind in order:
        for each in known:
            condition = _condition(each.object.get("status") or {}, "Ready")
            if each.kind == kind and condition.get("status") == "False":
                return f"{each} is not ready: {condition.get('reason', '')}: {condition.get('message', '')}"
    return ""


def _services(route: LiveObject) -> Iterator[str]:
    """The Services that a route or an Ingress leads to."""
    for rule in (route.object.get("spec") or {}).get("rules") or []:
        yield from (str(each.get("name")) for each in rule.get("backendRefs") or [])
        for path in (rule.get("http") or {}).get("paths") or []:
            yield str(((path.get("backend") or {}).get("service") or {}).get("name"))


def _route_problem(route: LiveObject) -> str:
    parents = (route.object.get("status") or {}).get("parents") or []
    if route.kind != "Ingress" and not parents:
        return f"{route} has no status from any gateway yet"
    for parent in parents:
        for type_ in ("Accepted", "ResolvedRefs"):
            condition = _condition(parent, type_)
            if condition.get("status") == "False":
                reason, message = condition.get("reason", ""), condition.get("message", "")
                return f"{route} is not {type_}: {reason}: {message}"
    return ""


def _condition(holder: Object, type_: str) -> Object:
    return next((each for each in holder.get("conditions") or [] if each.get("type") == type_), {})


def _has_ready_endpoint(endpoint_slice: Object) -> bool:
    return any(
        (each.get("conditions") or {}).get("ready", True) and each.get("addresses")
        for each in endpoint_slice.get("endpoints") or []
    )


def _value(objects: list[LiveObject], config_map: str, key: str) -> str | None:
    for each in objects:
        data = each.object.get("data") or {}
        if each.kind == "ConfigMap" and each.name == config_map and key in data:
            return str(data[key])
    return None


def _listed(hosts: Iterable[str]) -> str:
    return ", ".join(sorted(hosts))
