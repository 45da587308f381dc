"""The embedded cluster, as the ordinary Kubernetes client and kubectl see it."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import uuid

import kubernetes
import pytest
from kubernetes.client import ApiException

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import AuthenticationError, NotFound, PermissionDenied
from gatehouse.kube.client import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, SECRETS, Cluster
from gatehouse.kube.exec import run_in_pod
from tests.platform.conftest import eventually

IMAGE = "registry.preview.localhost/devcontainers/base:1"


@pytest.fixture
def core(platform):
    client = kubernetes.config.new_client_from_config(str(platform.kubeconfig))
    yield kubernetes.client.CoreV1Api(client)
    client.rest_client.pool_manager.clear()


@pytest.fixture
def apps(core):
    return kubernetes.client.AppsV1Api(core.api_client)


@pytest.fixture
def namespace(core):
    """A namespace of the test's own, gone after it."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    yield name
    with contextlib.suppress(ApiException):  # the test may have deleted it
        core.delete_namespace(name)


def config(name, **metadata):
    return {"metadata": {"name": name, **metadata}, "data": {"a": "1"}}


def deployment(name, command=("sleep", "60"), image=IMAGE, replicas=1, **spec):
    container = {"name": "main", "image": image, "command": list(command)}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **spec}}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def pods(cluster, namespace):
    return cluster.list_all(PODS, namespace)


def ready_pod(cluster, namespace):
    def found():
        ready = [
            pod
            for pod in pods(cluster, namespace)
            if any(
                each["type"] == "Ready" and each["status"] == "True"
                for each in pod["status"].get("conditions", [])
            )
        ]
        return ready and ready[0]

    return eventually(found)


def test_objects_are_created_read_listed_patched_and_deleted(core, namespace):
    core.create_namespaced_config_map(namespace, config("one", labels={"app": "x"}))
    core.create_namespaced_config_map(namespace, config("two"))

    assert core.read_namespaced_config_map("one", namespace).data == {"a": "1"}
    listed = core.list_namespaced_config_map(namespace, label_selector="app=x")
    assert [item.metadata.name for item in listed.items] == ["one"]
    patched = core.patch_namespaced_config_map("one", namespace, {"data": {"b": "2", "a": None}})
    assert patched.data == {"b": "2"}
    core.delete_namespaced_config_map("one", namespace)
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_config_map("one", namespace)
    assert caught.value.status == 404


def test_an_update_from_an_old_read_is_a_conflict(core, namespace):
    old = core.create_namespaced_config_map(namespace, config("one"))
    core.patch_namespaced_config_map("one", namespace, {"data": {"b": "2"}})

    with pytest.raises(ApiException) as caught:
        core.replace_namespaced_config_map("one", namespace, old)
    assert caught.value.status == 409
    assert json.loads(caught.value.body)["reason"] == "Conflict"


def test_a_watch_replays_what_is_there_and_then_follows(core, namespace):
    core.create_namespaced_config_map(namespace, config("before"))
    watch = kubernetes.watch.Watch()
    seen = []
    for event in watch.stream(core.list_namespaced_config_map, namespace, timeout_seconds=20):
        name = event["object"].metadata.name
        if name == "kube-root-ca.crt":
            continue
        seen.append((event["type"], name))
        if seen == [("ADDED", "before")]:
            core.create_namespaced_config_map(namespace, config("after"))
        if seen[-1] == ("ADDED", "after"):
            core.delete_namespaced_config_map("after", namespace)
        if len(seen) == 3:
            watch.stop()

    assert seen == [("ADDED", "before"), ("ADDED", "after"), ("DELETED", "after")]


def test_a_watch_from_a_version_that_is_forgotten_is_gone(start):
    platform = start()
    old = platform.call(lambda systems: systems.store.version - 1)
    platform.call(lambda systems: systems.store.forget_history())
    client = kubernetes.config.new_client_from_config(str(platform.kubeconfig))
    watch = kubernetes.watch.Watch()

    with pytest.raises(ApiException) as caught:
        list(
            watch.stream(
                kubernetes.client.CoreV1Api(client).list_namespace,
                resource_version=str(old),
                timeout_seconds=5,
            )
        )
    assert caught.value.status == 410
    client.rest_client.pool_manager.clear()


def test_a_deployment_becomes_pods_that_are_real_processes(apps, cluster, namespace):
    apps.create_namespaced_deployment(namespace, deployment("web"))

    pod = ready_pod(cluster, namespace)
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
    status = eventually(lambda: cluster.get(DEPLOYMENTS, "web", namespace).get("status"))
    assert status["observedGeneration"] == 1


