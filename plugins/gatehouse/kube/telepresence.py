"""Traces of Telepresence in a cluster: its traffic manager, and the agents that it puts into pods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gatehouse.kube.posture import containers

Object = dict[str, Any]

#: Names of its Deployment and of its container in others' pods, and a part of its images' names.
MANAGER = "traffic-manager"
AGENT = "traffic-agent"
_IMAGES = ("/tel2", "telepresence")


def traces(deployments: Iterable[Object], pods: Iterable[Object]) -> list[str]:
    """Deployments and pods that belong to Telepresence, one sentence each."""
    found = [
        f"Deployment {_name(item)} is Telepresence's traffic manager"
        for item in deployments
        if item["metadata"]["name"] == MANAGER or _images(item["spec"]["template"])
    ]
    for pod in pods:
        names = {container["name"] for container in containers(pod)}
        annotations = pod["metadata"].get("annotations") or {}
        if AGENT in names:
            found.append(f"pod {_name(pod)} has Telepresence's traffic agent in it")
        elif any(
            "telepresence" in key and "inject" in key and value != "disabled"
            for key, value in annotations.items()
        ):
            found.append(f"pod {_name(pod)} asks for Telepresence's traffic agent by an annotation")
    return found


def _images(pod: Object) -> bool:
    return any(trace in str(container.get("image", "")) for container in containers(pod) for trace in _IMAGES)


def _name(item: Object) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
