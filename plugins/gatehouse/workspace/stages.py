"""In which stage of its start a workspace is, and what its pods say about it: pure decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatehouse.coder.models import Agent, Workspace
from gatehouse.core.workspace_settings import WorkspaceBudgets
from gatehouse.kube.client import Object
from gatehouse.kube.image_pulls import PullProblem, pull_problem
from gatehouse.kube.rollout import condition


class Stage(StrEnum):
    """The stages in their order. `START` stands for the four before it where the cluster cannot be looked at."""

    QUEUE = "queue"
    BUILD = "build"
    SCHEDULE = "schedule"
    NODE = "wait for a node"
    PULL = "pull"
    INIT = "init"
    START = "start of the pod"
    AGENT = "agent"


#: Reasons for which a container waits that are about its image.
PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")

#: Restarts after which a container that has not got as far as the agent will not any more.
HOPELESS_RESTARTS = 2

#: What does not go away while a start is waited for.
_HOPELESS_PULLS = (PullProblem.ARCHITECTURE, PullProblem.MISSING)

#: Where to look when a stage takes too long.
NEXT_STEPS = {
    Stage.QUEUE: "compare the template's tags with those of the provisioner daemons that are online, and look at what "
    "they are busy with",
    Stage.BUILD: "read the build's log; what Terraform waits for is its last line",
    Stage.SCHEDULE: "look at the events of the workspace's ReplicaSet and pod: quota and admission speak there",
    Stage.NODE: "look at the autoscaler's log, and at taints and requests of the pod; if nodes only take longer, raise "
    "coder.budgets.node_seconds",
    Stage.PULL: "look at the image's size and at the registry; if it only takes longer, raise "
    "coder.budgets.pull_seconds",
    Stage.INIT: "look at the pod's log and events: volume, dev container build, and whether the pod reaches the access "
    "URL; if it only takes longer, raise coder.budgets.init_seconds",
    Stage.START: "look at the pod's events and log; give Gatehouse the cluster to have the stages told apart",
    Stage.AGENT: "read the agent's log: a start script does not end",
}


@dataclass(frozen=True)
class PodView:
    """What the cluster says of a workspace's pod, in the words of its conditions, containers and events."""

    name: str = ""
    namespace: str = ""
    scheduled: bool = False
    #: The scheduler's words while no node has room.
    unschedulable: str = ""
    #: What the autoscaler said when it asked for a node.
    scale_up: str = ""
    #: Seconds until there was a node, if there was none at first: by the events, which count whole ones.
    node_seconds: float | None = None
    pulling: bool = False
    #: The runtime's words about an image that it cannot have.
    pull_failure: str = ""
    #: `reason: message` of a container that waits for something else.
    waiting: str = ""
    restarts: int = 0
    crashing: bool = False
    #: The newest warning about the pod, or about what should make it.
    warning: str = ""


def pod_view(pods: Iterable[Object], events: Iterable[Object]) -> PodView:
    """The view of a workspace's newest pod; `events` are those of its namespace."""
    living = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    told = sorted(events, key=_time)
    if not living:
        return PodView(warning=_newest_warning(told))
    pod = max(living, key=lambda each: str(each["metadata"].get("creationTimestamp", "")))
    name, status = pod["metadata"]["name"], pod.get("status", {})
    own = [event for event in told if event.get("involvedObject", {}).get("name") == name]
    scheduled = condition(pod, "PodScheduled")
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    waits = [each["state"]["waiting"] for each in containers if (each.get("state") or {}).get("waiting")]
    pull = next((each for each in waits if each.get("reason") in PULL_REASONS), None)
    other = next((each for each in waits if each.get("reason") not in PULL_REASONS), None)
    return PodView(
        name=name,
        namespace=pod["metadata"].get("namespace", ""),
        scheduled=scheduled.get("status") == "True",
        unschedulable=_words(scheduled) if scheduled.get("reason") == "Unschedulable" else "",
        scale_up=_last(own, "TriggeredScaleUp") or _last(own, "Nominated"),
        node_seconds=_node_seconds(pod, own),
        pulling=pull is not None or _is_pulling(own),
        pull_failure=_pull_failure(pull, own) if pull else "",
        waiting=_words(other) if other else "",
        restarts=max((each.get("restartCount", 0) for each in containers), default=0),
        crashing=any(each.get("reason") == "CrashLoopBackOff" for each in waits),
        warning=_newest_warning(own),
    )


def stage_of(workspace: Workspace, pod: PodView | None) -> Stage:
    """The stage that a starting workspace is in; without a view of the pod some cannot be told apart."""
    job = workspace.latest_build.job
    if job.status == "pending":
        return Stage.QUEUE
    if job.status != "succeeded":
        return Stage.BUILD
    if (agent := workspace.agent) and has_connected(agent):
        return Stage.AGENT
    if pod is None:
        return Stage.START
    if not pod.scheduled:
        return Stage.NODE if pod.unschedulable else Stage.SCHEDULE
    return Stage.PULL if pod.pulling else Stage.INIT


