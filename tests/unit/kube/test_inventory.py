from gatehouse.core.errors import NotFound, PermissionDenied, Unreachable
from gatehouse.kube.client import (
    CLAIMS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    PODS,
    REPLICA_SETS,
    SECRETS,
    VOLUMES,
)
from gatehouse.kube.inventory import KINDS, Search, Subject, belonging, workspace_inventory

ID = "8f273687-520e-41b9-bc24-139831ec7bb7"
OTHER = "00000000-520e-41b9-bc24-139831ec7bb7"


def item(name, *, namespace="ws", labels=None, owners=(), **rest):
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{namespace}-{name}",
        "labels": labels,
        "ownerReferences": [{"uid": owner} for owner in owners] or None,
        **rest.pop("metadata", {}),
    }
    return {"metadata": metadata, **rest}


def names(*objects):
    return [found.name for found in belonging(objects, ID)]


def test_objects_belong_by_label():
    assert names(
        (SECRETS, item("a", labels={"com.coder.workspace.id": ID})), (SECRETS, item("b", labels={}))
    ) == ["a"]


def test_objects_belong_by_name():
    assert names((DEPLOYMENTS, item(f"coder-{ID}")), (DEPLOYMENTS, item(f"coder-{OTHER}"))) == [f"coder-{ID}"]


def test_pods_that_carry_no_label_of_their_own_belong_by_their_chain_of_owners():
    deployment = item(f"coder-{ID}")
    replica_set = item("rs", owners=[deployment["metadata"]["uid"]])
    pod = item("pod", owners=[replica_set["metadata"]["uid"]])
    neighbour = item("neighbour", labels={"app.kubernetes.io/name": "coder-workspace"})

    found = names((PODS, pod), (PODS, neighbour), (REPLICA_SETS, replica_set), (DEPLOYMENTS, deployment))

    assert sorted(found) == sorted([f"coder-{ID}", "rs", "pod"])


def test_everything_in_a_namespace_of_the_workspaces_own_belongs():
    assert names((SECRETS, item("token", namespace=f"coder-ws-{ID}"))) == ["token"]


def test_a_released_volume_still_belongs_by_its_claim():
    volume = item("pv-1", namespace="", spec={"claimRef": {"name": f"coder-{ID}-home", "namespace": "ws"}})

    assert names((VOLUMES, volume), (VOLUMES, item("pv-2", namespace="", spec={"claimRef": None}))) == [
        "pv-1"
    ]


def test_terminating_is_shown_with_what_holds_it():
    claim = item(
        f"coder-{ID}",
        metadata={
            "deletionTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": ["kubernetes.io/pvc-protection"],
        },
    )

    (found,) = belonging([(CLAIMS, claim)], ID)

    assert found.ending
    assert str(found) == (
        f"persistentvolumeclaims ws/coder-{ID} (terminating; finalizers: kubernetes.io/pvc-protection)"
    )


class Cluster:
    def __init__(self, answers):
        self.answers = answers
        self.calls = 0

    def list_metadata(self, kind):
        self.calls += 1
        answer = self.answers.get(kind, [])
        if isinstance(answer, Exception):
            raise answer
        return answer

    list_all = list_metadata


def test_a_kind_that_may_not_be_listed_is_unverified_and_not_clean():
    inventory = workspace_inventory(
        Cluster(
            {SECRETS: PermissionDenied("403", seen="cannot list secrets"), PODS: Unreachable("no answer")}
        ),
        ID,
    )

    assert inventory.found == ()
    assert inventory.unverified == {"secrets": "forbidden: cannot list secrets", "pods": "no answer"}
    assert inventory.passing == {"pods"}


def test_a_kind_that_a_cluster_need_not_serve_may_be_missing():
    assert workspace_inventory(Cluster({HTTP_ROUTES: NotFound("404")}), ID).unverified == {}


def test_a_kind_that_every_cluster_serves_is_unverified_where_the_server_knows_nothing_of_it():
    assert workspace_inventory(Cluster({PODS: NotFound("404")}), ID).unverified == {"pods": "404"}


def test_the_number_of_calls_does_not_depend_on_the_number_of_objects():
    few, many = Cluster({}), Cluster({PODS: [item(f"p{number}") for number in range(500)]})
    workspace_inventory(few, ID)
    workspace_inventory(many, ID)

    assert few.calls == many.calls == len(KINDS)


def test_what_is_new_since_the_snapshot_is_told_apart_from_what_was_there():
    cluster = Cluster({SECRETS: [item("old")], PODS: PermissionDenied("403")})
    search = Search(cluster, Subject(ID, "gate-task-1"))
    search.remember_before()
    cluster.answers = {
        SECRETS: [item("old"), item("token-gate-task-1"), item("someones")],
        PODS: [item("gate-task-1-pod")],
    }

    inventory = search.look()

    assert [each.name for each in inventory.found] == ["token-gate-task-1"]
    assert inventory.new == ("secrets ws/someones",)


def test_what_was_seen_to_belong_makes_its_orphans_belong_in_later_looks():
    owner = item("rs", labels={"com.coder.workspace.id": ID})
    orphan = item("pod", owners=[owner["metadata"]["uid"]])
    cluster = Cluster({REPLICA_SETS: [owner], PODS: [orphan]})
    search = Search(cluster, Subject(ID))
    assert len(search.look().found) == 2

    cluster.answers = {PODS: [orphan]}

    assert [each.name for each in search.look().found] == ["pod"]
    assert workspace_inventory(cluster, ID).found == ()
