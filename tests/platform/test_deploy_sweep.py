"""The manifests in `deploy/sweep`: as Kubernetes describes such objects, and with the rights that a sweep needs."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from gatehouse import cli
from gatehouse.coder.client import CoderClient
from gatehouse.coder.made import make_workspace
from gatehouse.coder.workspaces import wait_for_build
from gatehouse.core.deadline import Deadline
from gatehouse.core.ledger import Ledger
from gatehouse.core.settings import Settings
from gatehouse.embedded.kubernetes.kinds import kind_of
from gatehouse.kube.client import PODS, Cluster
from gatehouse.kube.exec import run_in_pod
from gatehouse.task.sweep import command, model
from tests.platform.conftest import eventually, target_of
from tests.platform.test_sweep import RUN, Later
from tests.support.api_descriptions import kubernetes_kinds, needs_descriptions

FOLDER = Path(__file__).parents[2] / "deploy" / "sweep"
FOLDERS = ["base", "remove-leftovers"]

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here")


def rendered(folder):
    done = subprocess.run(
        ["kubectl", "kustomize", FOLDER / folder], capture_output=True, text=True, check=True
    )
    return list(yaml.safe_load_all(done.stdout))


def one(manifests, kind):
    (found,) = (each for each in manifests if each["kind"] == kind)
    return found


@needs_descriptions
@pytest.mark.parametrize("folder", FOLDERS)
def test_each_object_is_as_kubernetes_describes_it(folder):
    for manifest in rendered(folder):
        group, _, version = manifest["apiVersion"].rpartition("/")
        jsonschema.validate(manifest, kubernetes_kinds()[group, version, manifest["kind"]])


def test_only_one_sweep_runs_at_a_time_and_none_for_ever():
    job = one(rendered("base"), "CronJob")["spec"]

    assert job["concurrencyPolicy"] == "Forbid"
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 1800


def test_without_more_rights_it_may_change_nothing_in_the_cluster():
    verbs = {verb for rule in one(rendered("base"), "ClusterRole")["rules"] for verb in rule["verbs"]}

    assert verbs == {"list", "get"}


def test_its_settings_are_valid():
    Settings.model_validate(yaml.safe_load((FOLDER / "base" / "gatehouse.yaml").read_text()))


@pytest.fixture
def installed(start, tmp_path, monkeypatch):
    """A platform with a manifest's objects, and this process in the place of the pod: its settings, rights and time."""

    def installed(folder, *scenarios):
        platform = start(*scenarios)
        manifests = rendered(folder)
        platform.call(lambda systems: _apply(systems, manifests))
        settings = yaml.safe_load(one(manifests, "ConfigMap")["data"]["gatehouse.yaml"])
        coder = settings["targets"]["cluster"]["coder"]
        (tmp_path / "coder-token").write_text(platform.credentials.coder)
        coder |= {"url": platform.urls.coder, "token": {"file": str(tmp_path / "coder-token")}}
        (tmp_path / "gatehouse.yaml").write_text(yaml.safe_dump(settings))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "gatehouse.yaml"))
        monkeypatch.setenv("KUBECONFIG", str(_kubeconfig(platform, tmp_path, token_of(platform))))
        monkeypatch.setattr(model.Context.__init__, "__defaults__", (Later(),))
        monkeypatch.setattr(command, "SYSTEM_CLOCK", Later())
        return platform, one(manifests, "CronJob")

    return installed


def _apply(systems, manifests):
    for manifest in manifests:
        systems.store.create(kind_of(manifest), manifest, manifest["metadata"].get("namespace", ""))


def token_of(platform):
    """The token of the manifest's service account, as a pod of its own finds it."""
    container = {"name": "main", "image": "registry.preview.localhost/devcontainers/base:1"}
    container["command"] = ["sleep", "60"]
    pod = {
        "metadata": {"name": "token"},
        "spec": {"serviceAccountName": "gatehouse-sweep", "containers": [container]},
    }
    platform.call(
        lambda systems: systems.store.create(
            kind_of({"apiVersion": "v1", "kind": "Pod"}), pod, "gatehouse-sweep"
        )
    )
    with Cluster(platform.kubeconfig) as cluster:
        running = lambda: cluster.get(PODS, "token", "gatehouse-sweep")["status"]["phase"] == "Running"  # noqa: E731
        eventually(running)
        path = "/var/run/secrets/kubernetes.io/serviceaccount/token"
        read = run_in_pod(cluster, "gatehouse-sweep", "token", ["cat", path], Deadline.after(20))
    return read.stdout.decode()


def _kubeconfig(platform, folder, token):
    config = yaml.safe_load(platform.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    return folder / "kubeconfig"


def left_behind(platform, folder):
    """A workspace of a run of which only the names and labels are known."""
    target = target_of(platform)
    ledger = Ledger(folder / "ledger.jsonl")
    with CoderClient(platform.urls.coder, platform.credentials.coder) as coder:
        made = make_workspace(
            coder,
            target.coder,
            ledger,
            "task",
            suite="task",
            run_id=RUN,
            ttl_seconds=3600,
            on_intended=lambda _name: None,
        )
        wait_for_build(coder, made.id, Deadline.after(20))
    ledger.close()
    ledger.path.unlink()
    return made


def run_as_the_pod_does(cron_job, capsys):
    (container,) = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    program, *arguments = container["command"]
    assert program == "gatehouse"
    capsys.readouterr()
    code = cli.main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_its_command_removes_and_proves_with_the_rights_of_its_service_account(installed, tmp_path, capsys):
    platform, cron_job = installed("base", "happy")
    workspace = left_behind(platform, tmp_path)

    code, data = run_as_the_pod_does(cron_job, capsys)

    assert data["problems"] == []
    assert [(row["name"], row["outcome"]) for row in data["rows"]] == [(workspace.name, "clean")]
    assert code == 0


def test_without_the_right_to_delete_what_coder_left_is_told(installed, tmp_path, capsys):
    platform, cron_job = installed("base", "secret-leaks")
    left_behind(platform, tmp_path)

    code, data = run_as_the_pod_does(cron_job, capsys)

    assert code == 11
    assert any(each.startswith("could not delete secrets agent-") for each in data["rows"][0]["details"])


def test_with_the_right_to_delete_what_coder_left_is_removed(installed, tmp_path, capsys):
    platform, cron_job = installed("remove-leftovers", "claim-leaks")
    left_behind(platform, tmp_path)

    code, data = run_as_the_pod_does(cron_job, capsys)

    assert (code, data["outcome"]) == (0, "clean")
