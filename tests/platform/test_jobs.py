"""Jobs of the embedded cluster: their ends, and what their pods are given."""

import contextlib
import uuid

import kubernetes
import pytest
from kubernetes.client import ApiException

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import PermissionDenied, UsageError
from gatehouse.core.settings import KubernetesSettings
from gatehouse.embedded.kubernetes.kinds import ROLE, ROLE_BINDING
from gatehouse.kube.client import CONFIG_MAPS, EVENTS, JOBS, PODS, SECRETS, Cluster, connect
from gatehouse.kube.exec import run_in_pod
from tests.platform.conftest import eventually
from tests.platform.test_kubernetes import IMAGE
from tests.support import api_descriptions


@pytest.fixture
def namespace(platform):
    """A namespace of the test's own, gone after it."""
    client = kubernetes.config.new_client_from_config(str(platform.kubeconfig))
    core = kubernetes.client.CoreV1Api(client)
    name = f"jobs-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    yield name
    with contextlib.suppress(ApiException):
        core.delete_namespace(name)
    client.rest_client.pool_manager.clear()


@pytest.fixture
def run(cluster, namespace):
    """Makes a Job of one container."""

    def run(*command, name="once", pod=None, container=None, **spec):
        main = {"name": "main", "image": IMAGE, "command": list(command), **(container or {})}
        template = {"spec": {"restartPolicy": "Never", "containers": [main], **(pod or {})}}
        job = {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": template, **spec}}
        return cluster.create(JOBS, namespace, job)

    return run


@pytest.fixture
def ended(cluster, namespace):
    """The condition with which a Job has ended, as soon as it has."""

    def ended(name="once"):
        job = cluster.get(JOBS, name, namespace)
        return next(iter((job or {}).get("status", {}).get("conditions", [])), None)

    return lambda: eventually(ended)


@pytest.fixture
def pod(cluster, namespace):
    """The pod of the Job, once it is as `condition` wants it."""

    def pod(condition=lambda _pod: True):
        def found():
            pods = cluster.list_all(PODS, namespace, labels="job-name=once")
            return next((each for each in pods if condition(each)), None)

        return eventually(found)

    return pod


def running(pod):
    statuses = pod["status"].get("containerStatuses") or []
    return bool(statuses and "running" in statuses[0]["state"])


def over(pod):
    return pod["status"]["phase"] in ("Failed", "Succeeded")


def is_ready(pod):
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])


