import pytest

from gatehouse.coder.models import Workspace
from gatehouse.core.workspace_settings import WorkspaceBudgets
from gatehouse.workspace.stages import (
    PodView,
    Stage,
    budget_of,
    hopeless,
    last_words,
    next_step_of,
    pod_view,
    stage_of,
)

PULL = 'Failed to pull image "r/base:1": failed to pull and unpack image "r/base:1": '


def workspace(job="succeeded", agent=None, lifecycle="created", connected=False):
    shown = {"id": "a", "name": "main", "status": agent, "lifecycle_state": lifecycle}
    if connected:
        shown["first_connected_at"] = "2026-01-05T09:00:00Z"
    return Workspace.model_validate(
        {
            "id": "w",
            "name": "one",
            "latest_build": {
                "id": "b",
                "transition": "start",
                "status": "x",
                "job": {"id": "j", "status": job, "queue_position": 2, "queue_size": 3},
                "resources": [{"agents": [shown]}] if agent else [],
                "matched_provisioners": {"count": 1, "available": 0},
            },
        }
    )


def pod(scheduled=True, waiting=None, reason="", restarts=0, created="2026-01-05T09:00:00Z", **more):
    condition = {"type": "PodScheduled", "status": "True" if scheduled else "False"}
    if reason:
        condition |= {"reason": reason, "message": "0/3 nodes are available"}
    state = {"waiting": waiting} if waiting else {"running": {}}
    return {
        "metadata": {
            "name": "coder-w-1",
            "namespace": "ws",
            "uid": "u",
            "creationTimestamp": created,
            **more,
        },
        "status": {
            "conditions": [condition],
            "containerStatuses": [{"name": "dev", "state": state, "restartCount": restarts}],
        },
    }


def event(reason, message="", kind="Normal", name="coder-w-1", at="2026-01-05T09:00:01Z"):
    return {
        "metadata": {},
        "type": kind,
        "reason": reason,
        "message": message,
        "involvedObject": {"name": name},
        "lastTimestamp": at,
    }


@pytest.mark.parametrize(
    ("seen", "view", "stage"),
    [
        (workspace("pending"), None, Stage.QUEUE),
        (workspace("running"), None, Stage.BUILD),
        (workspace(agent="connecting"), None, Stage.START),
        (workspace(agent="connecting"), pod_view([], []), Stage.SCHEDULE),
        (workspace(agent="connecting"), pod_view([pod(scheduled=False)], []), Stage.SCHEDULE),
        (
            workspace(agent="connecting"),
            pod_view([pod(scheduled=False, reason="Unschedulable")], []),
            Stage.NODE,
        ),
        (
            workspace(agent="connecting"),
            pod_view([pod(waiting={"reason": "ContainerCreating"})], [event("Pulling")]),
            Stage.PULL,
        ),
        (
            workspace(agent="connecting"),
            pod_view([pod(waiting={"reason": "ContainerCreating"})], [event("Pulling"), event("Pulled")]),
            Stage.INIT,
        ),
        (
            workspace(agent="connecting"),
            pod_view([pod(waiting={"reason": "ContainerCreating"})], []),
            Stage.INIT,
        ),
        (
            workspace(agent="connecting"),
            pod_view([pod(waiting={"reason": "ImagePullBackOff"})], []),
            Stage.PULL,
        ),
        (workspace(agent="timeout"), pod_view([pod()], []), Stage.INIT),
        (workspace(agent="connected", lifecycle="starting"), pod_view([pod()], []), Stage.AGENT),
        (workspace(agent="disconnected", connected=True), pod_view([pod()], []), Stage.AGENT),
    ],
)
def test_the_stage_follows_from_build_pod_and_agent(seen, view, stage):
    assert stage_of(seen, view) is stage


def test_a_pod_that_is_being_deleted_is_not_the_workspaces():
    old = pod(deletionTimestamp="2026-01-05T09:00:00Z")

    assert pod_view([old], []).name == ""


def test_of_several_pods_the_newest_counts():
    newer = pod(created="2026-01-05T09:00:09Z", name="coder-w-2")

    assert pod_view([newer, pod()], []).name == "coder-w-2"


