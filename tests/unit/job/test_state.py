"""What a Job's objects say, in the shapes in which clusters say it."""

from datetime import UTC, datetime

import pytest

from gatehouse.job.state import Seen, described, why_it_does_not_start, why_it_ended, why_it_is_pending

JOB = {"metadata": {"name": "suite-1", "uid": "job"}, "status": {"active": 1}}
NOW = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


def failed(reason, message, type_="Failed"):
    condition = {"type": type_, "status": "True", "reason": reason, "message": message}
    return {**JOB, "status": {"conditions": [condition]}}


def pod(state=None, *, ready=False, phase="Running", conditions=(), **status):
    statuses = (
        [{"name": "suite", "image": "registry/suite:1", "ready": ready, "state": state}] if state else []
    )
    return {
        "metadata": {
            "name": "suite-1-x",
            "namespace": "n",
            "uid": "pod",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"containers": [{"name": "suite", "resources": {"limits": {"memory": "2Gi"}}}]},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": str(ready)}, *conditions],
            "containerStatuses": statuses,
            **status,
        },
    }


def event(reason, message, uid="job"):
    return {"reason": reason, "message": message, "involvedObject": {"uid": uid}}


def ended(reason, code, **more):
    return {"terminated": {"reason": reason, "exitCode": code, **more}}


RUNNING = {"running": {"startedAt": "2026-01-01T00:00:01Z"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}
DRAINED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
NO_NODE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient memory.",
}


@pytest.mark.parametrize(
    ("seen", "words", "complete"),
    [
        (Seen(None), "the Job is gone", False),
        (Seen(JOB), "there is no pod yet", False),
        (Seen(JOB, [pod(conditions=[NO_NODE], phase="Pending")]), "the pod waits for a node", False),
        (Seen(JOB, [pod(phase="Pending")]), "the container waits (it is about to be made)", False),
        (Seen(JOB, [pod(CREATING, phase="Pending")]), "the container waits (ContainerCreating)", False),
        (
            Seen(JOB, [pod({"waiting": {"reason": "ErrImagePull"}})]),
            "the container waits (its image cannot be pulled so far)",
            False,
        ),
        (
            Seen(JOB, [pod({"waiting": {"reason": "ImagePullBackOff"}})]),
            "the container waits (its image cannot be pulled so far)",
            False,
        ),
        (Seen(JOB, [pod(RUNNING)]), "the suite runs", False),
        (Seen(JOB, [pod(RUNNING, ready=True)]), "the evidence is complete", True),
        (Seen(JOB, [pod(ended("Completed", 0))]), "the container has ended", False),
        (Seen(JOB, [pod(ready=True)]), "the container waits (it is about to be made)", False),
    ],
)
def test_the_state_is_told_in_a_few_words(seen, words, complete):
    assert described(seen) == words
    assert seen.has_evidence is complete


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Seen(None), "the Job was deleted by somebody else"),
        (
            Seen(failed("DeadlineExceeded", "Job was active longer than specified deadline")),
            "DeadlineExceeded: Job was active longer than specified deadline",
        ),
        (
            Seen(
                failed("BackoffLimitExceeded", "Job has reached it", "FailureTarget"),
                [pod(ended("Error", 1))],
            ),
            "BackoffLimitExceeded: Job has reached it; the container ended with Error (exit code 1)",
        ),
        (
            Seen(JOB, [pod(ended("OOMKilled", 137), phase="Failed")]),
            "the container ended with OOMKilled (exit code 137); its memory limit is 2Gi",
        ),
        (
            Seen(
                JOB,
                [
                    pod(
                        RUNNING,
                        phase="Failed",
                        reason="Evicted",
                        message="The node was low on resource: memory.",
                    )
                ],
            ),
            "Evicted: The node was low on resource: memory.",
        ),
        (Seen(JOB, [pod(RUNNING, conditions=[DRAINED])]), "EvictionByEvictionAPI: Eviction API: evicting"),
        (Seen(JOB, [pod(RUNNING, phase="Failed", reason="NodeLost")]), "NodeLost: without a message"),
        # It succeeded, but nobody has its evidence: not green.
        (
            Seen(JOB, [pod(ended("Completed", 0), phase="Succeeded")]),
            "the container ended with Completed (exit code 0)",
        ),
        (
            Seen(JOB, [pod(ended("StartError", 128, message="exec: python: not found"))]),
            "the container ended with StartError (exit code 128): exec: python: not found",
        ),
    ],
)
def test_an_end_without_evidence_is_told_with_the_clusters_words(seen, words):
    assert why_it_ended(seen) == words


