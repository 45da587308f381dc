from datetime import UTC, datetime

import pytest

from gatehouse.kube.pod_problems import image_problems, pending_problems, restart_problems

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def pod(*, status=None, phase="Running", created="2026-01-01T00:00:00Z", conditions=(), **container):
    metadata = {"name": "coder-1", "namespace": "coder", "uid": "u", "creationTimestamp": created}
    statuses = [{"name": "coder", "image": "coder:2", **status}] if status else []
    return {
        "metadata": metadata,
        "spec": {"containers": [{"name": "coder", **container}]},
        "status": {"phase": phase, "containerStatuses": statuses, "conditions": list(conditions)},
    }


def ended(reason, when, code=137):
    return {"terminated": {"reason": reason, "exitCode": code, "finishedAt": when}}


def test_a_recent_end_for_lack_of_memory_is_told_with_the_limit():
    killed = pod(
        status={"restartCount": 3, "lastState": ended("OOMKilled", "2026-01-01T11:50:00Z")},
        resources={"limits": {"memory": "512Mi"}},
    )

    (problem,) = restart_problems([killed], NOW, 3600)

    assert problem == (
        "pod coder/coder-1, container coder: restarted 3 times; its last run ended with OOMKilled (exit code 137); "
        "its memory limit is 512Mi"
    )


def test_a_restart_of_long_ago_is_none_today():
    assert (
        restart_problems(
            [pod(status={"restartCount": 1, "lastState": ended("Error", "2026-01-01T10:00:00Z")})], NOW, 3600
        )
        == []
    )


def test_a_crash_loop_is_a_problem_whenever_its_last_run_ended():
    looping = pod(
        status={
            "restartCount": 90,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": ended("Error", "2026-01-01T10:00:00Z", 1),
        }
    )

    (problem,) = restart_problems([looping], NOW, 3600)

    assert "restarted 90 times and is in CrashLoopBackOff" in problem


def test_a_pod_without_a_node_is_told_with_the_schedulers_reason():
    scheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 node(s) had untolerated taint {pool: apps}.",
    }

    (problem,) = pending_problems([pod(phase="Pending", conditions=[scheduled])], NOW, 300)

    assert problem.endswith(
        "Unschedulable: 0/3 nodes are available: 3 node(s) had untolerated taint {pool: apps}."
    )


def test_a_pod_may_be_pending_for_a_while():
    young = pod(phase="Pending", created="2026-01-01T11:58:00Z")

    assert pending_problems([young], NOW, 300) == []
    assert len(pending_problems([young], NOW, 60)) == 1


def test_a_pending_pod_with_a_node_is_told_by_what_its_container_waits_for():
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "coder-db" not found'}}

    (problem,) = pending_problems([pod(phase="Pending", status={"state": waiting})], NOW, 300)

    assert 'CreateContainerConfigError: secret "coder-db" not found' in problem


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("429 Too Many Requests - toomanyrequests: You have reached your pull rate limit", "limits the rate"),
        ("401 Unauthorized", "does not accept the pull's credentials"),
        ("no match for platform in manifest: not found", "not there for the node's architecture"),
        ("manifest unknown", "does not exist"),
        ("i/o timeout", "the pull failed"),
    ],
)
def test_failed_pulls_are_told_by_kind(words, kind):
    waiting = {"waiting": {"reason": "ErrImagePull", "message": words}}

    (problem,) = image_problems([pod(phase="Pending", status={"state": waiting})])

    assert kind in problem
    assert words in problem


def test_a_pull_that_backs_off_is_told_by_the_words_of_its_event():
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "coder:2"'}}
    events = [
        {"involvedObject": {"uid": "other"}, "reason": "Failed", "message": "manifest unknown"},
        {"involvedObject": {"uid": "u"}, "reason": "Failed", "message": "pull: 401 Unauthorized"},
        {"involvedObject": {"uid": "u"}, "reason": "Failed", "message": "Error: ErrImagePull"},
    ]

    (problem,) = image_problems([pod(phase="Pending", status={"state": waiting})], events)

    assert "does not accept the pull's credentials" in problem


def test_a_program_of_another_architecture_is_told_as_such():
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    last = {"terminated": {"exitCode": 1, "message": "exec /opt/coder: exec format error"}}

    (problem,) = image_problems([pod(status={"state": waiting, "lastState": last})])

    assert "another architecture" in problem


def test_well_pods_have_no_problem():
    well = pod(status={"restartCount": 0, "state": {"running": {}}, "lastState": {}})

    assert restart_problems([well], NOW, 3600) == []
    assert pending_problems([well], NOW, 0) == []
    assert image_problems([well]) == []
