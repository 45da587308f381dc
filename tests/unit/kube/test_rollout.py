from datetime import UTC, datetime

from gatehouse.kube.rollout import rollout_problems, serving_pods

DONE = {
    "observedGeneration": 2,
    "replicas": 1,
    "updatedReplicas": 1,
    "availableReplicas": 1,
    "readyReplicas": 1,
}


def deployment(replicas=1, generation=2, status=None, **spec):
    return {
        "metadata": {"name": "coder", "uid": "d", "generation": generation},
        "spec": {"replicas": replicas, **spec},
        "status": DONE if status is None else status,
    }


def replica_set(revision, owner="d"):
    return {
        "metadata": {
            "name": f"coder-{revision}",
            "uid": f"r{revision}",
            "labels": {"pod-template-hash": f"hash{revision}"},
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [{"uid": owner}],
        }
    }


def pod(revision, ready="True", ending=False):
    metadata = {
        "name": f"coder-{revision}-x",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"pod-template-hash": f"hash{revision}"},
        "ownerReferences": [{"uid": f"r{revision}"}],
    }
    if ending:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {
        "metadata": metadata,
        "spec": {"containers": [{"image": "coder:2"}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_a_finished_rollout_has_no_problem():
    assert rollout_problems(deployment(), [replica_set(9), replica_set(10)], [pod(10)]) == []


def test_an_old_pod_that_still_serves_is_named_with_both_revisions():
    stuck = deployment(status={**DONE, "replicas": 2})
    problems = rollout_problems(stuck, [replica_set(9), replica_set(10)], [pod(9), pod(10, ready="False")])

    assert "pod coder-9-x serves, but is of revision 9 (pod-template-hash hash9)" in problems[0]
    assert "no pod of the current revision 10 (hash10) is ready" in problems[1]


def test_old_pods_that_end_or_are_not_ready_do_not_serve():
    pods = [pod(9, ending=True), pod(9, ready="False"), pod(10)]

    assert rollout_problems(deployment(), [replica_set(9), replica_set(10)], pods) == []


def test_a_change_that_was_not_taken_up_is_a_problem():
    (problem,) = rollout_problems(deployment(generation=3), [replica_set(10)], [pod(10)])

    assert problem == "generation 3 has not been taken up: the newest observed is 2"


def test_replicas_that_are_missing_are_counted():
    status = {**DONE, "updatedReplicas": 1, "availableReplicas": 2}
    problems = rollout_problems(deployment(replicas=3, status=status), [replica_set(10)], [pod(10)])

    assert problems == ["updatedReplicas is 1, not 3", "availableReplicas is 2, not 3"]


def test_what_the_controller_says_of_a_failed_rollout_is_told():
    progressing = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "timed out",
    }
    status = {**DONE, "conditions": [progressing]}

    assert rollout_problems(deployment(status=status), [replica_set(10)], [pod(10)]) == [
        "ProgressDeadlineExceeded: timed out"
    ]


def test_a_deployment_that_is_scaled_to_nothing_serves_nobody():
    (problem,) = rollout_problems(
        deployment(replicas=0, status={"observedGeneration": 2}), [replica_set(1)], []
    )

    assert problem == "it is scaled to 0 replicas"


def test_a_paused_rollout_is_told():
    assert rollout_problems(deployment(paused=True), [replica_set(1)], [pod(1)]) == ["its rollout is paused"]


def test_replica_sets_of_others_do_not_count():
    (problem,) = rollout_problems(deployment(), [replica_set(10, owner="other")], [pod(10)])

    assert problem == "it has no ReplicaSet"


def test_the_evidence_has_the_age_and_hash_of_each_pod():
    (seen,) = serving_pods([pod(3)], datetime(2026, 1, 1, 0, 1, tzinfo=UTC))

    assert seen == {
        "pod": "coder-3-x",
        "pod_template_hash": "hash3",
        "ready": True,
        "age_seconds": 60,
        "images": ["coder:2"],
    }
