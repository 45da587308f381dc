"""The life of a workspace: bring it to ready, delete it and prove it gone."""

from __future__ import annotations

from collections.abc import Callable

from gatehouse.coder.build_failures import build_failure_of
from gatehouse.coder.client import CoderClient
from gatehouse.coder.models import Agent, Build, Workspace
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    Conflict,
    GatehouseError,
    InfrastructureError,
    NotFound,
    ServerFault,
    TerminalState,
    Transient,
)
from gatehouse.core.waiting import Progress, log_change, wait_until

#: Seconds between two looks at a workspace; a stream is only a hint, the verdict comes from a read.
INTERVAL = 0.25

#: Delete builds that are started before giving up.
DELETE_ATTEMPTS = 3

#: Lines of a log that go into a message.
LOG_TAIL = 12

Report = Callable[[Progress], None]


def wait_for_build(
    coder: CoderClient, workspace_id: str, deadline: Deadline, *, on_change: Report = log_change
) -> Workspace:
    """Wait until the latest build has succeeded.

    Raises `TerminalState` with the end of the build's log when it failed, and at once when no provisioner
    could ever take it (`matched_provisioners.count` 0; Coder issue 8247).
    """

    def observe() -> Workspace:
        return coder.workspace(workspace_id, include_deleted=True)

    def failed(workspace: Workspace) -> str | GatehouseError | None:
        build = workspace.latest_build
        if build.job.status in ("failed", "canceled"):
            return build_failure(coder, build)
        return unprovisionable(workspace)

    with coder.within(deadline):
        return wait_until(
            observe,
            what=f"build of workspace {workspace_id[:8]}",
            ready=lambda workspace: workspace.latest_build.job.status == "succeeded",
            failed=failed,
            describe=lambda workspace: workspace.latest_build.status,
            deadline=deadline,
            interval=INTERVAL,
            on_change=on_change,
            next_step="look at the provisioner's log and queue",
        )


def wait_for_agent(
    coder: CoderClient, workspace_id: str, deadline: Deadline, *, on_change: Report = log_change
) -> Workspace:
    """Wait until the agent is connected and its start scripts have ended well.

    `timeout` is not terminal: it means only that connecting took longer than the template expected.
    Raises `TerminalState` with the end of the agent's log for `start_error` and `start_timeout`.
    """

    def failed(workspace: Workspace) -> str | GatehouseError | None:
        agent, build = workspace.agent, workspace.latest_build
        if agent is None and build.transition == "start" and build.job.status == "succeeded":
            return no_agent(build)
        if agent and agent.lifecycle_state in ("start_error", "start_timeout"):
            return agent_failure(coder, agent)
        return None

    with coder.within(deadline):
        return wait_until(
            lambda: coder.workspace(workspace_id),
            what=f"agent of workspace {workspace_id[:8]}",
            ready=lambda workspace: workspace.agent is not None and workspace.agent.ready,
            failed=failed,
            describe=lambda workspace: agent_state(workspace.agent),
            deadline=deadline,
            interval=INTERVAL,
            on_change=on_change,
            next_step="look at the pod's events and log: what happens before the agent connects is only there",
        )


def wait_until_ready(coder: CoderClient, workspace_id: str, seconds: float) -> Workspace:
    """Wait for a start build and then for its agent, `seconds` in all. Raises as the two waits do."""
    deadline = Deadline.after(seconds)
    wait_for_build(coder, workspace_id, deadline)
    return wait_for_agent(coder, workspace_id, deadline)


def wait_for_app(
    coder: CoderClient, workspace_id: str, slug: str, deadline: Deadline, *, on_change: Report = log_change
) -> str:
    """Wait until Coder has made up its mind about an app; its health: `healthy`, `unhealthy` or `disabled`.

    `disabled` only means that the app has no health check.
    """

    def health() -> str:
        agent = coder.workspace(workspace_id).agent
        return next((app.health for app in agent.apps if app.slug == slug), "absent") if agent else "no agent"

    with coder.within(deadline):
        return wait_until(
            health,
            what=f"app {slug} of workspace {workspace_id[:8]}",
            ready=lambda state: state not in ("initializing", "no agent"),
            deadline=deadline,
            interval=INTERVAL,
            on_change=on_change,
        )


