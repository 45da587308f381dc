from contextlib import nullcontext

import pytest

from gatehouse.coder.models import LogLine
from gatehouse.core.errors import (
    InfrastructureError,
    PermissionDenied,
    TerminalState,
    Unreachable,
    WaitTimeout,
)
from gatehouse.core.workspace_settings import WorkspaceBudgets
from gatehouse.kube.client import EVENTS, PODS
from gatehouse.workspace.stages import Stage
from gatehouse.workspace.startup import bring_up
from tests.support.clock import FakeClock
from tests.unit.workspace.test_stages import event, pod, workspace

READY = workspace(agent="connected", lifecycle="ready", connected=True)
CONNECTING = workspace(agent="connecting")
STARTING = workspace(agent="connected", lifecycle="starting", connected=True)


def at(clock, states):
    """The state of now, of pairs of seconds and states; the last one lasts for ever."""
    until = 0.0
    for seconds, state in states:
        until += seconds
        if clock.monotonic() < until:
            return state
    return states[-1][1]


class Coder:
    """Gives each state for so many seconds, the last one for ever."""

    def __init__(self, clock, *states):
        self._clock, self._states = clock, states
        self.lines = ["one", "waiting for the mirror", ""]

    def workspace(self, _id):
        state = at(self._clock, self._states)
        if isinstance(state, Exception):
            raise state
        return state

    def build_log(self, _id):
        return [LogLine(id=number, output=line) for number, line in enumerate(self.lines)]

    agent_log = build_log

    def within(self, _deadline):
        return nullcontext()


class Cluster:
    """Has the workspace's pod in the states that the clock says."""

    def __init__(self, clock, *pods, events=(), refuses=None):
        self._clock, self._pods, self._events, self._refuses = clock, pods, events, refuses
        self.whole_looks = 0

    def list_all(self, kind, namespace=None):
        if self._refuses and namespace:
            raise self._refuses
        if namespace is None:
            self.whole_looks += kind is PODS
            return [self._pod()] if kind is PODS and self._pod() else []
        if kind is EVENTS:
            return list(self._events)
        return [self._pod()] if self._pod() else []

    def list_metadata(self, kind):
        return self.list_all(kind)

    def _pod(self):
        return at(self._clock, self._pods)

    def log(self, *_arguments, **_more):
        return "exec /init: exec format error\n"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def start(clock):
    def start(*states, cluster=None, timeout=900.0, **budgets):
        return bring_up(
            Coder(clock, *states),
            cluster,
            "w",
            WorkspaceBudgets(**budgets),
            timeout,
            clock=clock,
            on_change=lambda _progress: None,
        )

    return start


def own(**more):
    """A pod of workspace `w`, which its labels say."""
    return pod(labels={"com.coder.workspace.id": "w"}, **more)


def test_each_stage_has_its_seconds(start):
    started = start(
        (3, workspace("pending")), (4, workspace("running")), (5, CONNECTING), (6, STARTING), (1, READY)
    )

    seconds = {stage: round(value) for stage, value in started.seconds.items() if value}
    assert seconds == {Stage.QUEUE: 3, Stage.BUILD: 4, Stage.START: 5, Stage.AGENT: 6}
    assert started.workspace.agent.ready
    assert started.unseen == "the target has no kubernetes section"


def test_with_a_cluster_the_stages_of_the_pod_are_told_apart(start, clock):
    cluster = Cluster(
        clock,
        (4, own(scheduled=False)),
        (4, own(scheduled=False, reason="Unschedulable")),
        (2, own(waiting={"reason": "ErrImagePull", "message": "reset"})),
        (100, own()),
    )
    started = start((14, CONNECTING), (1, READY), cluster=cluster)

    assert {stage: round(value) for stage, value in started.seconds.items() if value} == {
        Stage.SCHEDULE: 4,
        Stage.NODE: 4,
        Stage.PULL: 2,
        Stage.INIT: 4,
    }
    assert "0/3 nodes are available" in started.node_words
    assert cluster.whole_looks == 1


