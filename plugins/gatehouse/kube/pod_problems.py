"""What is wrong with pods: restarts, images that cannot be pulled, no node to run on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from gatehouse.kube.image_pulls import PullProblem, pull_problem
from gatehouse.kube.rollout import condition, moment

Object = dict[str, Any]

_PULLS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")

#: Words for the classes of a failed pull.
_CLASSES = {
    PullProblem.MISSING: "the image or its tag does not exist",
    PullProblem.RATE_LIMIT: "the registry limits the rate of pulls",
    PullProblem.AUTHENTICATION: "the registry does not accept the pull's credentials",
    PullProblem.ARCHITECTURE: "the image is not there for the node's architecture",
    PullProblem.OTHER: "the pull failed",
}


def restart_problems(pods: Iterable[Object], now: datetime, window: float) -> list[str]:
    """Containers that crash or whose last run ended within `window` seconds of `now`, with how it ended."""
    problems = []
    for pod, status in _containers(pods):
        waiting = (status.get("state") or {}).get("waiting") or {}
        ended = (status.get("lastState") or {}).get("terminated") or {}
        recent = bool(ended.get("finishedAt")) and now - moment(ended["finishedAt"]) <= timedelta(
            seconds=window
        )
        if not recent and waiting.get("reason") != "CrashLoopBackOff":
            continue
        state = " and is in CrashLoopBackOff" if waiting.get("reason") == "CrashLoopBackOff" else ""
        problems.append(
            f"{_name(pod)}, container {status['name']}: restarted {status.get('restartCount', 0)} times{state}; "
            f"its last run ended with {ended.get('reason', 'no reason given')} (exit code {ended.get('exitCode', '?')})"
            + (_memory(pod, status["name"]) if ended.get("reason") == "OOMKilled" else "")
        )
    return problems


def pending_problems(pods: Iterable[Object], now: datetime, budget: float) -> list[str]:
    """Pods that have been Pending for more than `budget` seconds, with the scheduler's reason."""
    problems = []
    for pod in pods:
        age = (now - moment(pod["metadata"]["creationTimestamp"])).total_seconds()
        if (
            pod.get("status", {}).get("phase") == "Pending"
            and age > budget
            and not pod["metadata"].get("deletionTimestamp")
        ):
            problems.append(f"{_name(pod)} has been Pending for {age:.0f} s: {_why_pending(pod)}")
    return problems


def image_problems(pods: Iterable[Object], events: Iterable[Object] = ()) -> list[str]:
    """Images that cannot be pulled or run, with the kind of reason and the runtime's words.

    A pull that backs off says nothing of why; the words are then in the pod's `events`.
    """
    told = list(events)
    problems = []
    for pod, status in _containers(pods):
        waiting = (status.get("state") or {}).get("waiting") or {}
        ended = (status.get("lastState") or {}).get("terminated") or {}
        if waiting.get("reason") in _PULLS:
            words = _pull_words(pod, waiting, told)
            problems.append(
                f"{_name(pod)}, image {status.get('image')}: {_CLASSES[pull_problem(words)]} "
                f"({waiting['reason']}: {words})"
            )
        elif "exec format error" in f"{waiting.get('message', '')} {ended.get('message', '')}":
            problems.append(
                f"{_name(pod)}, image {status.get('image')}: its program is of another architecture (exec format error)"
            )
    return problems


def _containers(pods: Iterable[Object]) -> Iterator[tuple[Object, Object]]:
    for pod in pods:
        status = pod.get("status") or {}
        for field in ("initContainerStatuses", "containerStatuses"):
            for container in status.get(field) or []:
                yield pod, container


def _name(pod: Object) -> str:
    return f"pod {pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"


def _memory(pod: Object, container: str) -> str:
    specs = [*(pod["spec"].get("initContainers") or []), *(pod["spec"].get("containers") or [])]
    limits = next(
        ((each.get("resources") or {}).get("limits") or {} for each in specs if each["name"] == container), {}
    )
    return f"; its memory limit is {limits['memory']}" if "memory" in limits else ""


def _why_pending(pod: Object) -> str:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return f"{scheduled.get('reason')}: {scheduled.get('message')}"
    for _, status in _containers([pod]):
        if waiting := (status.get("state") or {}).get("waiting"):
            words = f": {waiting['message']}" if waiting.get("message") else ""
            return f"container {status['name']} waits ({waiting.get('reason')}{words})"
    return "nobody says why; look at its events"


def _pull_words(pod: Object, waiting: Object, events: list[Object]) -> str:
    uid = pod["metadata"].get("uid")
    said = [
        str(event.get("message", ""))
        for event in events
        if (event.get("involvedObject") or {}).get("uid") == uid
        and event.get("reason") in ("Failed", "InspectFailed")
    ]
    own = str(waiting.get("message") or "")
    backing_off = waiting.get("reason") == "ImagePullBackOff" and pull_problem(own) is PullProblem.OTHER
    telling = [words for words in said if pull_problem(words) is not PullProblem.OTHER]
    return telling[-1] if backing_off and telling else own
