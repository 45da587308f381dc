"""How a Job is getting on, judged from what the cluster says of it and its pods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gatehouse.job.handover import CONTAINER
from gatehouse.kube.client import Object
from gatehouse.kube.pod_problems import image_problems, pending_problems
from gatehouse.kube.rollout import condition, is_ready

#: Reasons for which a container waits that go away by themselves, soon.
ORDINARY = ("ContainerCreating", "PodInitializing")


@dataclass(frozen=True)
class Seen:
    """One look: the Job (None: gone), its pods, and the events of the namespace as far as they may be read."""

    job: Object | None
    pods: Sequence[Object] = ()
    events: Sequence[Object] = field(default=())

    @property
    def pod(self) -> Object | None:
        """The Job's pod; it has one at most, as it is never tried twice."""
        return self.pods[-1] if self.pods else None

    @property
    def has_evidence(self) -> bool:
        """Whether the suite has ended and its container waits to be collected."""
        return self.pod is not None and is_ready(self.pod) and self.container_has_started

    @property
    def container_has_started(self) -> bool:
        """Whether the container runs or has run."""
        return bool({"running", "terminated"} & _state(self.pod).keys())


def described(seen: Seen) -> str:
    """The state in a few words."""
    if seen.job is None:
        return "the Job is gone"
    if seen.pod is None:
        return "there is no pod yet"
    state = _state(seen.pod)
    if "terminated" in state:
        return "the container has ended"
    if "running" in state:
        return "the evidence is complete" if seen.has_evidence else "the suite runs"
    if condition(seen.pod, "PodScheduled").get("status") == "False":
        return "the pod waits for a node"
    reason = (state.get("waiting") or {}).get("reason") or "it is about to be made"
    return f"the container waits ({'its image cannot be pulled so far' if 'ImagePull' in reason else reason})"


def why_it_ended(seen: Seen) -> str:
    """Why no evidence will come any more, in the cluster's words; empty while it still may."""
    if seen.job is None:
        return "the Job was deleted by somebody else"
    words = []
    if failed := _failed(seen.job):
        words.append(f"{failed.get('reason')}: {failed.get('message')}")
    if seen.pod is not None:
        status = seen.pod.get("status") or {}
        # Of the pod as a whole: evicted, its node was lost or shut down, its deadline.
        if status.get("reason"):
            words.append(f"{status['reason']}: {status.get('message', 'without a message')}")
        # Drained, preempted, or on a node that pods must leave.
        if disrupted := condition(seen.pod, "DisruptionTarget"):
            words.append(f"{disrupted.get('reason')}: {disrupted.get('message')}")
        if ended := _state(seen.pod).get("terminated"):
            words.append(_ending(seen.pod, ended))
        if seen.pod["metadata"].get("deletionTimestamp") and not words:
            words.append("the pod is being deleted by somebody else")
    return "; ".join(words)


def why_it_does_not_start(seen: Seen) -> str:
    """What keeps the container from starting and does not look like going away; empty if nothing does."""
    if seen.pod is None:
        refusals = [each for each in seen.events if _is_refusal(each, seen.job)]
        return f"{refusals[-1]['reason']}: {refusals[-1].get('message')}" if refusals else ""
    if seen.container_has_started:
        return ""
    if problems := image_problems([seen.pod], seen.events):
        return problems[0]
    waiting = _state(seen.pod).get("waiting") or {}
    if waiting.get("reason") and waiting["reason"] not in ORDINARY:
        return f"container {CONTAINER}: {waiting['reason']}: {waiting.get('message', 'without a message')}"
    return ""


def why_it_is_pending(seen: Seen, now: datetime) -> str:
    """What is said of a pod that has not started for too long."""
    if seen.pod is None:
        return "no pod was made for it, and no event says why"
    said = pending_problems([seen.pod], now, budget=float("-inf"))
    mounts = [
        each for each in seen.events if _is_about(each, seen.pod) and each.get("reason") == "FailedMount"
    ]
    return "; ".join([*said, *[str(each.get("message")) for each in mounts[-1:]]]) or described(seen)


def _state(pod: Object | None) -> Object:
    statuses = ((pod or {}).get("status") or {}).get("containerStatuses") or []
    found: Object = next((each for each in statuses if each["name"] == CONTAINER), {})
    state: Object = found.get("state") or {}
    return state


def _failed(job: Object) -> Object:
    found = (condition(job, type_) for type_ in ("Failed", "FailureTarget"))
    return next((each for each in found if each.get("status") == "True"), {})


def _ending(pod: Object, ended: Object) -> str:
    words = f"the container ended with {ended.get('reason', 'no reason given')} (exit code {ended.get('exitCode')})"
    if ended.get("message"):
        words += f": {ended['message']}"
    if ended.get("reason") == "OOMKilled":
        words += f"; its memory limit is {_memory_limit(pod)}"
    return words


def _memory_limit(pod: Object) -> str:
    container = next(each for each in pod["spec"]["containers"] if each["name"] == CONTAINER)
    limits = (container.get("resources") or {}).get("limits") or {}
    return str(limits.get("memory", "not set"))


def _is_refusal(event: Object, job: Object | None) -> bool:
    return job is not None and _is_about(event, job) and event.get("reason") == "FailedCreate"


def _is_about(event: Object, item: Object) -> bool:
    return bool((event.get("involvedObject") or {}).get("uid") == item["metadata"].get("uid"))