def delete(
    coder: CoderClient,
    workspace_id: str,
    deadline: Deadline,
    *,
    on_change: Report = log_change,
    pause: Callable[[float], None] | None = None,
) -> None:
    """Delete a workspace and wait until Coder says that it is gone; one that is gone already is fine.

    `pause` lets time pass between looks, and may return earlier.

    A build under way is waited for, never cancelled: cancelling in the middle of an apply leaves parts
    behind. Never orphans.
    """

    def step() -> Workspace | None:
        try:
            return advance()
        except NotFound:
            return None
        except ServerFault as error:
            # Whether it will fail again, nobody knows, and giving up would leave something behind.
            raise Transient(error.summary, seen=error.seen, where=error.where) from error

    def advance() -> Workspace:
        workspace = coder.workspace(workspace_id)
        build = workspace.latest_build
        settled = build.job.status not in ("pending", "running", "canceling")
        if settled and (build.transition != "delete" or build.job.status in ("failed", "canceled")):
            if build.transition == "delete":
                attempts.append(build.job.error)
            if len(attempts) < DELETE_ATTEMPTS:
                try:
                    coder.create_build(workspace_id, "delete")
                except Conflict as error:
                    raise Transient("another build is under way", seen=error.seen) from error
        return workspace

    attempts: list[str] = []
    with coder.within(deadline):
        wait_until(
            step,
            what=f"deletion of workspace {workspace_id[:8]}",
            ready=lambda workspace: workspace is None,
            failed=lambda _workspace: (
                TerminalState(
                    f"the workspace could not be deleted in {DELETE_ATTEMPTS} attempts", seen=attempts[-1]
                )
                if len(attempts) >= DELETE_ATTEMPTS
                else None
            ),
            describe=lambda workspace: workspace.latest_build.status if workspace else "gone",
            deadline=deadline,
            interval=INTERVAL,
            on_change=on_change,
            pause=pause,
            next_step="delete it by hand; its name and id are in the ledger",
        )


def unprovisionable(workspace: Workspace) -> InfrastructureError | None:
    """The error of a build that no provisioner daemon could ever take (`matched_provisioners.count` 0)."""
    build = workspace.latest_build
    matched = build.matched_provisioners
    if build.job.status != "pending" or matched is None or matched.count:
        return None
    return InfrastructureError(
        "no provisioner daemon can take the build, so it would stay pending for ever",
        seen="matched_provisioners.count is 0",
        where=f"build {build.build_number} of workspace {workspace.name}",
        next_step="start a provisioner daemon with matching tags",
    )


def no_agent(build: Build) -> TerminalState:
    """Resources are there as soon as the job has succeeded, so that no agent will come (Coder issue 13342)."""
    return TerminalState(
        "the build made no agent, so nobody can work in the workspace",
        expected="an agent among the resources of the build",
        seen=", ".join(f"{each.type}.{each.name}" for each in build.resources or []) or "no resources at all",
        where=f"build {build.build_number}",
        next_step="is the agent attached to a resource that is made? Import the template again and read its log",
    )


def agent_state(agent: Agent | None) -> str:
    """The two states of an agent in one phrase."""
    return f"{agent.status}, {agent.lifecycle_state}" if agent else "no agent yet"


def build_failure(coder: CoderClient, build: Build) -> TerminalState:
    """A failed build: the provisioner's error, the end of its log, and the usual cause."""
    tail = _tail([line.output for line in coder.build_log(build.id)])
    usual = build_failure_of(f"{build.job.error}\n{tail}")
    cause = f" ({usual.cause})" if usual.cause else ""
    return TerminalState(
        f"the {build.transition} build {build.job.status}{cause}: {build.job.error or 'no reason given'}",
        seen=tail,
        where=f"build {build.build_number}",
        next_step=usual.next_step,
    )


def agent_failure(coder: CoderClient, agent: Agent) -> TerminalState:
    """An agent whose start scripts failed, with the end of its log."""
    return TerminalState(
        f"the agent's start scripts ended in {agent.lifecycle_state}",
        seen=_tail([line.output for line in coder.agent_log(agent.id)]),
        where=f"agent {agent.name}",
        next_step="run the failing line of the script in a workspace of the same template",
    )


def _tail(lines: list[str]) -> str:
    return " | ".join([line.strip() for line in lines if line.strip()][-LOG_TAIL:])