def test_a_pod_that_somebody_deletes_has_ended():
    going = pod(RUNNING)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:05:00Z"

    assert why_it_ended(Seen(JOB, [going])) == "the pod is being deleted by somebody else"


@pytest.mark.parametrize(
    "seen",
    [
        Seen(JOB),
        Seen(JOB, [], [event("FailedCreate", "of another Job", uid="other")]),
        Seen(JOB, [], [event("SuccessfulCreate", "Created pod: suite-1-x")]),
        Seen(JOB, [pod(RUNNING)]),
        Seen(JOB, [pod(RUNNING, ready=True)]),
        Seen({**JOB, "status": {"conditions": [{"type": "Suspended", "status": "False"}]}}, [pod(CREATING)]),
    ],
)
def test_while_evidence_may_still_come_nothing_has_ended(seen):
    assert why_it_ended(seen) == ""


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (
            {"reason": "ErrImagePull", "message": "registry/suite:1: not found"},
            "the image or its tag does not exist",
        ),
        ({"reason": "InvalidImageName", "message": "couldn't parse"}, "InvalidImageName"),
        (
            {"reason": "CreateContainerConfigError", "message": 'secret "gatehouse" not found'},
            'secret "gatehouse" not found',
        ),
        ({"reason": "CreateContainerError"}, "CreateContainerError: without a message"),
    ],
)
def test_what_keeps_a_container_from_starting_is_told(waiting, words):
    assert words in why_it_does_not_start(Seen(JOB, [pod({"waiting": waiting}, phase="Pending")]))


def test_a_pull_that_backs_off_is_told_with_the_registrys_words():
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "registry/suite:1"'}
    said = event("Failed", "Failed to pull image: 401 Unauthorized", uid="pod")

    words = why_it_does_not_start(Seen(JOB, [pod({"waiting": waiting}, phase="Pending")], [said]))

    assert "the registry does not accept the pull's credentials" in words
    assert "401 Unauthorized" in words


def test_a_pod_that_is_refused_is_told_with_the_api_servers_words_and_may_be_made_later():
    words = 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'
    seen = Seen(JOB, [], [event("FailedCreate", words)])

    assert why_it_does_not_start(seen) == f"FailedCreate: {words}"
    assert why_it_ended(seen) == ""
    assert why_it_does_not_start(Seen(JOB, [], [event("FailedCreate", "of another Job", uid="other")])) == ""


@pytest.mark.parametrize("state", [None, CREATING, {"waiting": {}}, RUNNING])
def test_an_ordinary_start_is_no_hindrance(state):
    assert why_it_does_not_start(Seen(JOB, [pod(state)])) == ""


def test_a_pod_without_a_node_is_told_with_the_schedulers_words():
    assert "3 Insufficient memory" in why_it_is_pending(
        Seen(JOB, [pod(conditions=[NO_NODE], phase="Pending")]), NOW
    )
    assert "no pod was made" in why_it_is_pending(Seen(JOB), NOW)


def test_a_volume_that_cannot_be_mounted_is_told_as_well():
    said = event("FailedMount", 'MountVolume.SetUp failed for volume "configuration"', uid="pod")

    assert "MountVolume.SetUp failed" in why_it_is_pending(
        Seen(JOB, [pod(CREATING, phase="Pending")], [said]), NOW
    )
