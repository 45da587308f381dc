"""What a delete leaves behind is found on both planes, with the reason why it stays; neighbours are never blamed."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from gatehouse.coder.client import CoderClient
from gatehouse.coder.made import make_workspace
from gatehouse.coder.workspaces import delete, wait_for_build
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import TerminalState
from gatehouse.core.ledger import Ledger, outstanding
from gatehouse.kube.client import METADATA_ONLY, Cluster
from gatehouse.kube.inventory import KINDS, Search, Subject
from gatehouse.task.leaks import prove_gone
from gatehouse.task.planes import load_planes, looks
from tests.platform.conftest import repository_url, target_of, trusting

RUN = "20260101T000000Z-abc123"


@pytest.fixture
def made(start, tmp_path):
    """Starts a platform with scenarios; gives a life of one workspace there: made, deleted and looked for."""
    lives = []

    def made(*scenarios, **timings):
        lives.append(Life(start(*scenarios, **timings), tmp_path / "ledger.jsonl"))
        return lives[-1]

    yield made
    for life in lives:
        life.close()


class Hurried:
    """A clock that is ten times as fast, so that what is abandoned is known to be so in half a second."""

    def monotonic(self):
        return time.monotonic() * 10

    def now(self):
        return datetime.now(UTC)

    def sleep(self, seconds):
        time.sleep(seconds / 10)


class Life:
    def __init__(self, platform, ledger):
        self.platform = platform
        self.target = target_of(platform)
        self.coder = CoderClient(platform.urls.coder, platform.credentials.coder)
        self.cluster = Cluster(platform.kubeconfig)
        self.ledger = Ledger(ledger)
        self.search = Search(self.cluster, Subject(""))
        self.search.remember_before()
        self.workspace = self.make()
        self.search.subject = Subject(self.workspace.id, self.workspace.name, self.workspace.owner_name)
        self.search.look()

    def make(self):
        workspace = make_workspace(
            self.coder,
            self.target.coder,
            self.ledger,
            "task",
            suite="task",
            run_id=RUN,
            ttl_seconds=3600,
            on_intended=lambda _name: None,
        )
        wait_for_build(self.coder, workspace.id, Deadline.after(20))
        return workspace

    def delete(self):
        delete(self.coder, self.workspace.id, Deadline.after(20))

    def prove(self, seconds=200, **more):
        return prove_gone(
            self.coder,
            self.cluster,
            self.workspace.id,
            Deadline.after(seconds, Hurried()),
            search=self.search,
            **more,
        )

    def end(self, seconds=200, **more):
        self.delete()
        return self.prove(seconds, **more)

    def close(self):
        self.ledger.close()
        self.coder.close()
        self.cluster.close()


def line(proof, *words):
    (found,) = (each for each in proof.left if all(word in each for word in words))
    return found


# --- what stays, and why -----------------------------------------------------------------------------------


def test_a_workspace_that_was_deleted_is_proved_gone_on_both_planes(made):
    proof = made("happy").end()

    assert (proof.outcome, proof.coder, proof.left, proof.unverified) == ("clean", "gone", (), ())


def test_before_it_is_deleted_everything_of_a_workspace_is_left(made):
    proof = made("happy").prove(seconds=5)

    assert proof.outcome == "left"
    kinds = {each.split()[0] for each in proof.left}
    assert {"Coder", "namespaces", "deployments", "persistentvolumes", "networkpolicies"} <= kinds


@pytest.mark.parametrize("scenario", ["delete-fails-once", "delete-fails-twice"])
def test_a_delete_that_fails_is_tried_again(made, scenario):
    assert made(scenario).end().outcome == "clean"


def test_a_delete_that_always_fails_is_given_up_in_terraforms_words_and_the_workspace_is_left(made):
    life = made("delete-always-fails")
    with pytest.raises(TerminalState) as caught:
        life.delete()

    assert "unable to return a response" in str(caught.value)
    assert life.prove(seconds=5).left[0] == "Coder workspace (failed)"


def test_a_claim_that_stays_keeps_its_namespace_and_volume(made):
    proof = made("claim-leaks").end()

    assert "nobody has deleted it" in line(proof, "persistentvolumeclaims ")
    assert line(proof, "persistentvolumes ")
    assert line(proof, "namespaces ")


def test_a_pod_that_stays_is_told_with_its_owner(made):
    proof = made("pods-leak").end(seconds=15)

    assert "owner: ReplicaSet coder-" in line(proof, "pods ")
    assert "is still there" in line(proof, "pods ")


def test_a_volume_that_is_kept_is_told_with_its_policy_and_storage_class(made):
    proof = made("volume-retained").end()

    (kept,) = proof.left
    assert kept.startswith("persistentvolumes pvc-")
    assert "reclaim policy is Retain (storage class kept)" in kept


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("secret-leaks", "secrets coder/agent-gate-task-"),
        ("unlabelled-secret-leaks", "secrets coder/agent-gate-task-"),
        ("service-account-leaks", "/workspace:"),
        ("cluster-role-leaks", "clusterroles workspace-"),
        ("cluster-role-leaks", "clusterrolebindings workspace-"),
    ],
)
def test_what_else_stays_is_found(made, scenario, kind):
    proof = made(scenario).end()

    assert proof.outcome == "left"
    assert "nobody has deleted it" in line(proof, kind)


def test_without_a_snapshot_from_before_an_unlabelled_secret_is_nobodys(made):
    life = made("unlabelled-secret-leaks")
    life.search = None

    assert life.end().outcome == "clean"


def test_when_the_namespace_is_gone_what_is_cluster_wide_is_still_found(made):
    proof = made("cluster-role-leaks").end()

    assert {each.split()[0] for each in proof.left} == {"clusterroles", "clusterrolebindings"}


def test_a_finalizer_that_is_stuck_on_a_claim_is_named_with_who_sets_it_and_the_namespace_agrees(made):
    proof = made("claim-finalizer-stuck").end(seconds=15)

    assert (
        "held by backup.example.com/protect, set by whatever runs under the name backup.example.com"
        in line(proof, "persistentvolumeclaims ")
    )
    assert "NamespaceFinalizersRemaining: " in line(proof, "namespaces ")
    assert "backup.example.com/protect in 1 resource instances" in line(proof, "namespaces ")


def test_a_finalizer_that_is_stuck_on_a_namespace_is_named(made):
    proof = made("namespace-finalizer-stuck").end(seconds=15)

    (left,) = proof.left
    assert "terminating" in left
    assert "held by audit.example.com/record" in left


# --- who does not let anyone look --------------------------------------------------------------------------


def test_where_namespaces_may_not_be_listed_the_proof_is_unverified_and_says_so(made):
    proof = made("namespaces-forbidden").end()

    assert proof.outcome == "unverified"
    assert proof.unverified[0].startswith("namespaces: forbidden: ")
    assert 'cannot list resource "namespaces"' in proof.unverified[0]


def test_servers_that_are_overloaded_during_the_delete_are_asked_again(made):
    life = made("overloaded-during-deletes")

    assert life.end().outcome == "clean"
    refusals = life.platform.call(lambda systems: [each.times for each in systems.kubernetes.faults.refusals])
    assert refusals == [0, 0, 0]


# --- neighbours --------------------------------------------------------------------------------------------


def test_what_neighbours_make_meanwhile_is_never_a_leak_and_what_is_nobodys_is_told(made):
    life = made("happy")
    neighbour = life.make()
    life.platform.call(
        lambda systems: systems.store.create(
            next(kind for kind, _ in systems.store.everything() if kind.name == "Secret"),
            {"metadata": {"name": f"{life.workspace.name[:-1]}-of-ada"}},
            "coder",
        )
    )

    proof = life.end()

    assert proof.outcome == "clean"
    assert [each for each in proof.new if each.startswith("secrets coder/")]
    assert neighbour.id not in str(proof.new)
    assert life.coder.workspace(neighbour.id).latest_build.status == "running"


# --- how it looks ------------------------------------------------------------------------------------------


def test_a_look_lists_each_kind_once_with_nothing_but_metadata(made):
    life = made("happy")
    life.platform.call(lambda systems: systems.kubernetes.faults.counted.clear())
    life.search.look()

    counted = life.platform.call(lambda systems: dict(systems.kubernetes.faults.counted))
    assert len(counted) == len(KINDS)
    assert set(counted.values()) == {1}


def test_lists_of_metadata_leave_out_the_rest_and_come_in_pages(platform):
    headers = {"Authorization": f"Bearer {platform.credentials.kubernetes}", "Accept": METADATA_ONLY}
    with httpx.Client(
        base_url=platform.urls.kubernetes, headers=headers, verify=trusting(platform)
    ) as client:
        first = client.get("/api/v1/namespaces", params={"limit": 2}).json()
        token = first["metadata"]["continue"]
        second = client.get("/api/v1/namespaces", params={"limit": 500, "continue": token}).json()

    assert first["kind"] == "PartialObjectMetadataList"
    assert set(first["items"][0]) == {"apiVersion", "kind", "metadata"}
    named = [each["metadata"]["name"] for each in first["items"] + second["items"]]
    assert len(set(named)) == len(named)  # other tests' namespaces come and go meanwhile
    assert {"argocd", "coder", "shop-dev"} <= set(named)
    assert first["metadata"]["remainingItemCount"] == len(second["items"])


# --- further planes ----------------------------------------------------------------------------------------


def plane_of_the_guide(folder):
    """The example in docs/task.md as a module that settings can name."""
    guide = (Path(__file__).parents[2] / "docs" / "task.md").read_text()
    (example,) = (each for each in re.findall(r"```python\n(.*?)```", guide, re.S) if "def branches" in each)
    (folder / "planes_of_the_guide.py").write_text(example)
    return "planes_of_the_guide:branches"


def test_the_guides_plane_finds_a_branch_that_was_pushed_for_the_task(made, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    life = made("happy")
    task = life.target.task.model_copy(update={"repository": repository_url(life.platform)})
    target = life.target.model_copy(update={"task": task})
    (entry,) = outstanding(life.ledger.path)
    planes = looks(load_planes([plane_of_the_guide(tmp_path)]), target, entry)
    branch = f"agent/{entry.name}"
    (tmp_path / "left").mkdir()
    life.platform.call(
        lambda systems: systems.shop.repository.commit_folder(
            tmp_path / "left", "Leave a branch", branch=branch, base="main"
        )
    )

    proof = life.end(planes=planes)

    assert proof.planes == {"branches": "left"}
    assert proof.left == (f"branches: refs/heads/{branch}",)


def test_the_guides_plane_is_unverified_where_the_repository_cannot_be_read(made, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    life = made("happy")
    task = life.target.task.model_copy(update={"repository": str(tmp_path / "nowhere")})
    (entry,) = outstanding(life.ledger.path)
    target = life.target.model_copy(update={"task": task})

    proof = life.end(planes=looks(load_planes([plane_of_the_guide(tmp_path)]), target, entry))

    assert proof.outcome == "unverified"
    assert proof.unverified[0].startswith("branches: fatal: ")