def test_without_a_pod_the_words_of_what_should_make_it_are_told():
    refused = event("FailedCreate", "pods is forbidden: exceeded quota", "Warning", name="coder-w-abc")
    seen = workspace(agent="connecting")

    assert "exceeded quota" in last_words(Stage.SCHEDULE, seen, pod_view([], [refused]))


def test_the_wait_for_a_node_is_measured_by_the_clusters_own_times():
    told = [
        event("FailedScheduling", "no node", "Warning", at="2026-01-05T09:00:01Z"),
        event("Scheduled", at="2026-01-05T09:03:20Z"),
    ]

    assert pod_view([pod()], told).node_seconds == 200
    assert pod_view([pod()], told[1:]).node_seconds is None


def test_whether_a_node_has_been_asked_for_is_told():
    waiting = pod(scheduled=False, reason="Unschedulable")
    asked = event("TriggeredScaleUp", "0->1")
    seen = workspace(agent="connecting")

    assert "no node has been asked for" in last_words(Stage.NODE, seen, pod_view([waiting], []))
    assert "TriggeredScaleUp: 0->1" in last_words(Stage.NODE, seen, pod_view([waiting], [asked]))


@pytest.mark.parametrize(
    ("said", "summary", "step"),
    [
        ("no match for platform in manifest: not found", "cannot be pulled", "architecture"),
        ("r/base:1: not found", "cannot be pulled", "published the image"),
    ],
)
def test_an_image_that_will_not_come_ends_the_wait(said, summary, step):
    view = pod_view(
        [pod(waiting={"reason": "ImagePullBackOff", "message": "Back-off"})], [event("Failed", PULL + said)]
    )
    why = hopeless(view)

    assert summary in why.summary
    assert said in why.words
    assert step in why.next_step


@pytest.mark.parametrize(
    "said", ["429 Too Many Requests - toomanyrequests", "401 Unauthorized", "connection reset by peer"]
)
def test_a_registry_that_may_answer_later_does_not_end_it(said):
    view = pod_view([pod(waiting={"reason": "ErrImagePull", "message": PULL + said})], [])

    assert hopeless(view) is None
    assert said in last_words(Stage.PULL, workspace(agent="connecting"), view)


def test_the_step_for_a_pull_that_takes_too_long_follows_from_the_registrys_words():
    limited = pod_view(
        [pod(waiting={"reason": "ErrImagePull", "message": PULL + "429 Too Many Requests"})], []
    )

    assert "limits pulls" in next_step_of(Stage.PULL, limited)
    assert "raise coder.budgets.pull_seconds" in next_step_of(Stage.PULL, pod_view([pod()], []))


@pytest.mark.parametrize(("restarts", "ends"), [(1, False), (2, True)])
def test_a_container_that_keeps_ending_ends_the_wait(restarts, ends):
    view = pod_view(
        [pod(waiting={"reason": "CrashLoopBackOff", "message": "back-off"}, restarts=restarts)], []
    )

    assert (hopeless(view) is not None) is ends


def test_every_stage_has_a_budget_and_a_next_step():
    budgets = WorkspaceBudgets()

    assert all(budget_of(stage, budgets) > 0 and next_step_of(stage, PodView()) for stage in Stage)
    assert budget_of(Stage.START, budgets) == 60 + 600 + 300 + 900


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Stage.QUEUE, "place 2 of 3 in the queue; 1 provisioner daemons match, 0 free"),
        (Stage.AGENT, "connected, starting"),
        (Stage.START, "the agent is connected"),
    ],
)
def test_last_words_without_a_pod(stage, words):
    assert last_words(stage, workspace("pending", agent="connected", lifecycle="starting"), None) == words


def test_a_volume_that_cannot_be_attached_is_told():
    view = pod_view(
        [pod(waiting={"reason": "ContainerCreating"})],
        [event("FailedAttachVolume", "Multi-Attach error for volume", "Warning")],
    )

    assert last_words(Stage.INIT, workspace(agent="connecting"), view) == (
        "FailedAttachVolume: Multi-Attach error for volume"
    )
