"""Conditions: how an object's status says what is so, and since when."""

from __future__ import annotations

from collections.abc import Mapping

from gatehouse.embedded import clock
from gatehouse.embedded.kubernetes.kinds import Object


def condition(before: Mapping[str, Object], type_: str, status: str, reason: str, message: str) -> Object:
    """A condition whose transition time only moves when its status does; `before` are those so far by type."""
    present = before.get(type_)
    unchanged = present and present["status"] == status
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": present["lastTransitionTime"]
        if present and unchanged
        else clock.whole_seconds(),
    }


def conditions_of(item: Object) -> dict[str, Object]:
    """The conditions in an object's status by type."""
    return {each["type"]: each for each in item.get("status", {}).get("conditions", [])}


def is_true(item: Object, type_: str) -> bool:
    """Whether a condition of an object is there and True."""
    return conditions_of(item).get(type_, {}).get("status") == "True"


def pod_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is True."""
    return is_true(pod, "Ready")
