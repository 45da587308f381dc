"""One Job from creation to removal, on a cluster that fails in every way at every step."""

import json

import pytest

from gatehouse.core.errors import (
    AuthenticationError,
    InfrastructureError,
    LeakFound,
    NotFound,
    PermissionDenied,
    Unreachable,
    UsageError,
    WaitTimeout,
)
from gatehouse.core.ledger import Ledger, outstanding
from gatehouse.job import running
from gatehouse.job.collect import Collected
from gatehouse.job.order import Order
from gatehouse.job.running import JobRun
from gatehouse.kube.client import CONFIG_MAPS, EVENTS, JOBS, PODS
from tests.support.clock import FakeClock

ORDER = Order("suite-1", "n", "registry/suite:1", 900, ("-m", "smoke"))


class Cluster:
    """A cluster with one Job; `states` are its pod's, one a look, the last one for ever."""

    server = "https://cluster.example.com"

    def __init__(self, *states):
        self.states = list(states)
        self.made, self.deleted, self.events = {}, [], []
        self.faults = {}
        self.stays = False

    def _fail(self, what):
        if fault := self.faults.get(what):
            raise fault

    def create(self, kind, _namespace, item):
        if kind is JOBS and "lost" in self.faults:
            self.made[kind] = item | {"metadata": {**item["metadata"], "uid": "u"}}
            raise self.faults.pop("lost")
        self._fail(("create", kind))
        self.made[kind] = item | {"metadata": {**item["metadata"], "uid": "u"}}
        return self.made[kind]

    def get(self, kind, _name, _namespace):
        self._fail(("get", kind))
        return self.made.get(kind)

    def list_all(self, kind, _namespace, labels=""):
        self._fail(("list", kind))
        if kind is EVENTS:
            return self.events
        assert labels == "job-name=suite-1"
        if JOBS not in self.made:
            return []
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, BaseException):
            raise state
        return [state] if state else []

    def delete(self, kind, name, _namespace, *, foreground):
        self._fail(("delete", kind))
        self.deleted.append(name)
        if not self.stays and self.made.pop(kind, None) is None:
            raise NotFound("no such Job")

    def follow_log(self, *_names):
        raise UsageError("no log")