def test_a_job_is_complete_once_its_pod_has_succeeded_and_keeps_the_pod_and_its_log(
    run, ended, pod, cluster, namespace
):
    run("sh", "-c", "echo done")

    condition = ended()

    assert (condition["type"], condition["reason"]) == ("Complete", "CompletionsReached")
    finished = pod(over)
    assert finished["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "once"
    assert cluster.log(namespace, finished["metadata"]["name"]) == "done\n"
    assert cluster.get(JOBS, "once", namespace)["status"]["succeeded"] == 1


def test_a_failure_too_many_fails_the_job_with_the_exit_code_in_its_pod(run, ended, pod):
    run("sh", "-c", "exit 3")

    assert ended()["reason"] == "BackoffLimitExceeded"
    assert pod(over)["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


def test_a_job_tries_again_as_often_as_it_may(run, ended, cluster, namespace):
    run("false", backoffLimit=1)

    assert ended()["reason"] == "BackoffLimitExceeded"
    assert cluster.get(JOBS, "once", namespace)["status"]["failed"] == 2
    assert len(cluster.list_all(PODS, namespace)) == 2


def test_the_deadline_ends_a_job_and_its_pod(run, ended, cluster, namespace):
    run("sleep", "600", activeDeadlineSeconds=1)

    condition = ended()

    assert (condition["type"], condition["reason"]) == ("Failed", "DeadlineExceeded")
    assert condition["message"] == "Job was active longer than specified deadline"
    eventually(lambda: not cluster.list_all(PODS, namespace))


def test_a_job_goes_with_its_pods_when_its_time_after_the_end_is_over(run, cluster, namespace):
    run("true", ttlSecondsAfterFinished=0)

    eventually(lambda: cluster.get(JOBS, "once", namespace) is None)
    eventually(lambda: not cluster.list_all(PODS, namespace))


def test_a_pod_that_is_taken_away_counts_as_failed(run, ended, pod, cluster, namespace):
    run("sleep", "600")

    cluster.delete(PODS, pod(running)["metadata"]["name"], namespace)

    assert ended()["reason"] == "BackoffLimitExceeded"


def test_deleting_a_job_in_the_foreground_takes_its_pods_first(run, pod, cluster, namespace):
    run("sleep", "600")
    pod(running)

    cluster.delete(JOBS, "once", namespace, foreground=True)

    eventually(lambda: cluster.get(JOBS, "once", namespace) is None)
    assert cluster.list_all(PODS, namespace) == []


def test_a_container_that_needs_too_much_memory_is_killed(run, ended, pod, platform, namespace):
    run("sleep", "600")
    name = pod(running)["metadata"]["name"]

    platform.call(lambda systems: systems.kubelet.kill_for_memory(namespace, name))

    assert ended()["type"] == "Failed"
    state = pod(over)["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (state["reason"], state["exitCode"]) == ("OOMKilled", 137)


def test_a_pod_is_evicted_with_the_kubelets_words(run, ended, pod, platform, namespace):
    run("sleep", "600")
    name = pod(running)["metadata"]["name"]
    words = "The node was low on resource: ephemeral-storage."

    platform.call(lambda systems: systems.kubelet.evict(namespace, name, words))

    assert ended()["type"] == "Failed"
    status = pod(over)["status"]
    assert (status["reason"], status["message"]) == ("Evicted", words)


def test_a_quota_that_forbids_the_pod_is_an_event_of_the_job(start):
    platform = start()

    def forbid(systems):
        systems.controllers.quota_exceeded = "exceeded quota: pods"

    platform.call(forbid)
    with Cluster(platform.kubeconfig) as cluster:
        template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": IMAGE}]}}
        cluster.create(JOBS, "default", {"metadata": {"name": "once"}, "spec": {"template": template}})

        def told():
            events = cluster.list_all(EVENTS, "default", fields="involvedObject.name=once")
            return [each["message"] for each in events if each["reason"] == "FailedCreate"]

        assert "is forbidden: exceeded quota: pods" in eventually(told)[0]


def test_variables_and_files_come_from_secrets_and_config_maps_once_they_are_there(
    run, ended, pod, cluster, namespace
):
    run(
        *("sh", "-c", 'echo "$TOKEN $(cat /configuration/gatehouse.yaml)" | tee /scratch/out'),
        container={
            "envFrom": [{"secretRef": {"name": "late"}}],
            "volumeMounts": [
                {"name": "configuration", "mountPath": "/configuration"},
                {"name": "scratch", "mountPath": "/scratch"},
            ],
        },
        pod={
            "volumes": [
                {"name": "configuration", "configMap": {"name": "late"}},
                {"name": "scratch", "emptyDir": {}},
            ]
        },
    )

    def mount_failures():
        return [each for each in cluster.list_all(EVENTS, namespace) if each["reason"] == "FailedMount"]

    assert 'configmap "late" not found' in eventually(mount_failures)[0]["message"]
    cluster.create(
        CONFIG_MAPS, namespace, {"metadata": {"name": "late"}, "data": {"gatehouse.yaml": "version: 1"}}
    )

    def waits(pod):
        statuses = pod["status"].get("containerStatuses") or [{"state": {}}]
        return statuses[0]["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError"

    assert 'secret "late" not found' in str(pod(waits)["status"])
    cluster.create(SECRETS, namespace, {"metadata": {"name": "late"}, "stringData": {"TOKEN": "t0ken"}})

    assert ended()["type"] == "Complete"
    assert cluster.log(namespace, pod(over)["metadata"]["name"]) == "t0ken version: 1\n"


def test_a_command_tells_when_a_container_is_ready(run, pod, cluster, namespace):
    probe = {"exec": {"command": ["test", "-f", "/scratch/done"]}, "periodSeconds": 1}
    mounts = [{"name": "scratch", "mountPath": "/scratch"}]
    run(
        *("sleep", "600"),
        container={"readinessProbe": probe, "volumeMounts": mounts},
        pod={"volumes": [{"name": "scratch", "emptyDir": {}}]},
    )
    seen = pod(running)
    assert not is_ready(seen)

    run_in_pod(cluster, namespace, seen["metadata"]["name"], ["touch", "/scratch/done"], Deadline.after(20))

    pod(is_ready)


def test_a_log_is_followed_to_its_end(run, pod, cluster, namespace):
    run("sh", "-c", "echo one; echo two; exit 1")
    name = pod(lambda each: running(each) or over(each))["metadata"]["name"]

    log, read = b"", cluster.follow_log(namespace, name, "main")
    while chunk := read.read(1024):
        log += chunk

    assert log == b"one\ntwo\n"


def test_a_log_that_nobody_writes_yet_cannot_be_followed(run, pod, cluster, namespace):
    run("true", container={"image": "registry.preview.localhost/nothing:1"})
    name = pod()["metadata"]["name"]

    with pytest.raises(UsageError):
        cluster.follow_log(namespace, name, "main")


def test_a_pod_is_answered_what_its_service_account_may_see_and_refused_the_rest(
    platform, namespace, tmp_path, monkeypatch
):
    def seen_from_a_pod(systems):
        store, accounts = systems.store, systems.kubelet.service_accounts
        store.create(
            ROLE,
            {"metadata": {"name": "look"}, "rules": [{"verbs": ["list"], "resources": ["pods"]}]},
            namespace,
        )
        bound = {
            "roleRef": {"kind": "Role", "name": "look"},
            "subjects": [{"kind": "ServiceAccount", "name": "suite"}],
        }
        store.create(ROLE_BINDING, {"metadata": {"name": "look"}, **bound}, namespace)
        pod = {"metadata": {"namespace": namespace}, "spec": {"serviceAccountName": "suite"}}
        accounts.mount(pod, tmp_path / "account")
        return accounts.environment()

    for name, value in platform.call(seen_from_a_pod).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("GATEHOUSE_SERVICE_ACCOUNT", str(tmp_path / "account"))

    with connect(KubernetesSettings()) as cluster:
        assert cluster.list_all(PODS, namespace) == []
        with pytest.raises(PermissionDenied, match="403") as caught:
            cluster.list_all(SECRETS, namespace)
    assert (
        f'User "system:serviceaccount:{namespace}:suite" cannot list resource "secrets"' in caught.value.seen
    )


@api_descriptions.needs_descriptions
def test_jobs_and_their_pods_fit_kubernetes_own_description(run, ended, pod, cluster, namespace):
    kinds = api_descriptions.kubernetes_kinds()
    run("false")
    ended()

    api_descriptions.check(cluster.get(JOBS, "once", namespace), kinds["batch", "v1", "Job"])
    api_descriptions.check(pod(over), kinds["", "v1", "Pod"])