def test_a_new_template_replaces_the_pods_and_keeps_the_old_until_the_new_are_ready(apps, cluster, namespace):
    apps.create_namespaced_deployment(namespace, deployment("web"))
    old = ready_pod(cluster, namespace)["metadata"]["name"]

    apps.patch_namespaced_deployment("web", namespace, deployment("web", ("sleep", "61")))

    def replaced():
        names = [pod["metadata"]["name"] for pod in pods(cluster, namespace)]
        return len(names) == 1 and old not in names

    eventually(replaced)


def test_an_image_that_is_not_there_is_reported_as_a_kubelet_does(apps, core, cluster, namespace):
    apps.create_namespaced_deployment(
        namespace, deployment("web", image="registry.preview.localhost/shop/www:nope")
    )

    def waiting():
        statuses = [
            each for pod in pods(cluster, namespace) for each in pod["status"].get("containerStatuses", [])
        ]
        return [
            each for each in statuses if each["state"].get("waiting", {}).get("reason") == "ImagePullBackOff"
        ]

    assert eventually(waiting)[0]["ready"] is False
    events = core.list_namespaced_event(namespace).items
    assert any("not found" in event.message for event in events if event.reason == "Failed")


def test_a_container_that_ends_is_restarted_and_its_previous_log_kept(apps, core, cluster, namespace):
    apps.create_namespaced_deployment(namespace, deployment("web", ("sh", "-c", "echo cannot start; exit 7")))

    def crashing():
        found = pods(cluster, namespace)
        statuses = found[0]["status"].get("containerStatuses", []) if found else []
        restarted = statuses and statuses[0]["restartCount"] > 1
        return found[0] if restarted and "waiting" in statuses[0]["state"] else None

    pod = eventually(crashing)
    (status,) = pod["status"]["containerStatuses"]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["lastState"]["terminated"]["exitCode"] == 7
    log = core.read_namespaced_pod_log(pod["metadata"]["name"], namespace, previous=True)
    assert log == "cannot start\n"


