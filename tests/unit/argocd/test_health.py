import pytest

from gatehouse.argocd.health import Health, health_of

APPS, ROUTES = "apps", "gateway.networking.k8s.io"
WAITING = "Waiting for rollout to finish: "


def health(group, kind, status, spec=None, **metadata):
    item = {"metadata": {"name": "web", "generation": 2, **metadata}, "spec": spec or {}, "status": status}
    return health_of(group, kind, item)


def condition(kind, status="True", **rest):
    return {"conditions": [{"type": kind, "status": status, **rest}]}


ROLLED_OUT = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({}, "Healthy", ""),
        (
            {"observedGeneration": 1},
            "Progressing",
            f"{WAITING}observed deployment generation less than desired generation",
        ),
        (
            {"updatedReplicas": 1},
            "Progressing",
            f"{WAITING}1 out of 2 new replicas have been updated...",
        ),
        ({"replicas": 3}, "Progressing", f"{WAITING}1 old replicas are pending termination..."),
        (
            {"availableReplicas": 1},
            "Progressing",
            f"{WAITING}1 of 2 updated replicas are available...",
        ),
        (
            condition("Progressing", "False", reason="ProgressDeadlineExceeded"),
            "Degraded",
            'Deployment "web" exceeded its progress deadline',
        ),
    ],
)
def test_a_deployment(change, status, message):
    found = health(APPS, "Deployment", {**ROLLED_OUT, **change}, {"replicas": 2})
    assert found == Health(status, message)


def test_a_paused_deployment_is_suspended():
    found = health(APPS, "Deployment", {}, {"paused": True})
    assert found == Health("Suspended", "Deployment is paused")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"observedGeneration": 2, "availableReplicas": 2}, "Healthy"),
        ({"observedGeneration": 2}, "Progressing"),
        ({"observedGeneration": 1, "availableReplicas": 2}, "Progressing"),
        ({"observedGeneration": 2, **condition("ReplicaFailure", message="quota")}, "Degraded"),
    ],
)
def test_a_replica_set(status, expected):
    assert health(APPS, "ReplicaSet", status, {"replicas": 2}).status == expected


STATEFUL = {"observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 1, "updateRevision": "b"}


@pytest.mark.parametrize(
    ("change", "strategy", "expected"),
    [
        ({"currentRevision": "b"}, {}, "Healthy"),
        ({"currentRevision": "a"}, {}, "Progressing"),
        ({"currentRevision": "a"}, {"type": "OnDelete"}, "Healthy"),
        ({"currentRevision": "a"}, {"rollingUpdate": {"partition": 1}}, "Healthy"),
        ({"updatedReplicas": 0}, {"rollingUpdate": {"partition": 1}}, "Progressing"),
        ({"readyReplicas": 1, "currentRevision": "b"}, {}, "Progressing"),
        ({"observedGeneration": 1, "currentRevision": "b"}, {}, "Progressing"),
    ],
)
def test_a_stateful_set(change, strategy, expected):
    spec = {"replicas": 2, "updateStrategy": strategy}
    assert health(APPS, "StatefulSet", {**STATEFUL, **change}, spec).status == expected


DAEMONS = {
    "observedGeneration": 2,
    "desiredNumberScheduled": 2,
    "updatedNumberScheduled": 2,
    "numberAvailable": 2,
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "Healthy"),
        ({"observedGeneration": 1}, "Progressing"),
        ({"updatedNumberScheduled": 1}, "Progressing"),
        ({"numberAvailable": 1}, "Progressing"),
    ],
)
def test_a_daemon_set(change, expected):
    assert health(APPS, "DaemonSet", {**DAEMONS, **change}).status == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, Health("Progressing")),
        (condition("Complete", message="done"), Health("Healthy", "done")),
        (condition("Failed", message="limit reached"), Health("Degraded", "limit reached")),
        (condition("Suspended"), Health("Suspended")),
    ],
)
def test_a_job(status, expected):
    assert health("batch", "Job", status) == expected


def container(state, **rest):
    return {"containerStatuses": [{"name": "main", "state": state, **rest}]}


BACK_OFF = container({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}})
ENDED = container({"terminated": {"exitCode": 3}})


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Pending"}, Health("Progressing")),
        ({"phase": "Pending", **BACK_OFF}, Health("Degraded", "no such image")),
        ({"phase": "Running", **condition("Ready")}, Health("Healthy")),
        ({"phase": "Running", **condition("Ready", "False")}, Health("Progressing")),
        (
            {"phase": "Running", **container({"running": {}}, lastState={"terminated": {"exitCode": 1}})},
            Health("Degraded"),
        ),
        ({"phase": "Succeeded"}, Health("Healthy")),
        ({"phase": "Failed", "message": "evicted"}, Health("Degraded", "evicted")),
        ({"phase": "Failed", **ENDED}, Health("Degraded", 'container "main" failed with exit code 3')),
        ({}, Health("Unknown")),
    ],
)
def test_a_pod(status, expected):
    assert health("", "Pod", status) == expected


@pytest.mark.parametrize("status", [{"phase": "Pending", **BACK_OFF}, {"phase": "Running"}])
def test_a_pod_that_runs_once_is_under_way_until_it_ends(status):
    assert health("", "Pod", status, {"restartPolicy": "Never"}).status == "Progressing"


@pytest.mark.parametrize(
    ("phase", "expected"), [("Bound", "Healthy"), ("Pending", "Progressing"), ("Lost", "Degraded")]
)
def test_a_claim(phase, expected):
    assert health("", "PersistentVolumeClaim", {"phase": phase}).status == expected


ADDRESS = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}


def test_a_service_needs_an_address_only_as_a_load_balancer():
    assert health("", "Service", {}).status == "Healthy"
    assert health("", "Service", {}, {"type": "LoadBalancer"}).status == "Progressing"
    assert health("", "Service", ADDRESS, {"type": "LoadBalancer"}).status == "Healthy"


def test_an_ingress_is_healthy_once_it_has_an_address():
    assert health("networking.k8s.io", "Ingress", {}).status == "Progressing"
    assert health("networking.k8s.io", "Ingress", ADDRESS).status == "Healthy"


def parents(*conditions):
    return {"parents": [{"parentRef": {"name": "edge"}, "conditions": list(conditions)}]}


ACCEPTED = {"type": "Accepted", "status": "True", "observedGeneration": 2}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, Health("Progressing", "Waiting for HTTPRoute status")),
        (parents(ACCEPTED), Health("Healthy")),
        (
            parents({**ACCEPTED, "observedGeneration": 1}),
            Health("Progressing", "Waiting for HTTPRoute status"),
        ),
        (
            parents({**ACCEPTED, "status": "False", "message": "no such host"}),
            Health("Degraded", "Parent edge: no such host"),
        ),
        (
            parents(ACCEPTED, {"type": "ResolvedRefs", "status": "False"}),
            Health("Degraded", "Parent edge: Failed condition: ResolvedRefs"),
        ),
        (
            parents(ACCEPTED, {"type": "Programmed", "status": "Unknown"}),
            Health("Progressing", "Parent edge: Route is still being programmed"),
        ),
    ],
)
def test_a_route(status, expected):
    assert health(ROUTES, "HTTPRoute", status) == expected


def test_what_is_being_deleted_is_not_well_whatever_its_status_says():
    found = health("", "Pod", {"phase": "Succeeded"}, deletionTimestamp="2026-01-01T00:00:00Z")
    assert found == Health("Progressing", "Pending deletion")


def test_a_kind_without_a_check_has_no_health():
    assert health("", "ConfigMap", {}) is None
