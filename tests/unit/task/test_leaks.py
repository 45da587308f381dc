import pytest

from gatehouse.coder.models import Workspace
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import AuthenticationError, LeakFound, NotFound
from gatehouse.kube.client import PODS
from gatehouse.kube.inventory import Found, Inventory
from gatehouse.task.leaks import LeakProof, Outcome, coder_state, decide, prove_gone
from tests.support.clock import FakeClock

ID = "8f273687-520e-41b9-bc24-139831ec7bb7"
POD = Found("pods", "ws", "pod", "uid-1")
ENDING = Found("pods", "ws", "pod", "uid-1", ending=True)


@pytest.mark.parametrize(
    ("coder", "inventory", "outcome"),
    [
        ("gone", Inventory(), Outcome.CLEAN),
        ("gone", Inventory((POD,)), Outcome.LEFT),
        ("gone", Inventory((ENDING,)), Outcome.LEFT),
        ("deleting", Inventory(), Outcome.LEFT),
        ("gone", Inventory(unverified={"secrets": "forbidden"}), Outcome.UNVERIFIED),
        ("unverified", Inventory(), Outcome.UNVERIFIED),
        ("gone", Inventory((POD,), {"secrets": "forbidden"}), Outcome.LEFT),
    ],
)
def test_only_both_planes_empty_and_looked_at_is_clean(coder, inventory, outcome):
    assert decide(ID, coder, inventory).outcome is outcome


def test_what_is_left_and_what_nobody_could_see_are_different_errors_and_both_are_leaks():
    with pytest.raises(LeakFound, match="1 of its objects are still there: pods ws/pod"):
        decide(ID, "gone", Inventory((POD,))).require_clean()
    with pytest.raises(LeakFound, match="nobody could verify") as caught:
        decide(ID, "gone", Inventory(unverified={"secrets": "forbidden"})).require_clean()
    assert "secrets: forbidden" in caught.value.seen


class Coder:
    def __init__(self, state, deleted=None):
        self.state, self.deleted = state, deleted or NotFound("404")

    def workspace(self, _id, *, include_deleted=False):
        answer = self.deleted if include_deleted else self.state
        if isinstance(answer, Exception):
            raise answer
        build = {
            "id": "b",
            "transition": "delete",
            "status": answer,
            "job": {"id": "j", "status": "succeeded"},
        }
        return Workspace.model_validate({"id": ID, "name": "one", "latest_build": build})


@pytest.mark.parametrize(
    ("coder", "state"),
    [
        (Coder("running"), "running"),
        (Coder(NotFound("410"), "deleted"), "gone"),
        (Coder(NotFound("410"), "deleting"), "deleting"),
        (Coder(NotFound("404")), "unverified"),
        (Coder(AuthenticationError("401")), "unverified"),
        (Coder(NotFound("410"), AuthenticationError("401")), "unverified"),
    ],
)
def test_what_coder_says_of_a_workspace(coder, state):
    assert coder_state(coder, ID) == state


class Cluster:
    """Pods by look; the last list repeats."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def list_all(self, kind):
        if kind is not PODS:
            return []
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def pod(ending=False):
    metadata = {"name": f"coder-{ID}-x", "namespace": "ws", "uid": "u"}
    return {"metadata": {**metadata, **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if ending else {})}}


def prove(cluster, seconds=60):
    clock = FakeClock()
    return prove_gone(Coder(NotFound("410"), "deleted"), cluster, ID, Deadline.after(seconds, clock)), clock


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


def test_a_proof_as_data_holds_plain_values_only_so_that_workers_can_send_it():
    data = LeakProof("ws", Outcome.CLEAN, "gone").as_data()

    assert type(data["outcome"]) is str
    assert data["outcome"] == "clean"
