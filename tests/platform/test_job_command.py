"""The suite as a Job of the embedded cluster: its evidence, and every way in which a Job comes to nothing."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gatehouse.core.errors import InfrastructureError, PermissionDenied
from gatehouse.core.ledger import Ledger, outstanding
from gatehouse.core.settings import load_settings
from gatehouse.embedded.kubernetes.access import Identity, rule
from gatehouse.embedded.kubernetes.kinds import POD
from gatehouse.job.configuration import files_for
from gatehouse.job.order import Order
from gatehouse.job.rights import require_rights
from gatehouse.job.running import JobRun
from gatehouse.job.watching import Patience
from gatehouse.kube.client import CONFIG_MAPS, JOBS, PODS, Cluster
from tests.platform.jobs import IMAGE, NAMESPACE, set_up

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "c" * 40

#: Variables of this machine that would change what is tested.
AMBIENT = ("GATEHOUSE_", "CODER_", "ARGOCD_", "GITHUB_", "KUBE")


@pytest.fixture(scope="module")
def ready(platform):
    """The platform, set up for Jobs."""
    return set_up(platform)


class Jobs:
    """Runs Jobs in this process. `said` is what is told of them; `on` has something done at a word of that."""

    def __init__(self, platform, folder, **patience):
        self.platform, self.folder, self.said, self.on = platform, folder, [], {}
        quick = {"look": 0.05, "hindrance": 0.2, "start": 30.0, "removal": 30.0, "stop": 30.0}
        self.patience = Patience(**{**quick, **patience})

    def run(self, cluster, image=IMAGE, secret="gatehouse", seconds=60):
        order = Order(
            f"suite-{self.folder.name}".replace("_", "-").lower(),
            NAMESPACE,
            image,
            seconds,
            ("-m", "smoke"),
            secret,
        )
        settings = load_settings(self.platform.configuration_file)
        files = files_for(settings, "embedded", settings.targets["embedded"])

        def say(line):
            self.said.append(line)
            for words, action in self.on.items():
                if line.endswith(words):
                    action(order)

        ledger = Ledger(self.folder / "ledger.jsonl")
        return JobRun(cluster, order, ledger, "run-1", say, lambda _output: None, self.patience).run(
            files, self.folder / "inside"
        )

    def refused(self, **order):
        """The words with which a Job comes to nothing; nothing of it is left."""
        with Cluster(self.platform.kubeconfig) as cluster:
            with pytest.raises(InfrastructureError) as caught:
                self.run(cluster, **order)
            assert outstanding(self.folder / "ledger.jsonl") == []
            assert left(cluster) == []
        assert "no verdict" in caught.value.summary
        return f"{caught.value.summary}: {caught.value.seen}"


def left(cluster):
    """What of a Job is still there."""
    return [
        each["metadata"]["name"]
        for kind in (JOBS, PODS, CONFIG_MAPS)
        for each in cluster.list_all(kind, NAMESPACE)
        if each["metadata"]["name"] != "kube-root-ca.crt"
    ]


@pytest.fixture
def jobs(ready, tmp_path):
    return Jobs(ready, tmp_path)


# --- Jobs that come to nothing ----------------------------------------------------------------------------


def test_an_image_that_is_not_there_is_told_with_the_runtimes_words(jobs):
    words = jobs.refused(image="registry.preview.localhost/gatehouse/gatehouse:2")

    assert "does not start" in words
    assert "the image or its tag does not exist" in words
    assert "gatehouse:2: not found" in words


def test_a_secret_that_is_not_there_is_named(jobs):
    assert 'secret "elsewhere" not found' in jobs.refused(secret="elsewhere")


def test_no_node_and_no_room_are_told_with_the_clusters_words(start, tmp_path):
    platform = set_up(start())
    jobs = Jobs(platform, tmp_path, start=0.5)

    def has(**state):
        def change(systems):
            systems.kubelet.unschedulable = state.get("unschedulable", "")
            systems.controllers.quota_exceeded = state.get("quota", "")

        platform.call(change)

    has(unschedulable="0/1 nodes are available: 1 Insufficient memory.")
    assert "0/1 nodes are available: 1 Insufficient memory." in jobs.refused()
    has(quota="exceeded quota: pods, requested: pods=1, used: pods=9, limited: pods=9")
    assert "is forbidden: exceeded quota" in jobs.refused()


def kill(systems, name):
    systems.kubelet.kill_for_memory(NAMESPACE, name)


def evict(systems, name):
    systems.kubelet.evict(NAMESPACE, name, "The node was low on resource: ephemeral-storage.")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (kill, "ended with OOMKilled (exit code 137); its memory limit is 2Gi"),
        (evict, "Evicted: The node was low on resource: ephemeral-storage."),
    ],
    ids=["memory", "eviction"],
)
def test_a_suite_that_is_killed_is_told_with_the_reason(ready, jobs, fault, words):
    def strike(order):
        (pod,) = ready.call(lambda systems: systems.store.select(POD, NAMESPACE, f"job-name={order.name}"))
        ready.call(lambda systems: fault(systems, pod["metadata"]["name"]))

    jobs.on["the suite runs"] = strike

    assert words in jobs.refused()


def test_a_deadline_of_the_cluster_and_a_job_that_somebody_deletes_are_told(ready, jobs, cluster):
    def shorten(order):
        cluster.patch(JOBS, order.name, NAMESPACE, {"spec": {"activeDeadlineSeconds": 1}})

    jobs.on["the suite runs"] = shorten
    assert "DeadlineExceeded: Job was active longer than specified deadline" in jobs.refused()

    jobs.on["the suite runs"] = lambda order: cluster.delete(JOBS, order.name, NAMESPACE)
    assert "deleted by somebody else" in jobs.refused()


def test_rights_that_are_missing_are_named_before_anything_is_made(ready, tmp_path):
    def add(systems):
        rules = (rule("create get delete", "jobs"), rule("create", "configmaps"), rule("list", "pods events"))
        systems.kubernetes.tokens["narrow-launcher"] = Identity("ci", rules)

    ready.call(add)
    path = tmp_path / "kubeconfig"
    path.write_text(ready.kubeconfig.read_text().replace(ready.credentials.kubernetes, "narrow-launcher"))

    with Cluster(path) as cluster, pytest.raises(PermissionDenied) as caught:
        require_rights(cluster, NAMESPACE)

    assert caught.value.seen == "not allowed: get pods/log, get pods/exec, create pods/exec"
    assert "deploy/setup/launcher.yaml" in caught.value.next_step


# --- the command ------------------------------------------------------------------------------------------


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(AMBIENT)}
    return {**kept, "GATEHOUSE_COMMIT": COMMIT, **more}


def command(evidence, *arguments):
    return [
        *(sys.executable, "-m", "gatehouse.cli", "job", "-m", "smoke", "--namespace", NAMESPACE),
        *("--image", IMAGE, "--evidence", str(evidence), "--", *arguments),
    ]


def test_ctrl_c_stops_the_suite_and_brings_back_what_it_did(ready, cluster, tmp_path):
    evidence = tmp_path / "inside"
    process = subprocess.Popen(
        command(evidence, "-k", "test_workspace"),
        cwd=tmp_path,
        env=environment(GATEHOUSE_CONFIG=str(ready.configuration_file)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # What runs in the background of a shell ignores Ctrl-C, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    for line in process.stdout:
        if line.startswith("collected"):
            process.send_signal(signal.SIGINT)
            break
    output, _ = process.communicate(timeout=100)

    assert process.returncode == 130, output
    assert json.loads((evidence / "manifest.json").read_text())["exit_status"] == 2
    assert outstanding(tmp_path / "inside.ledger.jsonl") == []
    assert left(cluster) == []
    for ledger in evidence.glob("ledger-*.jsonl"):
        assert outstanding(ledger) == []


@pytest.mark.timeout(400)
def test_a_token_outside_and_a_job_inside_open_a_gate_that_demands_both(ready, cluster, tmp_path):
    settings = yaml.safe_load(ready.configuration_file.read_text())
    settings["targets"]["embedded"]["kubernetes"] = {}
    (tmp_path / "hosted.yaml").write_text(yaml.safe_dump(settings))
    outside, inside = tmp_path / "outside", tmp_path / "inside"

    hosted = environment(GATEHOUSE_CONFIG=str(tmp_path / "hosted.yaml"), HOME=str(tmp_path))
    arguments = ["-m", "smoke", "-n0", "-p", "no:cacheprovider", f"--gate-evidence={outside}"]
    ran = finished([sys.executable, "-m", "pytest", *arguments], hosted)
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "there is no kubeconfig and no service account here" in ran.stdout
    ran = finished(command(inside), environment(GATEHOUSE_CONFIG=str(ready.configuration_file)))
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr
    assert left(cluster) == []
    assert "target: embedded, from outside" in (outside / "digest.md").read_text()
    assert "target: embedded, from inside a cluster" in (inside / "digest.md").read_text()

    policy = {"run_from": ["outside", "inside"], "min_executed": 80, "leak_proof": True}
    policy["allowed_skips"] = ["not configured: *"]
    (tmp_path / "policy.yaml").write_text(
        yaml.safe_dump({"schema": 1, "allow_embedded": True, "suites": {"smoke": policy}})
    )
    ran = gate(tmp_path, outside, inside)
    assert ran.returncode == 0, ran.stdout
    for one, words in ((outside, "from inside the cluster"), (inside, "from outside the cluster")):
        ran = gate(tmp_path, one)
        assert ran.returncode == 12
        assert f"there is no evidence of the suite smoke {words}" in ran.stdout


def finished(argv, env):
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=180)


def gate(folder, *bundles):
    asked = shlex.split(f"--repo acme/shop --commit {COMMIT} --policy {folder / 'policy.yaml'}")
    return finished(
        [sys.executable, "-m", "gatehouse.cli", "gate", *map(str, bundles), *asked], environment()
    )
