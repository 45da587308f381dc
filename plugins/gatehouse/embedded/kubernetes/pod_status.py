"""What a pod's status is made of."""

from __future__ import annotations

from gatehouse.embedded.clock import whole_seconds
from gatehouse.embedded.kubernetes.kinds import Object


def phase(statuses: list[Object], present: str) -> str:
    """The phase of a pod by the states of all its containers, and the phase it has."""
    states = [each["state"] for each in statuses]
    if states and all("terminated" in state for state in states):
        return "Succeeded" if all(state["terminated"]["exitCode"] == 0 for state in states) else "Failed"
    if present == "Running" or any("running" in state for state in states):
        return "Running"
    return "Pending"


def pod_condition(type_: str, true: bool, reason: str = "", message: str = "") -> Object:
    """A condition as the scheduler and the kubelet write it."""
    condition: Object = {"type": type_, "status": "True" if true else "False"}
    if reason:
        condition |= {"reason": reason, "message": message}
    return condition


def terminated(code: int, reason: str = "") -> Object:
    """The state of a container whose process ended with `code`, negative for a signal."""
    return {
        "exitCode": code if code >= 0 else 128 - code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "finishedAt": whole_seconds(),
    }
