"""What is applied to a cluster by hand is what the code needs, and no more."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from gatehouse.job import order
from gatehouse.job.rights import LAUNCHER_RIGHTS
from gatehouse.smoke.rights import CLUSTER_NEEDS

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"


def objects(name):
    """The objects of a file in deploy/setup by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "setup" / name).read_text())}


def granted(role):
    return {
        (verb, resource, group)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
        for group in rule["apiGroups"]
    }


def test_the_suite_may_look_at_what_it_looks_at_and_at_nothing_else():
    needed = {right for rights in CLUSTER_NEEDS.values() for right in rights}

    assert granted(objects("rights.yaml")["ClusterRole"]) == needed


def test_who_starts_a_job_may_do_that_and_nothing_else():
    assert granted(objects("launcher.yaml")["Role"]) == set(LAUNCHER_RIGHTS)


def test_the_rights_are_bound_to_the_account_that_the_job_runs_as():
    binding = objects("rights.yaml")["ClusterRoleBinding"]
    account = objects("service-account.yaml")["ServiceAccount"]
    namespace = objects("namespace.yaml")["Namespace"]["metadata"]["name"]

    assert binding["roleRef"]["name"] == objects("rights.yaml")["ClusterRole"]["metadata"]["name"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["metadata"]["name"], "namespace": namespace}
    ]
    assert order.template()["spec"]["template"]["spec"]["serviceAccountName"] == account["metadata"]["name"]


def test_the_job_that_is_applied_by_hand_is_the_one_in_the_package():
    assert yaml.safe_load((DEPLOY / "job" / "job.yaml").read_text()) == order.template()


@pytest.mark.parametrize("folder", ["setup", "job"])
def test_each_folder_lists_all_of_its_files(folder):
    listed = yaml.safe_load((DEPLOY / folder / "kustomization.yaml").read_text())
    named = {*listed["resources"], "kustomization.yaml"}
    named |= {file for each in listed.get("configMapGenerator", []) for file in each["files"]}

    assert named - {"../setup"} == {path.name for path in (DEPLOY / folder).iterdir()}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed on this machine")
def test_kustomize_makes_a_job_whose_references_all_lead_somewhere():
    built = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY / "job")], capture_output=True, text=True, check=True, timeout=60
    )
    made = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(built.stdout)}

    job = made["Job", "gatehouse-smoke"]
    assert job["metadata"]["namespace"] == "gatehouse"
    assert "gatehouse.yaml" in made["ConfigMap", "gatehouse"]["data"]
    assert ("ServiceAccount", "gatehouse") in made
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example.com/gatehouse:1"


def test_the_settings_of_the_job_that_is_applied_by_hand_are_valid():
    from gatehouse.core.settings import load_settings

    (target,) = load_settings(DEPLOY / "job" / "gatehouse.yaml").targets.values()
    assert target.coder
    assert target.kubernetes


def test_the_image_is_made_of_files_that_are_there_and_does_not_run_as_root():
    text = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)

    assert copied
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
    user, _ = re.findall(r"^USER (\d+):(\d+)$", text, re.MULTILINE)[0]
    context = order.template()["spec"]["template"]["spec"]["securityContext"]
    assert int(user) == context["runAsUser"] != 0
