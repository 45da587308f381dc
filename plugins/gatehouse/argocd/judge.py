"""What state an Application is in, and why: a pure function of the object and the time.

The rules are those under which its status can be believed. A status is about the present spec only if
`comparedTo` equals the spec; a finished operation counts only if the last comparison came after it; times
have whole seconds, so an equal time proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Object = dict[str, Any]


class State(StrEnum):
    """The states of an Application, in the order they are usually passed through."""

    ABSENT = "absent"
    STALE = "stale"
    COMPARING = "comparing"
    SYNCING = "syncing"
    ROLLING_OUT = "rolling out"
    READY = "ready"
    BLOCKED = "blocked"
    FAILED = "failed"
    GONE = "gone"


#: Conditions that say that the Application itself is wrong.
ERROR_CONDITIONS = ("InvalidSpecError", "UnknownError", "DeletionError")
WARNING_CONDITIONS = ("SharedResourceWarning", "RepeatedResourceWarning")


@dataclass(frozen=True)
class Judgement:
    """A state and one line saying why; `since` is when the cause began, where the object tells."""

    state: State
    reason: str = ""
    since: datetime | None = None


def judge(application: Object, *, now: datetime, grace: float) -> Judgement:
    """The state of an Application as the API gives it.

    A comparison error or bad health counts as failed once it has lasted `grace` seconds.
    """
    metadata, spec, status = application["metadata"], application["spec"], application.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return Judgement(State.GONE, f"is being deleted since {metadata['deletionTimestamp']}")
    if problem := _condition_problem(status, now, grace):
        return problem
    sync = status.get("sync") or {}
    if not status.get("reconciledAt") or not sync:
        return Judgement(State.COMPARING, "has not been compared yet")
    if _asked(spec) != _asked(sync.get("comparedTo") or {}):
        return Judgement(State.STALE, "its status is about an older spec")
    return (
        _operation_problem(application, status)
        or _sync_problem(spec, status, sync)
        or _health_problem(status, now, grace)
        or Judgement(State.READY, "Synced and Healthy")
    )


def needs_refresh(application: Object) -> bool:
    """Whether the last comparison may be older than the last operation: their whole seconds are equal."""
    status = application.get("status") or {}
    finished = (status.get("operationState") or {}).get("finishedAt")
    return bool(finished) and status.get("reconciledAt") == finished


def _asked(spec: Object) -> tuple[Any, Any]:
    return spec.get("source"), spec.get("sources")


def _condition_problem(status: Object, now: datetime, grace: float) -> Judgement | None:
    for condition in status.get("conditions") or []:
        kind, message = condition["type"], condition.get("message", "")
        since = parse_time(condition.get("lastTransitionTime"))
        if kind in ERROR_CONDITIONS or kind in WARNING_CONDITIONS:
            return Judgement(State.FAILED, f"{kind}: {message}", since)
        if kind == "ComparisonError":
            lasted = (now - since).total_seconds() if since else 0.0
            state = State.FAILED if lasted >= grace else State.COMPARING
            return Judgement(state, f"{kind}: {message}", since)
        if kind == "SyncError" and message.startswith("Failed last sync attempt"):
            return Judgement(State.FAILED, message, since)
    return None


def _operation_problem(application: Object, status: Object) -> Judgement | None:
    operation = status.get("operationState") or {}
    phase, message = operation.get("phase"), operation.get("message", "")
    if application.get("operation") or phase in ("Running", "Terminating"):
        retries = f" (attempt {operation['retryCount'] + 1})" if operation.get("retryCount") else ""
        return Judgement(State.SYNCING, f"{message}{retries}" or "an operation runs")
    if phase in ("Failed", "Error"):
        same = (operation.get("syncResult") or {}).get("revision") == status["sync"].get("revision")
        if same:
            return Judgement(State.FAILED, f"the last sync {phase.lower()}: {message}")
    finished, reconciled = parse_time(operation.get("finishedAt")), parse_time(status.get("reconciledAt"))
    if finished and reconciled and reconciled < finished:
        return Judgement(State.COMPARING, "has not been compared since the last sync")
    return None


def _sync_problem(spec: Object, status: Object, sync: Object) -> Judgement | None:
    resources = status.get("resources") or []
    if sync.get("status") == "OutOfSync":
        late = [f"{each['kind']}/{each['name']}" for each in resources if each.get("status") != "Synced"]
        which = ", ".join(late[:3]) + (f" and {len(late) - 3} more" if len(late) > 3 else "")
        automated = (spec.get("syncPolicy") or {}).get("automated")
        if automated is None:
            return Judgement(State.BLOCKED, f"OutOfSync and auto-sync is off: {which}")
        if late and all(each.get("requiresPruning") for each in resources if each.get("status") != "Synced"):
            return Judgement(State.BLOCKED, f"OutOfSync only because of what is to be pruned: {which}")
        return Judgement(State.SYNCING, f"OutOfSync: {which}")
    if sync.get("status") != "Synced":
        return Judgement(State.COMPARING, f"sync status is {sync.get('status', 'missing')}")
    if not resources:
        return Judgement(State.FAILED, "has no resources at all: nothing is deployed")
    return None


def _health_problem(status: Object, now: datetime, grace: float) -> Judgement | None:
    health = status.get("health") or {}
    name = health.get("status", "Unknown")
    since = parse_time(health.get("lastTransitionTime"))
    if name == "Healthy":
        return None
    detail = _worst_resource(status)
    reason = f"{name}: {detail}" if detail else name
    if name == "Degraded":
        lasted = (now - since).total_seconds() if since else 0.0
        return Judgement(State.FAILED if lasted >= grace else State.ROLLING_OUT, reason, since)
    if name == "Suspended":
        return Judgement(State.BLOCKED, reason, since)
    return Judgement(State.ROLLING_OUT, reason, since)


def _worst_resource(status: Object) -> str:
    for resource in status.get("resources") or []:
        health = resource.get("health") or {}
        if health.get("status") not in (None, "Healthy"):
            message = f" ({health['message']})" if health.get("message") else ""
            return f"{resource['kind']}/{resource['name']}{message}"
    return ""  # lists do not carry the health of each resource (Argo CD 3.x)


def parse_time(text: str | None) -> datetime | None:
    """A time as Kubernetes writes it, or None."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
