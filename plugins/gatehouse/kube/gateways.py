"""What the cluster itself says of its edge: Gateways, and Services that lead to no pod."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from typing import Any

from gatehouse.kube.rollout import condition

Object = dict[str, Any]

_LISTENER_CONDITIONS = ("Accepted", "Programmed", "ResolvedRefs")


def gateway_problems(gateways: Iterable[Object]) -> list[str]:
    """Gateways that are not programmed, have no address, or have a listener that is not as it should be."""
    problems = []
    for gateway in gateways:
        name = f"Gateway {gateway['metadata'].get('namespace')}/{gateway['metadata']['name']}"
        for type_ in ("Accepted", "Programmed"):
            state = condition(gateway, type_)
            if state.get("status") != "True":
                problems.append(f"{name} is not {type_}: {_words(state)}")
        status = gateway.get("status") or {}
        if not status.get("addresses"):
            problems.append(f"{name} has no address, so nothing can be reached through it")
        for listener in status.get("listeners") or []:
            for type_ in _LISTENER_CONDITIONS:
                state = condition({"status": listener}, type_)
                if state.get("status") == "False":
                    problems.append(f"{name}, listener {listener['name']}: not {type_}: {_words(state)}")
    return problems


def matches_any(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name matches one of these patterns with `*`."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def services_without_endpoints(services: Iterable[Object], slices: Iterable[Object]) -> list[str]:
    """Services that lead to no ready pod. Those with another name behind them (ExternalName) have none by nature."""
    ready = {
        (
            part["metadata"].get("namespace"),
            (part["metadata"].get("labels") or {}).get("kubernetes.io/service-name"),
        )
        for part in slices
        if any(
            (each.get("conditions") or {}).get("ready") is not False for each in part.get("endpoints") or []
        )
    }
    problems = []
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        known = (metadata.get("namespace"), metadata["name"])
        if spec.get("type") == "ExternalName" or metadata.get("deletionTimestamp") or known in ready:
            continue
        selector = ",".join(f"{name}={value}" for name, value in (spec.get("selector") or {}).items())
        chosen = f"its selector is {selector}" if selector else "it has no selector"
        problems.append(
            f"Service {metadata.get('namespace')}/{metadata['name']} has no ready endpoint; {chosen}"
        )
    return problems


def _words(state: Object) -> str:
    return f"{state.get('reason')}: {state.get('message')}" if state else "nobody has judged it"