@pytest.mark.parametrize(
    ("budget", "state", "words"),
    [
        ("queue", workspace("pending"), "the stage queue: place 2 of 3"),
        ("build", workspace("running"), "the stage build: waiting for the mirror"),
        (
            "agent",
            STARTING,
            "the stage agent: connected, starting; last line of the log: waiting for the mirror",
        ),
    ],
)
def test_a_time_out_names_the_stage_and_its_last_words(start, clock, budget, state, words):
    with pytest.raises(WaitTimeout) as caught:
        start((9999, state), **{f"{budget}_seconds": 7})

    assert f"has spent its 7 s for {words}" in str(caught.value)
    assert 7 <= clock.elapsed < 9
    assert caught.value.next_step


def test_the_wait_for_a_node_does_not_count_for_the_whole(start, clock):
    waiting, running = own(scheduled=False, reason="Unschedulable"), own()
    cluster = Cluster(clock, (500, waiting), (9999, running))

    assert start((505, CONNECTING), (1, READY), cluster=cluster, timeout=60).workspace.agent.ready


def test_the_whole_ends_with_the_stage_that_it_was_in(start, clock):
    with pytest.raises(WaitTimeout, match="was not ready within 60 s, and is in the stage init"):
        start((9999, CONNECTING), cluster=Cluster(clock, (1, own())), timeout=60)
    assert clock.elapsed < 63


def test_a_node_that_never_comes_ends_the_wait_with_the_schedulers_words(start, clock):
    cluster = Cluster(clock, (1, own(scheduled=False, reason="Unschedulable")))

    with pytest.raises(WaitTimeout, match=r"the stage wait for a node: .*no node has been asked for"):
        start((9999, CONNECTING), cluster=cluster, node_seconds=20)


def test_a_container_that_keeps_ending_is_told_with_its_last_lines(start, clock):
    cluster = Cluster(clock, (1, own(waiting={"reason": "CrashLoopBackOff"}, restarts=3)))

    with pytest.raises(TerminalState, match="ended 3 times before the agent connected") as caught:
        start((9999, CONNECTING), cluster=cluster)
    assert "exec format error" in caught.value.seen
    assert clock.elapsed < 1


def test_a_build_and_a_script_that_failed_end_the_wait_at_once(start, clock):
    with pytest.raises(TerminalState, match="the start build failed"):
        start((9999, workspace("failed")))
    with pytest.raises(TerminalState, match="start_error"):
        start((9999, workspace(agent="connected", lifecycle="start_error")))
    assert clock.elapsed < 1


def test_a_build_that_nobody_could_take_ends_it_at_once(start):
    nobody = workspace("pending")
    nobody.latest_build.matched_provisioners.__dict__["count"] = 0

    with pytest.raises(InfrastructureError, match="no provisioner daemon can take the build"):
        start((9999, nobody))


def test_a_cluster_that_may_not_be_looked_at_leaves_the_stages_together(start, clock):
    denied = PermissionDenied("forbidden (403)", seen="pods is forbidden")
    started = start((2, CONNECTING), (1, READY), cluster=Cluster(clock, (1, own()), refuses=denied))

    assert started.unseen == "forbidden (403): pods is forbidden"
    assert Stage.START in started.seconds


def test_a_template_without_anything_in_the_cluster_has_no_budget_for_its_pod(start, clock):
    started = start((200, CONNECTING), (1, READY), cluster=Cluster(clock, (1, None)))

    assert started.unseen == "nothing in the cluster belongs to the workspace"


def test_an_answer_that_is_missing_now_and_then_does_not_matter(start):
    assert start((2, Unreachable("cut")), (2, CONNECTING), (1, READY)).workspace.agent.ready


def test_events_of_other_workspaces_are_not_its_last_words(start, clock):
    foreign = event("FailedCreate", "quota of somebody else", "Warning", name="coder-other")
    foreign["involvedObject"]["namespace"] = "shared"

    with pytest.raises(WaitTimeout) as caught:
        start((9999, CONNECTING), cluster=Cluster(clock, (1, own()), events=[foreign]), init_seconds=3)
    assert "somebody else" not in str(caught.value)