def test_a_missing_config_map_keeps_a_container_from_starting_until_it_is_there(
    apps, core, cluster, namespace
):
    body = deployment("web")
    reference = {"configMapKeyRef": {"name": "late", "key": "a"}}
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "valueFrom": reference}]
    apps.create_namespaced_deployment(namespace, body)

    def waiting():
        found = pods(cluster, namespace)
        statuses = found[0]["status"].get("containerStatuses", []) if found else []
        return (
            statuses and statuses[0]["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError"
        )

    eventually(waiting)
    core.create_namespaced_config_map(namespace, config("late"))
    ready_pod(cluster, namespace)


def test_a_job_runs_to_its_end(core, cluster, namespace):
    batch = kubernetes.client.BatchV1Api(core.api_client)
    container = {"name": "main", "image": IMAGE, "command": ["true"]}
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    batch.create_namespaced_job(namespace, {"metadata": {"name": "once"}, "spec": {"template": template}})

    eventually(lambda: batch.read_namespaced_job("once", namespace).status.succeeded == 1)


def test_dependents_go_with_their_owner(core, apps, cluster, namespace):
    apps.create_namespaced_deployment(namespace, deployment("web"))
    ready_pod(cluster, namespace)

    apps.delete_namespaced_deployment("web", namespace)

    eventually(lambda: not pods(cluster, namespace))


def test_a_finalizer_keeps_an_object_until_it_is_taken_off(core, namespace):
    core.create_namespaced_config_map(namespace, config("held", finalizers=["example.com/hold"]))
    core.delete_namespaced_config_map("held", namespace)

    held = core.read_namespaced_config_map("held", namespace)
    assert held.metadata.deletion_timestamp
    core.patch_namespaced_config_map("held", namespace, {"metadata": {"finalizers": None}})
    with pytest.raises(ApiException, match="404"):
        core.read_namespaced_config_map("held", namespace)


def test_a_namespace_takes_everything_inside_with_it(core, apps, cluster, namespace):
    apps.create_namespaced_deployment(namespace, deployment("web"))
    core.create_namespaced_persistent_volume_claim(
        namespace, {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    )
    ready_pod(cluster, namespace)
    eventually(
        lambda: core.read_namespaced_persistent_volume_claim("data", namespace).status.phase == "Bound"
    )

    core.delete_namespace(namespace)

    eventually(lambda: cluster.get(NAMESPACES, namespace) is None)
    volumes = core.list_persistent_volume().items
    assert not [volume for volume in volumes if volume.spec.claim_ref.namespace == namespace]


def test_exec_keeps_the_streams_apart_and_gives_the_exit_code(apps, cluster, namespace):
    apps.create_namespaced_deployment(namespace, deployment("web"))
    pod = ready_pod(cluster, namespace)["metadata"]["name"]

    def run(*argv, seconds=20):
        return run_in_pod(cluster, namespace, pod, argv, Deadline.after(seconds))

    done = run("sh", "-c", "printf out; printf err >&2; exit 5")
    assert (done.stdout, done.stderr, done.exit_code) == (b"out", b"err", 5)
    assert run("printf", r"\000\377").stdout == b"\0\xff"
    assert run("true").exit_code == 0
    assert run("sh", "-c", "kill -9 $$").exit_code == 137
    cut = run("sleep", "60", seconds=0.3)
    assert (cut.exit_code, cut.exit_code_source) == (None, "unknown: the command did not end within 0 s")
    missing = run("no-such-program")
    assert missing.exit_code is None
    assert "no-such-program" in missing.exit_code_source
    large = run("head", "-c", "20000000", "/dev/zero")
    assert large.truncated
    whole = io.BytesIO()
    argv, limit = ["head", "-c", "20000000", "/dev/zero"], Deadline.after(20)
    kept = run_in_pod(cluster, namespace, pod, argv, limit, sink=whole)
    assert (whole.tell(), kept.stdout, kept.truncated, kept.exit_code) == (20_000_000, b"", False, 0)
    with pytest.raises(NotFound):
        run_in_pod(cluster, namespace, "no-such-pod", ["true"], Deadline.after(5))


def test_exec_carries_more_to_standard_input_than_a_command_line_holds(apps, cluster, namespace):
    apps.create_namespaced_deployment(namespace, deployment("web"))
    pod = ready_pod(cluster, namespace)["metadata"]["name"]
    content = bytes(range(256)) * 1000

    argv = ["sh", "-c", 'head -c "$1" | wc -c', "sh", str(len(content))]
    done = run_in_pod(cluster, namespace, pod, argv, Deadline.after(20), stdin=content)

    assert (done.exit_code, done.stdout.strip()) == (0, str(len(content)).encode())


def test_a_wrong_token_is_refused_and_a_narrow_one_sees_only_its_part(platform, tmp_path):
    from gatehouse.embedded.kubernetes.access import Identity, rule

    def add(systems):
        narrow = Identity("narrow", (rule("get list", "pods", "default"),))
        systems.kubernetes.tokens["narrow-token"] = narrow

    platform.call(add)

    def with_token(token):
        path = tmp_path / token
        path.write_text(platform.kubeconfig.read_text().replace(platform.credentials.kubernetes, token))
        return Cluster(path)

    with with_token("wrong-token") as cluster, pytest.raises(AuthenticationError):
        cluster.list_all(PODS)
    with with_token("narrow-token") as cluster:
        assert cluster.list_all(PODS, "default") == []
        with pytest.raises(PermissionDenied) as caught:
            cluster.list_all(SECRETS, "default")
        assert 'User "narrow" cannot list resource "secrets"' in caught.value.seen
        assert cluster.may("list", "pods", "default")
        assert not cluster.may("create", "pods/exec", "default")


def test_what_is_not_served_is_not_found(cluster):
    from gatehouse.kube.client import Kind

    with pytest.raises(NotFound):
        cluster.list_all(Kind("apis/example.com/v1", "widgets"))
    assert cluster.get(CONFIG_MAPS, "missing", "default") is None


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed on this machine")
def test_kubectl_lists_describes_reads_logs_and_runs_commands(platform, apps, cluster, namespace, tmp_path):
    apps.create_namespaced_deployment(namespace, deployment("web", ("sh", "-c", "echo hello; exec sleep 60")))
    ready_pod(cluster, namespace)

    def kubectl(*arguments):
        environment = {**os.environ, "KUBECONFIG": str(platform.kubeconfig), "HOME": str(tmp_path)}
        return subprocess.run(
            ["kubectl", "-n", namespace, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    listed = kubectl("get", "pods,deploy").stdout
    assert "Running" in listed
    assert "deployment.apps/web" in listed
    assert "Successfully assigned" in kubectl("describe", "pod").stdout
    assert kubectl("logs", "deploy/web").stdout == "hello\n"
    done = kubectl("exec", "deploy/web", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.stdout, done.returncode) == ("out\n", 3)
    assert "err" in done.stderr
    refused = kubectl("auth", "can-i", "create", "pods/exec")  # kubectl asks this one in protobuf
    assert "only JSON is served here" in refused.stderr
    assert kubectl("delete", "deploy", "web").returncode == 0
    assert kubectl("get", "widgets").returncode != 0
