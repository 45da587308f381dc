from contextlib import nullcontext

import pytest

from gatehouse.coder.models import Workspace
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import AuthenticationError, LeakFound, NotFound, PermissionDenied, Transient
from gatehouse.kube.client import CLAIMS, PODS, VOLUMES
from gatehouse.kube.inventory import Found, Inventory, Search, Subject
from gatehouse.task.leaks import (
    CoderState,
    LeakProof,
    Outcome,
    coder_state,
    decide,
    prove_gone,
    prove_never_made,
)
from gatehouse.task.planes import Answer
from tests.support.clock import FakeClock

ID = "8f273687-520e-41b9-bc24-139831ec7bb7"
POD = Found("pods", "ws", "pod", "uid-1")
ENDING = Found("pods", "ws", "pod", "uid-1", ending=True)
GONE, UNKNOWN = CoderState("gone"), CoderState("unverified", "it answers 401")


@pytest.mark.parametrize(
    ("coder", "inventory", "outcome"),
    [
        (GONE, Inventory(), Outcome.CLEAN),
        (CoderState("never made"), Inventory(), Outcome.CLEAN),
        (GONE, Inventory((POD,)), Outcome.LEFT),
        (GONE, Inventory((ENDING,)), Outcome.LEFT),
        (CoderState("deleting"), Inventory(), Outcome.LEFT),
        (GONE, Inventory(unverified={"secrets": "forbidden"}), Outcome.UNVERIFIED),
        (UNKNOWN, Inventory(), Outcome.UNVERIFIED),
        (GONE, Inventory((POD,), {"secrets": "forbidden"}), Outcome.LEFT),
        (GONE, Inventory(new=("secrets ns/other",)), Outcome.CLEAN),
    ],
)
def test_only_both_planes_empty_and_looked_at_is_clean(coder, inventory, outcome):
    assert decide(ID, coder, inventory).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer("branches"), Outcome.CLEAN),
        (Answer("branches", ["agent/one"]), Outcome.LEFT),
        (Answer("branches", unverified="401"), Outcome.UNVERIFIED),
        (Answer("branches", ["agent/one"], "the second page was refused"), Outcome.LEFT),
    ],
)
def test_a_further_plane_has_as_much_to_say_as_the_others(answer, outcome):
    proof = decide(ID, GONE, Inventory(), [Answer("database"), answer])

    assert proof.outcome is outcome
    assert proof.planes == {"database": "clean", "branches": answer.outcome}


def test_what_is_left_and_what_nobody_could_see_are_different_errors_and_both_are_leaks():
    with pytest.raises(LeakFound, match="1 of its objects are still there: pods ws/pod"):
        decide(ID, GONE, Inventory((POD,))).require_clean()
    with pytest.raises(LeakFound, match="nobody could verify") as caught:
        decide(ID, GONE, Inventory(unverified={"secrets": "forbidden"})).require_clean()
    assert "secrets: forbidden" in caught.value.seen


def test_of_many_new_things_that_are_nobodys_some_are_told_and_all_are_counted():
    proof = decide(ID, GONE, Inventory(new=tuple(f"secrets ns/s{number}" for number in range(50))))

    assert len(proof.new) == 21
    assert proof.new[-1] == "and 30 more"


class Coder:
    """Answers what it is told to; the last answer repeats."""

    def __init__(self, *states, deleted=None):
        self.states, self.deleted = list(states), deleted or NotFound("404")

    def workspace(self, _id, *, include_deleted=False):
        answer = self.deleted if include_deleted else self.states[0]
        if not include_deleted and len(self.states) > 1:
            self.states.pop(0)
        if isinstance(answer, Exception):
            raise answer
        build = {
            "id": "b",
            "transition": "delete",
            "status": answer,
            "job": {"id": "j", "status": "succeeded"},
        }
        return Workspace.model_validate({"id": ID, "name": "one", "latest_build": build})

    def within(self, _deadline):
        return nullcontext()


@pytest.mark.parametrize(
    ("coder", "state"),
    [
        (Coder("running"), "running"),
        (Coder(NotFound("410"), deleted="deleted"), "gone"),
        (Coder(NotFound("410"), deleted="deleting"), "deleting"),
        (Coder(NotFound("404")), "unverified"),
        (Coder(AuthenticationError("401")), "unverified"),
        (Coder(NotFound("410"), deleted=AuthenticationError("401")), "unverified"),
    ],
)
def test_what_coder_says_of_a_workspace(coder, state):
    assert coder_state(coder, ID).status == state


class Cluster:
    """Pods by look; the last list repeats. Other kinds are listed as `others` says."""

    def __init__(self, *looks, others=None):
        self.looks, self.others = list(looks), others or {}

    def list_metadata(self, kind):
        answer = self.others.get(kind, [])
        if kind is PODS:
            answer = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def list_all(self, kind, _namespace=None):
        return self.others.get(kind, [])

    def get(self, _kind, _name, _namespace=None):
        return None

    def within(self, _deadline):
        return nullcontext()


def item(name, ending=False, **metadata):
    ends = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if ending else {}
    return {"metadata": {"name": name, "namespace": "ws", "uid": f"uid-{name}", **ends, **metadata}}


def pod(ending=False):
    return item(f"coder-{ID}-x", ending, creationTimestamp="2025-12-31T23:59:30Z")


