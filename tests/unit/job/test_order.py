"""The Job as it is sent to the cluster."""

import pytest

from gatehouse.core.ledger import Entry
from gatehouse.job.handover import CONFIGURATION, CONTAINER, EXIT_CODE, FOLDER, SETTINGS_FILE, WAIT
from gatehouse.job.order import Order, config_map_of, job_of, template
from tests.support import api_descriptions

ENTRY = Entry(
    "job", "n/suite-1", "ada@laptop (home)", "run-1", "2026-01-01T00:00:00+00:00", "2026-01-01T02:00:00+00:00"
)


@pytest.fixture
def job():
    order = Order(
        "suite-1",
        "n",
        "registry.example.com/gatehouse:1",
        900,
        ("-m", "smoke", "-k", "edge"),
        "coder-token",
        {"GATEHOUSE_TARGET": "production"},
    )
    return job_of(order, ENTRY)


def container(job):
    (found,) = job["spec"]["template"]["spec"]["containers"]
    return found


def test_it_is_what_was_ordered(job):
    suite = container(job)

    assert (job["metadata"]["name"], job["metadata"]["namespace"]) == ("suite-1", "n")
    assert suite["image"] == "registry.example.com/gatehouse:1"
    assert suite["args"] == ["-m", "smoke", "-k", "edge"]
    assert suite["envFrom"] == [{"secretRef": {"name": "coder-token"}}]
    assert {"name": "GATEHOUSE_TARGET", "value": "production"} in suite["env"]


def test_it_says_whose_it_is_in_words_that_labels_may_hold(job):
    metadata = job["metadata"]

    assert metadata["labels"]["gatehouse/owner"] == "ada-laptop--home"
    assert metadata["labels"]["gatehouse/run"] == "run-1"
    assert metadata["annotations"]["gatehouse/expires"] == ENTRY.expires


def test_the_cluster_ends_and_removes_it_even_if_its_maker_dies_and_never_tries_it_twice(job):
    spec = job["spec"]

    assert spec["backoffLimit"] == 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] > 900 + WAIT
    assert spec["ttlSecondsAfterFinished"] > 0


def test_it_has_no_power_over_its_node(job):
    pod = job["spec"]["template"]["spec"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(job)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"memory"} <= container(job)["resources"]["limits"].keys()
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


def test_both_sides_agree_on_where_things_are():
    suite = container(template())
    mounts = {mount["mountPath"] for mount in suite["volumeMounts"]}

    assert suite["name"] == CONTAINER
    assert suite["command"][3:] == ["--folder", FOLDER, "--wait", f"{WAIT:.0f}", "--"]
    assert suite["readinessProbe"]["exec"]["command"] == ["test", "-f", f"{FOLDER}/{EXIT_CODE}"]
    assert {FOLDER, CONFIGURATION} <= mounts
    assert {"name": "GATEHOUSE_CONFIG", "value": f"{CONFIGURATION}/{SETTINGS_FILE}"} in suite["env"]


def test_the_template_is_not_changed_by_an_order(job):
    assert template()["metadata"]["name"] == "gatehouse-smoke"


def test_the_configuration_belongs_to_the_job_and_is_the_one_that_it_mounts(job):
    order = Order("suite-1", "n", "image", 900, ())

    item = config_map_of(
        order, ENTRY, {**job, "metadata": {**job["metadata"], "uid": "u"}}, {"gatehouse.yaml": "x"}
    )

    (owner,) = item["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", "suite-1", "u")
    assert item["data"] == {"gatehouse.yaml": "x"}
    volumes = job["spec"]["template"]["spec"]["volumes"]
    assert {"name": "suite-1"} in [volume.get("configMap") for volume in volumes]


@api_descriptions.needs_descriptions
def test_both_objects_fit_kubernetes_own_description(job):
    kinds = api_descriptions.kubernetes_kinds()
    order = Order("suite-1", "n", "image", 900, ())
    owner = {**job, "metadata": {**job["metadata"], "uid": "u"}}

    api_descriptions.check(job, kinds["batch", "v1", "Job"])
    api_descriptions.check(config_map_of(order, ENTRY, owner, {"a": "b"}), kinds["", "v1", "ConfigMap"])
