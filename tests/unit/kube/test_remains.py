"""Why something stays: decided from the object and what is around it."""

from datetime import UTC, datetime

import pytest

from gatehouse.core.errors import PermissionDenied
from gatehouse.kube.client import NAMESPACES, PODS
from gatehouse.kube.inventory import Found
from gatehouse.kube.remains import Around, explained, goes_by_itself, reason, setter_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EMPTY = Around({}, {})


def claim(**more):
    return Found("persistentvolumeclaims", "ws", "data", "c1", **more)


def pod(name, claim_name):
    volumes = [{"name": "x"}, {"name": "y", "persistentVolumeClaim": {"claimName": claim_name}}]
    return {"metadata": {"name": name, "namespace": "ws"}, "spec": {"volumes": volumes}}


def namespace(*conditions, finalizers=()):
    return {
        "metadata": {"name": "ws", "finalizers": list(finalizers)},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {
            "conditions": [{"type": type_, "status": status, "message": m} for type_, status, m in conditions]
        },
    }


def test_a_protected_claim_names_the_pod_that_uses_it():
    held = claim(ending=True, finalizers=("kubernetes.io/pvc-protection",))
    around = Around({"ws": [pod("other", "else"), pod("dev", "data")]}, {})

    assert reason(held, around) == "the pod dev still uses it (kubernetes.io/pvc-protection)"


def test_a_protected_claim_that_no_pod_uses_is_held_by_kubernetes():
    held = claim(ending=True, finalizers=("kubernetes.io/pvc-protection",))

    assert reason(held, EMPTY) == (
        "held by kubernetes.io/pvc-protection, set by Kubernetes, until no pod uses the claim"
    )


@pytest.mark.parametrize(
    ("finalizer", "who"),
    [
        ("foregroundDeletion", "garbage collector"),
        ("external-provisioner.volume.kubernetes.io/finalizer", "provisioner"),
        ("external-attacher/disk-csi-azure-com", "attacher"),
        ("resources-finalizer.argocd.argoproj.io/background", "Argo CD"),
        ("backup.example.com/protect", "backup.example.com; is it still running?"),
    ],
)
def test_a_finalizer_is_told_with_who_usually_sets_it(finalizer, who):
    assert who in setter_of(finalizer)
    assert who in reason(claim(ending=True, finalizers=(finalizer,)), EMPTY)


def test_a_namespace_says_itself_why_it_stays():
    stuck = namespace(
        (
            "NamespaceContentRemaining",
            "True",
            "Some resources are remaining: secrets. has 1 resource instances",
        ),
        ("NamespaceFinalizersRemaining", "True", "a.b/c in 1 resource instances"),
        ("NamespaceDeletionContentFailure", "False", "All content successfully deleted"),
        finalizers=["ops.example.com/audit"],
    )
    words = reason(Found("namespaces", "", "ws", "n1", ending=True), Around({}, {"ws": stuck}))

    assert "NamespaceContentRemaining: Some resources are remaining: secrets. has 1" in words
    assert "NamespaceFinalizersRemaining: a.b/c in 1 resource instances" in words
    assert "held by ops.example.com/audit" in words
    assert "ContentFailure" not in words


def volume(policy="Delete", phase="Released", message=""):
    item = {
        "spec": {"persistentVolumeReclaimPolicy": policy, "storageClassName": "fast"},
        "status": {"phase": phase, "message": message},
    }
    return Found("persistentvolumes", "", "pv", "v1", item=item)


@pytest.mark.parametrize(
    ("found", "words", "by_itself"),
    [
        (volume("Retain"), "reclaim policy is Retain (storage class fast)", False),
        (volume("Delete"), "has not deleted the disk yet", True),
        (
            volume("Delete", "Failed", "disk is attached"),
            "could not delete the disk: disk is attached",
            False,
        ),
        (volume("Delete", "Bound"), "nobody has deleted it", False),
    ],
)
def test_a_volume_stays_for_its_policy_or_its_driver(found, words, by_itself):
    assert words in reason(found, EMPTY)
    assert goes_by_itself(found, frozenset()) is by_itself


def owned():
    references = {"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "name": "rs", "uid": "r1"}]}}
    return Found("pods", "ws", "p", "p1", owners=("ReplicaSet rs",), item=references)


def test_what_has_an_owner_stays_with_it_or_waits_for_the_garbage_collector():
    alive = Around({}, {}, frozenset({"r1"}))

    assert reason(owned(), alive) == "its owner ReplicaSet rs is still there"
    assert not goes_by_itself(owned(), alive.present)
    assert "the garbage collector has not come by yet" in reason(owned(), EMPTY)
    assert goes_by_itself(owned(), frozenset())


def test_what_has_nothing_to_hold_it_and_is_not_being_deleted_was_forgotten():
    assert reason(claim(), EMPTY) == "nobody has deleted it"
    assert reason(claim(ending=True), EMPTY) == "it is being deleted, and has not ended yet"


class Cluster:
    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def get(self, kind, name):
        self.asked.append((kind, name))
        return self._answer()

    def list_all(self, kind, namespace):
        self.asked.append((kind, namespace))
        return self._answer()

    def _answer(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_reasons_ask_only_for_what_they_need():
    found = [claim(ending=True), claim(ending=True), owned(), claim()]
    cluster = Cluster([pod("dev", "data")])
    explained(cluster, found, NOW)

    assert cluster.asked == [(PODS, "ws")]


def test_a_reason_that_may_not_be_asked_for_is_what_the_object_itself_says():
    cluster = Cluster(PermissionDenied("403"))
    stuck = Found("namespaces", "", "ws", "n1", ending=True, finalizers=("a.b/c",))

    assert "held by a.b/c" in explained(cluster, [stuck], NOW)[0]
    assert cluster.asked == [(NAMESPACES, "ws")]


def test_the_age_is_told_in_seconds_and_then_in_hours():
    def aged(created):
        return claim(item={"metadata": {"creationTimestamp": created}})

    told = explained(Cluster([]), [aged("2025-12-31T23:59:00Z"), aged("2025-12-31T21:30:00Z"), claim()], NOW)
    assert [each.partition(": ")[2].partition(",")[0] for each in told] == [
        "60 s old",
        "2.5 h old",
        "nobody has deleted it",
    ]