def pod(state, ready=False):
    statuses = [{"name": "suite", "image": "registry/suite:1", "state": state}]
    return {
        "metadata": {
            "name": "suite-1-x",
            "namespace": "n",
            "uid": "p",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"containers": [{"name": "suite"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": statuses,
        },
    }


RUNS = pod({"running": {}})
DONE = pod({"running": {}}, ready=True)
NO_IMAGE = pod({"waiting": {"reason": "ErrImagePull", "message": "not found"}})


class Run:
    """What became of a run on a cluster."""

    def __init__(self, folder, cluster, monkeypatch, collected):
        self.clock, self.said, self.stopped, self.cluster = FakeClock(), [], [], cluster
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.evidence = folder / "inside"

        def collect(*_arguments):
            if isinstance(collected, BaseException):
                raise collected
            return collected

        monkeypatch.setattr(running, "collect", collect)
        monkeypatch.setattr(running, "tell_collected", lambda *_arguments: None)
        monkeypatch.setattr(running, "ask_to_stop", self.ask_to_stop)

    def ask_to_stop(self, *_arguments):
        self.stopped.append(True)
        self.cluster.states = [DONE]
        return True

    def __call__(self):
        run = JobRun(
            self.cluster,
            ORDER,
            self.ledger,
            "run-1",
            say=self.said.append,
            write=lambda _output: None,
            clock=self.clock,
        )
        return run.run({"gatehouse.yaml": "version: 1"}, self.evidence)

    @property
    def left(self):
        """What the ledger says may still be there."""
        return [entry.name for entry in outstanding(self.ledger.path)]


@pytest.fixture
def on(tmp_path, monkeypatch):
    def on(cluster, collected=None):
        return Run(tmp_path, cluster, monkeypatch, collected or Collected(1, None))

    return on


def test_the_suites_result_comes_back_and_nothing_is_left(on):
    run = on(Cluster(None, RUNS, RUNS, DONE))

    assert run() == Collected(1, None)
    assert run.cluster.deleted == ["suite-1"]
    assert run.left == []
    assert run.said == [
        "job n/suite-1: created",
        "job n/suite-1: there is no pod yet",
        "job n/suite-1: the suite runs",
        "job n/suite-1: the evidence is complete",
        "job n/suite-1: is removed",
    ]


def test_the_ledger_knows_of_the_job_before_the_cluster_does(on, tmp_path):
    cluster = Cluster(DONE)
    run = on(cluster)
    create = cluster.create

    def create_after_the_ledger(kind, namespace, item):
        assert run.left == ["n/suite-1"]
        return create(kind, namespace, item)

    cluster.create = create_after_the_ledger
    run()

    assert [json.loads(line)["event"] for line in run.ledger.path.read_text().splitlines()] == [
        "intend",
        "created",
        "gone",
    ]


@pytest.mark.parametrize(
    "error",
    [
        PermissionDenied("Kubernetes refuses (403)", seen="jobs is forbidden"),
        AuthenticationError("Kubernetes does not accept the token (401)"),
        UsageError("Kubernetes does not understand the request (422)"),
        NotFound('namespaces "n" not found'),
    ],
)
def test_a_refused_job_was_not_made_so_nothing_is_deleted_or_left(on, error):
    cluster = Cluster(DONE)
    cluster.faults["create", JOBS] = error
    run = on(cluster)

    with pytest.raises(type(error)) as caught:
        run()
    assert caught.value.next_step
    assert (cluster.deleted, run.left) == ([], [])


def test_a_job_whose_creation_was_not_answered_is_looked_up_and_not_made_twice(on):
    cluster = Cluster(DONE)
    cluster.faults["lost"] = Unreachable("no answer")

    run = on(cluster)

    assert run() == Collected(1, None)
    assert run.left == []


def test_a_job_that_may_or_may_not_have_been_made_stays_in_the_ledger(on):
    cluster = Cluster(DONE)
    cluster.faults["create", JOBS] = Unreachable("no answer")
    run = on(cluster)

    with pytest.raises(Unreachable):
        run()
    assert run.left == ["n/suite-1"]


def test_a_configuration_that_cannot_be_made_takes_the_job_away_again(on):
    cluster = Cluster(None)
    cluster.faults["create", CONFIG_MAPS] = PermissionDenied("Kubernetes refuses (403)")
    run = on(cluster)

    with pytest.raises(PermissionDenied):
        run()
    assert (cluster.deleted, run.left) == (["suite-1"], [])


def test_an_image_that_cannot_be_pulled_is_waited_for_only_so_long(on):
    run = on(Cluster(NO_IMAGE))

    with pytest.raises(InfrastructureError, match="does not start, so there is no verdict") as caught:
        run()
    assert "the image or its tag does not exist" in caught.value.seen
    assert 30 <= run.clock.elapsed < 40
    assert run.left == []


def test_a_pull_that_succeeds_at_the_second_attempt_is_no_failure(on):
    assert on(Cluster(*[NO_IMAGE] * 20, RUNS, *[NO_IMAGE] * 20, DONE))() == Collected(1, None)


def test_a_pod_without_a_node_has_longer_because_a_node_may_have_to_be_made(on):
    run = on(Cluster(None))

    with pytest.raises(InfrastructureError, match="has not started within 600 s"):
        run()
    assert run.clock.elapsed < 620


def test_a_container_that_ends_by_itself_is_no_verdict_whatever_its_exit_code(on):
    run = on(Cluster(RUNS, pod({"terminated": {"reason": "Completed", "exitCode": 0}})))

    with pytest.raises(InfrastructureError, match="ended before its evidence was brought back"):
        run()
    assert run.left == []


def test_a_suite_that_takes_too_long_is_stopped_and_its_evidence_kept(on):
    run = on(Cluster(RUNS))

    with pytest.raises(WaitTimeout, match="not ready within 900 s") as caught:
        run()
    assert "--timeout" in caught.value.next_step
    assert run.stopped
    assert f"evidence of the run that was stopped: {run.evidence}" in run.said
    assert run.left == []


def test_ctrl_c_stops_the_suite_keeps_its_evidence_and_removes_the_job(on):
    run = on(Cluster(RUNS, KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        run()
    assert run.stopped
    assert f"evidence of the run that was stopped: {run.evidence}" in run.said
    assert (run.cluster.deleted, run.left) == (["suite-1"], [])


def test_ctrl_c_before_the_suite_runs_removes_the_job(on):
    run = on(Cluster(None, KeyboardInterrupt(), None))

    with pytest.raises(KeyboardInterrupt):
        run()
    assert not run.stopped
    assert (run.cluster.deleted, run.left) == (["suite-1"], [])


def test_a_connection_that_comes_back_is_only_waited_for(on):
    assert on(Cluster(RUNS, *[Unreachable("no answer")] * 60, DONE))() == Collected(1, None)


def test_a_connection_that_stays_lost_is_no_verdict_and_the_job_stays_in_the_ledger(on):
    cluster = Cluster(RUNS, Unreachable("no answer", seen="Connection refused"))
    cluster.faults["delete", JOBS] = Unreachable("no answer")
    run = on(cluster)

    with pytest.raises(InfrastructureError, match="has not answered for 120 s") as caught:
        run()
    assert "Connection refused" in caught.value.seen
    assert run.left == ["n/suite-1"]
    assert any("kubectl --namespace n delete job suite-1" in line for line in run.said)


def test_evidence_that_cannot_be_brought_back_is_no_verdict_and_the_job_goes(on):
    run = on(Cluster(DONE), InfrastructureError("the evidence of the Job could not be brought back"))

    with pytest.raises(InfrastructureError, match="could not be brought back"):
        run()
    assert run.left == []


@pytest.mark.parametrize("what", ["refused", "stays"])
def test_a_job_that_cannot_be_removed_is_a_leak_even_if_the_suite_passed(on, what):
    cluster = Cluster(DONE)
    cluster.stays = what == "stays"
    if what == "refused":
        cluster.faults["delete", JOBS] = PermissionDenied("Kubernetes refuses (403)", seen="cannot delete")
    run = on(cluster, Collected(0, None))

    with pytest.raises(LeakFound, match="could not be removed") as caught:
        run()
    assert "kubectl --namespace n delete job suite-1" in caught.value.next_step
    assert run.left == ["n/suite-1"]


def test_a_removal_that_was_not_answered_is_asked_for_again(on):
    cluster = Cluster(DONE)
    run = on(cluster)
    delete, answers = cluster.delete, iter([Unreachable("no answer"), None])

    def delete_at_the_second_attempt(*names, **how):
        if fault := next(answers):
            raise fault
        delete(*names, **how)

    cluster.delete = delete_at_the_second_attempt

    assert run() == Collected(1, None)
    assert run.left == []


def test_a_job_that_went_meanwhile_is_gone(on):
    cluster = Cluster(DONE)
    run = on(cluster)

    def somebody_was_faster(*_names, **how):
        cluster.made.clear()
        raise NotFound("no such Job")

    cluster.delete = somebody_was_faster

    assert run() == Collected(1, None)
    assert run.left == []


def test_events_that_may_not_be_read_keep_nothing_from_being_told(on):
    cluster = Cluster(NO_IMAGE)
    cluster.faults["list", EVENTS] = PermissionDenied("Kubernetes refuses (403)")

    with pytest.raises(InfrastructureError, match="does not start"):
        on(cluster)()


def test_rights_that_are_lost_in_the_middle_end_the_wait_at_once(on):
    cluster = Cluster(RUNS)
    cluster.faults["list", PODS] = PermissionDenied("Kubernetes refuses (403)")
    run = on(cluster)

    with pytest.raises(PermissionDenied):
        run()
    assert run.clock.elapsed < 10