def has_connected(agent: Agent) -> bool:
    """Whether the agent has called home in this start."""
    return agent.first_connected_at is not None or agent.status == "connected"


def budget_of(stage: Stage, budgets: WorkspaceBudgets) -> float:
    """Seconds that a workspace may be in a stage."""
    unseen = budgets.schedule_seconds + budgets.node_seconds + budgets.pull_seconds + budgets.init_seconds
    return {
        Stage.QUEUE: budgets.queue_seconds,
        Stage.BUILD: budgets.build_seconds,
        Stage.SCHEDULE: budgets.schedule_seconds,
        Stage.NODE: budgets.node_seconds,
        Stage.PULL: budgets.pull_seconds,
        Stage.INIT: budgets.init_seconds,
        Stage.START: unseen,
        Stage.AGENT: budgets.agent_seconds,
    }[stage]


def last_words(stage: Stage, workspace: Workspace, pod: PodView | None) -> str:
    """What the system concerned said last about a stage, as far as the objects tell; '' if nothing."""
    build, agent = workspace.latest_build, workspace.agent
    if stage is Stage.QUEUE:
        matched = build.matched_provisioners
        daemons = f"; {matched.count} provisioner daemons match, {matched.available} free" if matched else ""
        return f"place {build.job.queue_position} of {build.job.queue_size} in the queue{daemons}"
    if stage is Stage.AGENT and agent:
        return f"{agent.status}, {agent.lifecycle_state}"
    if pod is None:
        return f"the agent is {agent.status}" if agent else ""
    if stage is Stage.NODE:
        return f"{pod.unschedulable} ({pod.scale_up or 'no node has been asked for'})"
    if stage is Stage.PULL:
        return pod.pull_failure or f"pod {pod.name} pulls its image"
    if not pod.name:
        return pod.warning or "there is no pod"
    return pod.warning or pod.waiting or f"pod {pod.name} runs, the agent has not connected"


@dataclass(frozen=True)
class Hopeless:
    """Why a start can only fail."""

    summary: str
    words: str
    next_step: str
    crashing: bool = False


def hopeless(pod: PodView | None) -> Hopeless | None:
    """Why the pod will not start, however long one waits; None if it may."""
    if pod is None:
        return None
    if pod.pull_failure:
        problem = pull_problem(pod.pull_failure)
        if problem in _HOPELESS_PULLS:
            return Hopeless("the workspace's image cannot be pulled", pod.pull_failure, problem.value)
    if pod.crashing and pod.restarts >= HOPELESS_RESTARTS:
        return Hopeless(
            f"the workspace's container ended {pod.restarts} times before the agent connected",
            pod.waiting or pod.warning,
            "read the container's last lines; 'exec format error' there means an image of another architecture",
            crashing=True,
        )
    return None


def next_step_of(stage: Stage, pod: PodView | None) -> str:
    """What to do about a stage that takes too long."""
    if stage is Stage.PULL and pod and pod.pull_failure:
        return pull_problem(pod.pull_failure).value
    return NEXT_STEPS[stage]


def _node_seconds(pod: Object, events: list[Object]) -> float | None:
    """From the pod's creation to its node, where the scheduler had found none before."""
    said = {event.get("reason"): _time(event) for event in events}
    if "FailedScheduling" not in said or "Scheduled" not in said:
        return None
    try:
        made = datetime.fromisoformat(str(pod["metadata"].get("creationTimestamp", "")))
        return (datetime.fromisoformat(said["Scheduled"]) - made).total_seconds()
    except ValueError:
        return None


def _is_pulling(events: list[Object]) -> bool:
    reasons = [event["reason"] for event in events if event.get("reason") in ("Pulling", "Pulled")]
    return reasons.count("Pulling") > reasons.count("Pulled")


def _pull_failure(waiting: Object, events: list[Object]) -> str:
    """The runtime's own words, which the container's state has lost once it only says that it backs off."""
    told = [
        event.get("message", "") for event in events if event.get("reason") in ("Failed", "InspectFailed")
    ]
    telling = [text for text in told if "pull" in text or "image" in text]
    return telling[-1] if telling else _words(waiting)


def _last(events: list[Object], reason: str) -> str:
    found = [f"{reason}: {event.get('message', '')}" for event in events if event.get("reason") == reason]
    return found[-1] if found else ""


def _newest_warning(events: list[Object]) -> str:
    found = [
        f"{event.get('reason')}: {event.get('message')}" for event in events if event.get("type") == "Warning"
    ]
    return found[-1] if found else ""


def _words(state: Object) -> str:
    return ": ".join(str(state[key]) for key in ("reason", "message") if state.get(key))


def _time(event: Object) -> str:
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )
