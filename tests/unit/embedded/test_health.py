import pytest

from gatehouse.embedded.argocd.health import health_of, worst


def deployment(**status):
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 2},
        "status": status,
    }


DONE = {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("status", "health"),
    [
        (DONE, "Healthy"),
        ({**DONE, "observedGeneration": 1}, "Progressing"),
        ({**DONE, "updatedReplicas": 1}, "Progressing"),
        ({**DONE, "replicas": 3}, "Progressing"),
        ({**DONE, "availableReplicas": 1}, "Progressing"),
        (
            {
                **DONE,
                "conditions": [
                    {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "status": "False"}
                ],
            },
            "Degraded",
        ),
    ],
)
def test_a_deployment(status, health):
    assert health_of(deployment(**status))[0] == health


@pytest.mark.parametrize(
    ("reason", "health"),
    [
        ("ImagePullBackOff", "Degraded"),
        ("ErrImagePull", "Degraded"),
        ("CreateContainerConfigError", "Degraded"),
        ("ContainerCreating", "Progressing"),
    ],
)
def test_a_pod_is_degraded_by_what_its_container_waits_for(reason, health):
    status = {
        "phase": "Pending",
        "containerStatuses": [{"state": {"waiting": {"reason": reason}}, "ready": False}],
    }

    assert health_of({"kind": "Pod", "metadata": {"name": "p"}, "status": status})[0] == health


@pytest.mark.parametrize("kind", ["ExternalSecret", "SecretStore"])
@pytest.mark.parametrize(
    ("conditions", "health"),
    [
        ([], ("Progressing", "Waiting for {kind}")),
        ([{"type": "Ready", "status": "True", "message": "all right"}], ("Healthy", "all right")),
        ([{"type": "Ready", "status": "False", "message": "denied"}], ("Degraded", "denied")),
    ],
)
def test_an_external_secret_and_its_store_are_as_their_ready_condition(kind, conditions, health):
    item = {"kind": kind, "metadata": {"name": "s"}, "status": {"conditions": conditions}}

    assert health_of(item) == (health[0], health[1].format(kind=kind))


def test_what_is_not_there_is_missing_and_a_kind_without_a_check_counts_as_nothing():
    assert health_of(None) == ("Missing", "")
    assert health_of({"kind": "ConfigMap", "metadata": {"name": "c"}}) is None


def test_an_application_is_as_healthy_as_its_worst_resource_and_nothing_at_all_is_healthy():
    assert worst(["Healthy", "Degraded", "Progressing"]) == "Degraded"
    assert worst([]) == "Healthy"
