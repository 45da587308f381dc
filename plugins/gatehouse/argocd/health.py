"""The health of a live object by the rules that Argo CD has for its kind.

A pure function, for where no Argo CD API tells it: since 3.0 an Application object does not carry the health of
its resources. The rules and words are those of Argo CD's own checks (gitops-engine `pkg/health`, and
`resource_customizations` for Gateway API); checks that an installation adds are not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

WAITING = "Waiting for rollout to finish: "


@dataclass(frozen=True)
class Health:
    """A status as Argo CD names it (`Healthy`, `Progressing`, `Degraded`, `Suspended`, `Unknown`), and why."""

    status: str
    message: str = ""

    def as_data(self) -> dict[str, str]:
        """As a node of a resource tree carries it."""
        return {"status": self.status} | ({"message": self.message} if self.message else {})


HEALTHY = Health("Healthy")


def health_of(group: str, kind: str, item: Object) -> Health | None:
    """The health of a live object; None for kinds without a check."""
    check = _CHECKS.get((group, kind))
    if check is None:
        return None
    if item["metadata"].get("deletionTimestamp"):
        return Health("Progressing", "Pending deletion")
    return check(item, item.get("spec") or {}, item.get("status") or {})


def _unobserved(item: Object, status: Object) -> bool:
    """Whether the status is about an older spec."""
    return bool(status.get("observedGeneration", 0) < item["metadata"].get("generation", 0))


def _progressing(message: str) -> Health:
    return Health("Progressing", message)


# --- workloads ---------------------------------------------------------------------------------------


def _deployment(item: Object, spec: Object, status: Object) -> Health:
    if spec.get("paused"):
        return Health("Suspended", "Deployment is paused")
    if _unobserved(item, status):
        return _progressing(f"{WAITING}observed deployment generation less than desired generation")
    if _condition(status, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        return Health("Degraded", f'Deployment "{item["metadata"]["name"]}" exceeded its progress deadline')
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    replicas, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    if updated < wanted:
        return _progressing(f"{WAITING}{updated} out of {wanted} new replicas have been updated...")
    if replicas > updated:
        return _progressing(f"{WAITING}{replicas - updated} old replicas are pending termination...")
    if available < updated:
        return _progressing(f"{WAITING}{available} of {updated} updated replicas are available...")
    return HEALTHY


def _replica_set(item: Object, spec: Object, status: Object) -> Health:
    if _unobserved(item, status):
        return _progressing(f"{WAITING}observed replica set generation less than desired generation")
    failure = _condition(status, "ReplicaFailure")
    if failure.get("status") == "True":
        return Health("Degraded", failure.get("message", ""))
    wanted, available = spec.get("replicas", 1), status.get("availableReplicas", 0)
    if available < wanted:
        return _progressing(f"{WAITING}{available} out of {wanted} new replicas are available...")
    return HEALTHY


def _stateful_set(item: Object, spec: Object, status: Object) -> Health:
    if _unobserved(item, status):
        return _progressing("Waiting for statefulset spec update to be observed...")
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if ready < wanted:
        return _progressing(f"Waiting for {wanted - ready} pods to be ready...")
    strategy, updated = spec.get("updateStrategy") or {}, status.get("updatedReplicas", 0)
    if strategy.get("type") == "OnDelete":
        return HEALTHY
    if partition := (strategy.get("rollingUpdate") or {}).get("partition") or 0:
        if updated < wanted - partition:
            new = wanted - partition
            return _progressing(
                f"Waiting for partitioned roll out to finish: {updated} out of {new} new pods have been updated..."
            )
        return HEALTHY
    if status.get("updateRevision") != status.get("currentRevision"):
        return _progressing(
            f"waiting for statefulset rolling update to complete {updated} pods at revision "
            f"{status.get('updateRevision')}..."
        )
    return HEALTHY


def _daemon_set(item: Object, spec: Object, status: Object) -> Health:
    name = item["metadata"]["name"]
    if _unobserved(item, status):
        return _progressing(f"{WAITING}observed daemon set generation less than desired generation")
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return HEALTHY
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    if updated < wanted:
        return _progressing(
            f'Waiting for daemon set "{name}" rollout to finish: {updated} out of {wanted} new pods have been '
            "updated..."
        )
    if available < wanted:
        return _progressing(
            f'Waiting for daemon set "{name}" rollout to finish: {available} of {wanted} updated pods are '
            "available..."
        )
    return HEALTHY


def _job(_item: Object, _spec: Object, status: Object) -> Health:
    for kind, name in (("Failed", "Degraded"), ("Complete", "Healthy"), ("Suspended", "Suspended")):
        condition = _condition(status, kind)
        if condition.get("status") == "True":
            return Health(name, condition.get("message", ""))
    return Health("Progressing")


def _pod(_item: Object, spec: Object, status: Object) -> Health:
    containers = status.get("containerStatuses") or []
    message = status.get("message", "")
    always = spec.get("restartPolicy", "Always") == "Always"
    waiting = [(each.get("state") or {}).get("waiting") or {} for each in containers]
    broken = [each for each in waiting if _is_error(each.get("reason", ""))]
    if always and broken:  # a hook's pod may yet get its image, and is not Degraded by the lack of it
        return Health("Degraded", ", ".join(each.get("message", "") for each in broken))
    phase = status.get("phase")
    if phase == "Succeeded":
        return Health("Healthy", message)
    if phase == "Failed":
        ended = [*(status.get("initContainerStatuses") or []), *containers]
        return Health("Degraded", message or next(filter(None, map(_failure, ended)), ""))
    if phase == "Running" and always:
        if _condition(status, "Ready").get("status") == "True":
            return Health("Healthy", message)
        restarted = any((each.get("lastState") or {}).get("terminated") for each in containers)
        return Health("Degraded" if restarted else "Progressing", message)
    return Health("Progressing" if phase in ("Pending", "Running") else "Unknown", message)


def _is_error(reason: str) -> bool:
    return reason.startswith("Err") or reason.endswith(("Error", "BackOff"))


def _failure(container: Object) -> str:
    """Why a container ended, if it did not end well."""
    ended = (container.get("state") or {}).get("terminated") or {}
    if ended.get("message"):
        return str(ended["message"])
    if ended.get("reason") == "OOMKilled":
        return "OOMKilled"
    if code := ended.get("exitCode"):
        return f'container "{container.get("name", "")}" failed with exit code {code}'
    return ""


# --- what pods need, and what leads to them --------------------------------------------------------------


def _claim(_item: Object, _spec: Object, status: Object) -> Health:
    names = {"Bound": "Healthy", "Pending": "Progressing", "Lost": "Degraded"}
    return Health(names.get(status.get("phase", ""), "Unknown"))


def _service(_item: Object, spec: Object, status: Object) -> Health:
    return _ingress(_item, spec, status) if spec.get("type") == "LoadBalancer" else HEALTHY


def _ingress(_item: Object, _spec: Object, status: Object) -> Health:
    """Healthy once it has an address, which says nothing of whether anything answers there."""
    return HEALTHY if (status.get("loadBalancer") or {}).get("ingress") else Health("Progressing")


def _route(item: Object, _spec: Object, status: Object) -> Health:
    seen = False
    for parent in status.get("parents") or []:
        conditions = parent.get("conditions") or []
        generations = {each["observedGeneration"] for each in conditions if "observedGeneration" in each}
        if not conditions or (generations and item["metadata"].get("generation", 0) not in generations):
            continue  # says nothing about the present spec
        seen = True
        where = f"Parent {(parent.get('parentRef') or {}).get('name', '')}: "
        for kind in ("ResolvedRefs", "Accepted"):
            condition = _condition(parent, kind)
            if condition.get("status") == "False":
                return Health("Degraded", where + (condition.get("message") or f"Failed condition: {kind}"))
        programmed = _condition(parent, "Programmed")
        if programmed and programmed.get("status") != "True":
            return _progressing(where + (programmed.get("message") or "Route is still being programmed"))
    return HEALTHY if seen else _progressing("Waiting for HTTPRoute status")


def _condition(status: Object, kind: str) -> Object:
    conditions: list[Object] = status.get("conditions") or []
    return next((each for each in conditions if each.get("type") == kind), {})


_CHECKS: dict[tuple[str, str], Callable[[Object, Object, Object], Health]] = {
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("gateway.networking.k8s.io", "HTTPRoute"): _route,
}
