import pytest

from gatehouse.argocd.live import live_objects
from gatehouse.core.errors import EnvironmentProblem, NotFound, PermissionDenied
from gatehouse.kube.client import DEPLOYMENTS, PODS, REPLICA_SETS


class FakeCluster:
    """Answers with what it is given, and notes what is asked."""

    server = "https://cluster.example:6443"

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def list_all(self, kind, namespace):
        self.asked.append(("list", kind.plural, namespace))
        answer = self.answers.get(kind.plural, [])
        if isinstance(answer, Exception):
            raise answer
        return [{"metadata": {"name": name, "uid": name}} for name in answer]

    def get(self, kind, name, namespace):
        self.asked.append(("get", f"{kind.path}/{kind.plural}", f"{namespace}/{name}"))
        answer = self.answers.get("get", True)
        if isinstance(answer, Exception):
            raise answer
        return {"metadata": {"name": name, "uid": name}} if answer else None


def application(*resources, **destination):
    destination = destination or {"server": "https://kubernetes.default.svc", "namespace": "pr-7"}
    entries = [
        {"group": group, "version": version, "kind": kind, "namespace": "pr-7", "name": "web"}
        for group, version, kind in resources
    ]
    return {
        "metadata": {"name": "web"},
        "spec": {"destination": destination},
        "status": {"resources": entries},
    }


DEPLOYMENT = ("apps", "v1", "Deployment")


def names(found):
    return [f"{each.reference.kind}/{each.reference.name}" for each in found]


def test_what_is_owned_is_read_before_what_owns_it():
    cluster = FakeCluster(pods=["web-1-x"], replicasets=["web-1"])
    assert names(live_objects(cluster, application(DEPLOYMENT))) == [
        *("Pod/web-1-x", "ReplicaSet/web-1", "Deployment/web"),
    ]
    assert cluster.asked == [
        ("list", PODS.plural, "pr-7"),
        ("list", REPLICA_SETS.plural, "pr-7"),
        ("get", f"{DEPLOYMENTS.path}/{DEPLOYMENTS.plural}", "pr-7/web"),
    ]


def test_neither_secrets_nor_configuration_is_read():
    cluster = FakeCluster()
    assert live_objects(cluster, application(("", "v1", "Secret"), ("", "v1", "ConfigMap"))) == []
    assert cluster.asked == []


def test_what_an_operator_makes_of_its_objects_is_looked_for_among_all_kinds():
    cluster = FakeCluster()
    live_objects(cluster, application(("example.com", "v1", "Widget")))
    assert {plural for verb, plural, _ in cluster.asked if verb == "list"} >= {
        *("pods", "replicasets", "jobs", "deployments", "statefulsets", "daemonsets"),
        *("endpointslices", "httproutes", "ingresses"),
    }


def test_an_object_is_read_in_the_version_that_is_tracked():
    cluster = FakeCluster()
    live_objects(cluster, application(("gateway.networking.k8s.io", "v1beta1", "HTTPRoute")))
    assert cluster.asked == [("get", "apis/gateway.networking.k8s.io/v1beta1/httproutes", "pr-7/web")]


def test_kinds_that_are_not_served_are_left_out():
    cluster = FakeCluster(replicasets=NotFound("404"))
    assert names(live_objects(cluster, application(DEPLOYMENT))) == ["Deployment/web"]


@pytest.mark.parametrize("plural", ["pods", "replicasets"])
def test_kinds_that_lead_to_pods_must_be_readable(plural):
    cluster = FakeCluster(**{plural: PermissionDenied("403", seen="cannot list")})
    with pytest.raises(PermissionDenied) as caught:
        live_objects(cluster, application(DEPLOYMENT))
    assert caught.value.next_step == (
        f"grant this identity the verbs get and list on {plural} in the namespace pr-7"
    )


def test_other_kinds_may_be_forbidden():
    cluster = FakeCluster(endpointslices=PermissionDenied("403"), get=PermissionDenied("403"))
    assert live_objects(cluster, application(("", "v1", "Service"))) == []


def test_what_is_missing_is_left_out():
    assert live_objects(FakeCluster(get=False), application(DEPLOYMENT)) == []


@pytest.mark.parametrize(
    "destination",
    [
        {"server": "https://kubernetes.default.svc/"},
        {"server": "https://cluster.example:6443"},
        {"name": "in-cluster"},
    ],
)
def test_this_cluster_is_known_by_its_names(destination):
    assert live_objects(FakeCluster(), application(**destination)) == []


@pytest.mark.parametrize("destination", [{"server": "https://other.example"}, {"name": "staging"}])
def test_another_cluster_is_refused_by_its_name(destination):
    with pytest.raises(EnvironmentProblem) as caught:
        live_objects(FakeCluster(), application(**destination))
    assert next(iter(destination.values())) in caught.value.seen