def prove(cluster, seconds=60, coder=None, **more):
    clock = FakeClock()
    coder = coder or Coder(NotFound("410"), deleted="deleted")
    return prove_gone(coder, cluster, ID, Deadline.after(seconds, clock), **more), clock


def test_the_proof_waits_for_what_is_terminating():
    proof, clock = prove(Cluster([pod(ending=True)], [pod(ending=True)], []))

    assert proof.outcome is Outcome.CLEAN
    assert clock.elapsed == 0.5


def test_what_never_goes_is_left_once_the_deadline_has_passed():
    proof, clock = prove(Cluster([pod(ending=True)]))

    assert proof.outcome is Outcome.LEFT
    assert clock.elapsed == 60


def test_what_nobody_deletes_any_more_is_not_waited_for_until_the_deadline():
    proof, clock = prove(Cluster([pod()]))

    assert proof.outcome is Outcome.LEFT
    assert clock.elapsed == 5
    assert proof.left == (f"pods ws/coder-{ID}-x: 35 s old, nobody has deleted it",)


def test_a_server_that_is_overloaded_for_a_while_is_asked_again():
    proof, clock = prove(Cluster(Transient("429"), Transient("503"), []))

    assert proof.outcome is Outcome.CLEAN
    assert clock.elapsed == 0.5


def test_a_server_that_is_overloaded_until_the_deadline_has_verified_nothing():
    proof, clock = prove(Cluster(Transient("Kubernetes answered 503", seen="overloaded")))

    assert proof.outcome is Outcome.UNVERIFIED
    assert proof.unverified == ("pods: Kubernetes answered 503: overloaded",)
    assert clock.elapsed == 60


def test_a_coder_that_is_overloaded_for_a_while_is_asked_again():
    proof, clock = prove(Cluster([]), coder=Coder(Transient("502"), NotFound("410"), deleted="deleted"))

    assert proof.outcome is Outcome.CLEAN
    assert clock.elapsed == 0.25


def test_what_is_forbidden_is_not_asked_for_again():
    proof, clock = prove(Cluster(PermissionDenied("403")))

    assert proof.outcome is Outcome.UNVERIFIED
    assert clock.elapsed == 0


def test_a_pod_whose_owner_is_gone_belongs_to_the_workspace_that_the_owner_was_seen_to_belong_to():
    reference = {"kind": "ReplicaSet", "name": "rs", "uid": f"uid-rs-{ID}"}
    cluster = Cluster([item("pod", ownerReferences=[reference])], others={CLAIMS: [item(f"rs-{ID}")]})
    search = Search(cluster, Subject(ID))
    search.look()
    cluster.others = {}

    proof, clock = prove(cluster, search=search)

    assert proof.left == (
        "pods ws/pod (owner: ReplicaSet rs): its owner ReplicaSet rs is gone, and the garbage collector has not "
        "come by yet",
    )
    assert clock.elapsed == 60


def test_a_volume_is_left_with_its_policy_as_the_reason():
    volume = {
        "metadata": {"name": "pv", "uid": "uid-pv"},
        "spec": {
            "claimRef": {"name": f"coder-{ID}-home", "namespace": "ws"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "kept",
        },
        "status": {"phase": "Released"},
    }
    proof, clock = prove(Cluster([], others={VOLUMES: [volume]}))

    assert "reclaim policy is Retain (storage class kept)" in proof.left[0]
    assert clock.elapsed == 5


def test_a_released_volume_whose_disk_is_being_deleted_is_waited_for():
    spec = {"claimRef": {"namespace": f"ws-{ID}"}, "persistentVolumeReclaimPolicy": "Delete"}
    volume = {
        "metadata": {"name": "pv", "uid": "uid-pv"},
        "spec": spec,
        "status": {"phase": "Released"},
    }
    proof, clock = prove(Cluster([], others={VOLUMES: [volume]}))

    assert proof.outcome is Outcome.LEFT
    assert clock.elapsed == 60


def test_a_plane_is_asked_again_with_each_look():
    answers = [Answer("branches", ["agent/one"]), Answer("branches")]
    proof, _ = prove(Cluster([]), planes=[lambda: answers.pop(0) if len(answers) > 1 else answers[0]])

    assert proof.outcome is Outcome.CLEAN


def test_without_a_cluster_nothing_is_verified():
    proof, _ = prove(None)

    assert proof.outcome is Outcome.UNVERIFIED
    assert proof.unverified == ("cluster: the target has no kubernetes section",)


def test_of_a_workspace_that_was_never_made_what_has_its_name_is_left():
    clock = FakeClock()
    labelled = item("s", labels={"com.coder.workspace.name": "gate-task-1"})
    coder = Coder(NotFound("404"))
    deadline = Deadline.after(60, clock)

    assert prove_never_made(coder, Cluster([]), "gate-task-1", deadline).outcome is Outcome.CLEAN
    proof = prove_never_made(coder, Cluster([labelled]), "gate-task-1", deadline)
    assert proof.outcome is Outcome.LEFT


def test_a_proof_as_data_holds_plain_values_only_so_that_workers_can_send_it():
    data = LeakProof("ws", Outcome.CLEAN, "gone").as_data()

    assert type(data["outcome"]) is str
    assert data["outcome"] == "clean"
