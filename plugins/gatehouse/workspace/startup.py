"""Brings a workspace to ready, with a budget for each stage, and says in which one the time went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tenacity.wait import wait_chain, wait_fixed

from gatehouse.coder.client import CoderClient
from gatehouse.coder.models import Workspace
from gatehouse.coder.workspaces import (
    LOG_TAIL,
    agent_failure,
    agent_state,
    build_failure,
    no_agent,
    unprovisionable,
)
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import (
    GatehouseError,
    NotFound,
    PermissionDenied,
    TerminalState,
    UsageError,
    WaitTimeout,
)
from gatehouse.core.waiting import Progress, log_change, wait_until
from gatehouse.core.workspace_settings import WorkspaceBudgets
from gatehouse.kube.client import Cluster
from gatehouse.workspace.pods import Pods
from gatehouse.workspace.stages import (
    PodView,
    Stage,
    budget_of,
    hopeless,
    last_words,
    next_step_of,
    stage_of,
)

#: Seconds between looks: short for ten seconds, then sparing with the server.
INTERVAL = wait_chain(*[wait_fixed(0.25)] * 40, wait_fixed(2.0))


@dataclass(frozen=True)
class Started:
    """A workspace that is ready, and how many seconds it was in each stage, as far as looking told."""

    workspace: Workspace
    seconds: dict[Stage, float]
    #: Why the stages of the pod could not be told apart; '' if they could.
    unseen: str
    #: What the scheduler said while there was no node; '' if there was one at once.
    node_words: str
    #: `clock.monotonic()` when it was seen to be ready.
    ready_at: float
    #: The pod as it was then; None where the cluster could not be looked at.
    pod: PodView | None = None

    def as_data(self) -> dict[str, object]:
        """JSON-like data, as it is written into the record."""
        return {
            "workspace": self.workspace.name,
            "seconds": {str(stage): round(seconds, 2) for stage, seconds in self.seconds.items()},
            "waited_for_node": self.node_words,
            "not_told_apart": self.unseen,
        }


@dataclass
class _Look:
    workspace: Workspace
    pod: PodView | None
    stage: Stage


@dataclass
class _Stages:
    """How long each stage has lasted so far."""

    clock: Clock
    seconds: dict[Stage, float] = field(default_factory=dict)
    present: Stage | None = None
    since: float = 0.0
    node_words: str = ""

    def note(self, stage: Stage) -> float:
        """Count the time since the last look to the stage that was seen then; seconds in the present one."""
        now = self.clock.monotonic()
        if self.present is not None:
            self.seconds[self.present] = self.seconds.get(self.present, 0.0) + now - self.since
        self.present, self.since = stage, now
        return self.seconds.setdefault(stage, 0.0)

    def __str__(self) -> str:
        return " → ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items())


def bring_up(
    coder: CoderClient,
    cluster: Cluster | None,
    workspace_id: str,
    budgets: WorkspaceBudgets,
    timeout: float,
    *,
    clock: Clock = SYSTEM_CLOCK,
    on_change: Callable[[Progress], None] = log_change,
    scripts: bool = True,
    pause: Callable[[float], None] | None = None,
) -> Started:
    """Wait until the latest start build has made a workspace whose agent is ready.

    `pause` lets time pass between looks, and may return earlier. Without `scripts` it is enough that the agent has
    connected: its start scripts may still run, and may fail.

    `timeout` is in seconds and does not count the wait for a node. Raises `TerminalState` with the end of the log
    when a build or a start script has failed or the pod can only fail, `InfrastructureError` when no provisioner
    could take the build, and `WaitTimeout` naming the stage that took too long and its last words.
    """
    ready = _is_ready if scripts else _is_connected
    stages = _Stages(clock)
    pods = Pods(cluster, workspace_id)

    def look() -> _Look:
        workspace = coder.workspace(workspace_id)
        pod = pods.look() if workspace.latest_build.job.status == "succeeded" else None
        stage = stage_of(workspace, pod)
        if stage is Stage.NODE and pod:
            stages.node_words = last_words(stage, workspace, pod)
        return _Look(workspace, pod, stage)

    def failed(seen: _Look) -> GatehouseError | None:
        spent = stages.note(seen.stage)
        if error := _failure(coder, cluster, seen, scripts=scripts):
            return error
        waited = stages.seconds.get(Stage.NODE, 0.0)
        if ready(seen):
            return None
        over = spent >= (budget := budget_of(seen.stage, budgets))
        if over or deadline.elapsed - waited >= timeout:
            return _out_of_time(coder, seen, budget if over else timeout, stages, whole=not over)
        return None

    deadline = Deadline.after(timeout + budgets.node_seconds + INTERVAL_MARGIN, clock)
    with coder.within(deadline):
        seen = wait_until(
            look,
            what=f"start of workspace {workspace_id[:8]}",
            ready=ready,
            failed=failed,
            describe=lambda seen: f"{seen.stage}: {last_words(seen.stage, seen.workspace, seen.pod)}".strip(
                ": "
            ),
            deadline=deadline,
            interval=INTERVAL,
            on_change=on_change,
            pause=pause,
            next_step="look at the deployment: it gave no answer about the workspace",
        )
    if seen.pod and seen.pod.node_seconds:  # the cluster's own times; looks may have come late
        stages.seconds[Stage.NODE] = max(seen.pod.node_seconds, stages.seconds.get(Stage.NODE, 0.0))
    return Started(
        seen.workspace, stages.seconds, pods.unseen, stages.node_words, clock.monotonic(), seen.pod
    )


#: Seconds past all budgets after which the wait ends whatever is seen.
INTERVAL_MARGIN = 5.0


def _is_ready(seen: _Look) -> bool:
    return seen.workspace.agent is not None and seen.workspace.agent.ready


def _is_connected(seen: _Look) -> bool:
    agent = seen.workspace.agent
    return agent is not None and agent.status == "connected"


def _failure(
    coder: CoderClient, cluster: Cluster | None, seen: _Look, *, scripts: bool
) -> GatehouseError | None:
    """Why the start has failed, or can only fail."""
    build, agent = seen.workspace.latest_build, seen.workspace.agent
    if build.job.status in ("failed", "canceled"):
        return build_failure(coder, build)
    if error := unprovisionable(seen.workspace):
        return error
    if agent is None and build.transition == "start" and build.job.status == "succeeded":
        return no_agent(build)
    if scripts and agent and agent.lifecycle_state in ("start_error", "start_timeout"):
        return agent_failure(coder, agent)
    if seen.stage in (Stage.PULL, Stage.INIT) and (why := hopeless(seen.pod)):
        assert seen.pod, "it was told from the pod"
        words = _previous_log(cluster, seen.pod) if why.crashing else ""
        return TerminalState(
            f"{why.summary}: {why.words}",
            seen=words,
            where=f"pod {seen.pod.namespace}/{seen.pod.name}",
            next_step=why.next_step,
        )
    return None


def _out_of_time(
    coder: CoderClient, seen: _Look, budget: float, stages: _Stages, *, whole: bool
) -> WaitTimeout:
    words = last_words(seen.stage, seen.workspace, seen.pod)
    if log := _log_tail(coder, seen):
        words = f"{words}; last line of the log: {log}" if words else log
    name = seen.workspace.name
    summary = (
        f"the workspace {name} was not ready within {budget:.0f} s, and is in the stage {seen.stage}"
        if whole
        else f"the workspace {name} has spent its {budget:g} s for the stage {seen.stage}"
    )
    return WaitTimeout(
        f"{summary}: {words}" if words else summary,
        seen=str(stages),
        where=f"build {seen.workspace.latest_build.build_number}, {agent_state(seen.workspace.agent)}",
        next_step=next_step_of(seen.stage, seen.pod),
    )


def _log_tail(coder: CoderClient, seen: _Look) -> str:
    build, agent = seen.workspace.latest_build, seen.workspace.agent
    try:
        if seen.stage is Stage.BUILD:
            lines = coder.build_log(build.id)
        elif agent and seen.stage in (Stage.INIT, Stage.START, Stage.AGENT):
            lines = coder.agent_log(agent.id)
        else:
            return ""
    except GatehouseError:
        return ""  # the time-out is what is to be told
    said = [line.output.strip() for line in lines if line.output.strip()]
    return said[-1] if said else ""


def _previous_log(cluster: Cluster | None, pod: PodView) -> str:
    """What the container printed before it ended."""
    assert cluster, "the pod was seen in it"
    try:
        return " | ".join(cluster.log(pod.namespace, pod.name, previous=True, lines=LOG_TAIL).splitlines())
    except (UsageError, NotFound, PermissionDenied) as error:
        return f"its log cannot be read: {error.summary}"
