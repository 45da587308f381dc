"""Argo CD's health of a live object, by kind."""

from __future__ import annotations

from gatehouse.embedded.kubernetes.kinds import Object

#: Best to worst; an Application is as healthy as its worst resource.
ORDER = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")


def health_of(item: Object | None) -> tuple[str, str] | None:
    """Status and message of a live object; `Missing` for None; None for a kind without a check."""
    if item is None:
        return "Missing", ""
    if item["metadata"].get("deletionTimestamp"):
        return "Progressing", "Pending deletion"
    check = {
        "Deployment": _deployment,
        "ReplicaSet": _replica_set,
        "Pod": _pod,
        "Job": _job,
        "PersistentVolumeClaim": _claim,
        "HTTPRoute": _route,
        "Service": _service,
        "ExternalSecret": _external_secret,
        "SecretStore": _external_secret,
    }.get(item["kind"])
    return check(item) if check else None


def worst(statuses: list[str]) -> str:
    """The worst of several; no resources at all are Healthy."""
    return max(statuses, key=ORDER.index, default="Healthy")


def _deployment(item: Object) -> tuple[str, str]:
    name, spec, status = item["metadata"]["name"], item["spec"], item.get("status", {})
    if spec.get("paused"):
        return "Suspended", "Deployment is paused"
    if status.get("observedGeneration", 0) < item["metadata"]["generation"]:
        return (
            "Progressing",
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        )
    for condition in status.get("conditions", []):
        if condition["type"] == "Progressing" and condition["reason"] == "ProgressDeadlineExceeded":
            return "Degraded", f'Deployment "{name}" exceeded its progress deadline'
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    if updated < wanted:
        return (
            "Progressing",
            f"Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated...",
        )
    if status.get("replicas", 0) > updated:
        pending = status["replicas"] - updated
        return (
            "Progressing",
            f"Waiting for rollout to finish: {pending} old replicas are pending termination...",
        )
    if status.get("availableReplicas", 0) < updated:
        available = status.get("availableReplicas", 0)
        return (
            "Progressing",
            f"Waiting for rollout to finish: {available} of {updated} updated replicas are available...",
        )
    return "Healthy", ""


def _replica_set(item: Object) -> tuple[str, str]:
    for condition in item.get("status", {}).get("conditions", []):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return "Degraded", condition["message"]
    wanted, ready = item["spec"]["replicas"], item.get("status", {}).get("readyReplicas", 0)
    if ready < wanted:
        return (
            "Progressing",
            f"Waiting for rollout to finish: {ready} out of {wanted} new replicas are available...",
        )
    return "Healthy", ""


def _pod(item: Object) -> tuple[str, str]:
    status = item.get("status", {})
    for container in status.get("containerStatuses", []):
        waiting = container["state"].get("waiting", {})
        reason = waiting.get("reason", "")
        if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            return "Degraded", waiting.get("message", reason)
    if status.get("phase") == "Running":
        ready = all(container["ready"] for container in status.get("containerStatuses", []))
        return ("Healthy", "") if ready else ("Progressing", "")
    return {"Succeeded": ("Healthy", ""), "Failed": ("Degraded", status.get("message", ""))}.get(
        status.get("phase"), ("Progressing", "")
    )


def _job(item: Object) -> tuple[str, str]:
    for condition in item.get("status", {}).get("conditions", []):
        if condition["type"] == "Failed":
            return "Degraded", condition["message"]
        if condition["type"] == "Complete":
            return "Healthy", condition["message"]
    return "Progressing", ""


def _claim(item: Object) -> tuple[str, str]:
    phase = item.get("status", {}).get("phase", "Pending")
    return {"Bound": ("Healthy", ""), "Lost": ("Degraded", "")}.get(phase, ("Progressing", ""))


def _service(_item: Object) -> tuple[str, str]:
    return "Healthy", ""


def _route(item: Object) -> tuple[str, str]:
    conditions = [
        condition
        for parent in item.get("status", {}).get("parents", [])
        for condition in parent["conditions"]
    ]
    if not conditions:
        return "Progressing", "Waiting for the route's status"
    for condition in conditions:
        if condition["status"] != "True":
            return "Degraded", f"{condition['reason']}: {condition['message']}"
    return "Healthy", ""


def _external_secret(item: Object) -> tuple[str, str]:
    """An ExternalSecret, or the SecretStore that it is read from."""
    for condition in item.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            return ("Healthy" if condition["status"] == "True" else "Degraded"), condition["message"]
    return "Progressing", f"Waiting for {item['kind']}"
