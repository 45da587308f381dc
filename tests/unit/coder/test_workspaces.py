import contextlib

import pytest

from gatehouse.coder import workspaces
from gatehouse.coder.models import LogLine, Workspace
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    Conflict,
    InfrastructureError,
    NotFound,
    TerminalState,
    WaitTimeout,
)
from tests.support.clock import FakeClock


def workspace(job="succeeded", transition="start", agent=None, count=1, error="", app=None):
    apps = [{"slug": "code-server", "health": app}] if app else []
    status, lifecycle = agent or ("", "")
    agents = (
        [{"id": "a", "name": "main", "status": status, "lifecycle_state": lifecycle, "apps": apps}]
        if agent
        else []
    )
    return Workspace.model_validate(
        {
            "id": "w" * 8,
            "name": "one",
            "latest_build": {
                "id": "b",
                "transition": transition,
                "status": "x",
                "job": {"id": "j", "status": job, "error": error},
                "resources": [{"agents": agents}],
                "matched_provisioners": {"count": count, "available": count},
            },
        }
    )


class Coder:
    """Gives each state once, then the last one for ever."""

    def __init__(self, *states, build=None):
        self.states = list(states)
        self.transitions = []
        self._build = build

    def workspace(self, _id, *, include_deleted=False):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state

    def within(self, _deadline):
        return contextlib.nullcontext()

    def create_build(self, _id, transition):
        self.transitions.append(transition)
        if self._build:
            raise self._build

    def build_log(self, _id):
        return [LogLine(id=1, output="Planning"), LogLine(id=2, output="Error: quota exceeded")]

    def agent_log(self, _id):
        return [LogLine(id=1, output="npm: command not found")]


def run(function, coder, *arguments, seconds=30):
    clock = FakeClock()
    function(coder, "w" * 8, *arguments, Deadline.after(seconds, clock), on_change=lambda _progress: None)
    return clock


def test_a_build_is_waited_for():
    clock = run(
        workspaces.wait_for_build, Coder(workspace("pending"), workspace("running"), workspace("succeeded"))
    )

    assert clock.elapsed == pytest.approx(0.5)


def test_a_failed_build_ends_the_wait_with_the_end_of_its_log():
    with pytest.raises(TerminalState, match="start build failed: no quota") as caught:
        run(workspaces.wait_for_build, Coder(workspace("failed", error="no quota")))
    assert caught.value.seen == "Planning | Error: quota exceeded"


def test_a_build_that_no_provisioner_can_take_fails_at_once_and_as_infrastructure():
    with pytest.raises(InfrastructureError, match="pending for ever"):
        run(workspaces.wait_for_build, Coder(workspace("pending", count=0)))


def test_a_build_that_stays_pending_times_out_with_its_state():
    with pytest.raises(WaitTimeout, match="not ready within 5 s"):
        run(workspaces.wait_for_build, Coder(workspace("pending")), seconds=5)


def test_an_agent_that_times_out_and_then_connects_is_ready():
    run(
        workspaces.wait_for_agent,
        Coder(
            workspace(),
            workspace(agent=("connecting", "created")),
            workspace(agent=("timeout", "created")),
            workspace(agent=("connected", "starting")),
            workspace(agent=("connected", "ready")),
        ),
    )


@pytest.mark.parametrize("lifecycle", ["start_error", "start_timeout"])
def test_a_failed_start_script_ends_the_wait_with_the_agents_log(lifecycle):
    with pytest.raises(TerminalState, match=lifecycle) as caught:
        run(workspaces.wait_for_agent, Coder(workspace(agent=("connected", lifecycle))))
    assert caught.value.seen == "npm: command not found"


def test_an_apps_health_is_awaited_but_not_judged():
    coder = Coder(
        workspace(agent=("connected", "ready"), app="initializing"),
        workspace(agent=("connected", "ready"), app="unhealthy"),
    )

    clock = FakeClock()
    assert workspaces.wait_for_app(coder, "w" * 8, "code-server", Deadline.after(9, clock)) == "unhealthy"


def test_deletion_waits_for_a_build_under_way_and_never_cancels_it():
    coder = Coder(workspace("running"), workspace("running"), workspace("succeeded"), NotFound("410"))

    run(workspaces.delete, coder)

    assert coder.transitions == ["delete"]


def test_a_workspace_that_is_gone_already_needs_no_deletion():
    coder = Coder(NotFound("410"))

    run(workspaces.delete, coder)

    assert coder.transitions == []


def test_a_failed_deletion_is_tried_again_a_bounded_number_of_times():
    coder = Coder(workspace("succeeded"), workspace("failed", "delete", error="finalizer"))

    with pytest.raises(TerminalState, match="could not be deleted in 3 attempts") as caught:
        run(workspaces.delete, coder)
    assert caught.value.seen == "finalizer"
    assert coder.transitions == ["delete"] * 3


def test_a_deletion_that_collides_with_another_build_waits():
    coder = Coder(
        workspace(), workspace("running", "delete"), NotFound("410"), build=Conflict("409", seen="active")
    )

    run(workspaces.delete, coder)
