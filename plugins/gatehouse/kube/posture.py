"""What a pod may do to its node and its network, as its specification asks for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

Object = dict[str, Any]

#: Labels of a namespace by which Pod Security Admission works (Kubernetes, since 1.25).
_LEVELS = "pod-security.kubernetes.io/"

_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock")
_TUNNEL = "/dev/net/tun"


def hazards(pod: Object, capabilities: Collection[str]) -> list[str]:
    """What a pod has that no workspace may have, one sentence each; `capabilities` may not be added."""
    spec = pod["spec"]
    found = [
        f"shares the node's {what}"
        for field, what in (
            ("hostNetwork", "network"),
            ("hostPID", "processes"),
            ("hostIPC", "shared memory"),
        )
        if spec.get(field)
    ]
    for volume in spec.get("volumes") or []:
        if path := (volume.get("hostPath") or {}).get("path"):
            found.append(_host_path(volume["name"], path))
    for container in containers(pod):
        found += [f"container {container['name']} {fault}" for fault in _faults(container, capabilities)]
    return found


def containers(pod: Object) -> Iterator[Object]:
    """All containers of a pod: those that start it, those that stay, and those added for debugging."""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod["spec"].get(field) or []


def effective_contexts(pod: Object) -> dict[str, Object]:
    """The security context of each container, with what it takes over from the pod's."""
    shared = pod["spec"].get("securityContext") or {}
    taken_over = ("runAsUser", "runAsGroup", "runAsNonRoot", "seLinuxOptions", "seccompProfile")
    inherited = {name: shared[name] for name in taken_over if name in shared}
    return {
        container["name"]: {**inherited, **(container.get("securityContext") or {})}
        for container in containers(pod)
    }


def pod_security_levels(namespace: Object) -> dict[str, str]:
    """What Pod Security Admission enforces, warns of and audits in a namespace; no entry means `privileged`."""
    labels = namespace["metadata"].get("labels") or {}
    return {
        mode: labels[f"{_LEVELS}{mode}"]
        for mode in ("enforce", "warn", "audit")
        if f"{_LEVELS}{mode}" in labels
    }


def level_problem(levels: dict[str, str], wanted: str | None) -> str:
    """What is wrong with what a namespace enforces, in a sentence; empty if it is as wanted or stricter."""
    enforced = levels.get("enforce", "privileged")
    order = ("privileged", "baseline", "restricted")
    if wanted is None or (enforced in order and order.index(enforced) >= order.index(wanted)):
        return ""
    return f"the namespace enforces the Pod Security level {enforced}, not {wanted}"


def literal_variables(pod: Object) -> list[tuple[str, str]]:
    """Variables whose values stand in the pod's specification itself."""
    return [
        (variable["name"], str(variable["value"]))
        for container in containers(pod)
        for variable in container.get("env") or []
        if variable.get("value")
    ]


def _host_path(volume: str, path: str) -> str:
    if any(socket in path for socket in _SOCKETS) or path.rstrip("/") in ("/run", "/var/run"):
        return f"volume {volume} reaches the container runtime's socket ({path})"
    if path.startswith(_TUNNEL):
        return f"volume {volume} gives a tunnel device ({path})"
    return f"volume {volume} is a folder of the node ({path})"


def _faults(container: Object, capabilities: Collection[str]) -> Iterator[str]:
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        yield "is privileged"
    added = {
        name.removeprefix("CAP_").upper() for name in (context.get("capabilities") or {}).get("add") or []
    }
    for capability in sorted(added & {name.removeprefix("CAP_").upper() for name in capabilities}):
        yield f"has the capability {capability}"
    for device in container.get("volumeDevices") or []:
        yield f"has the device {device.get('devicePath')}"
    if ports := [each["hostPort"] for each in container.get("ports") or [] if each.get("hostPort")]:
        yield f"takes ports of the node ({', '.join(map(str, ports))})"
    limits = {**(container.get("resources") or {}).get("limits", {})}
    if tunnels := [name for name in limits if "tun" in name.rsplit("/", 1)[-1].split("-")]:
        yield f"is given a tunnel device ({tunnels[0]})"
