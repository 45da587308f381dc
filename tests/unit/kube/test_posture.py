import pytest

from gatehouse.kube.posture import (
    effective_contexts,
    hazards,
    level_problem,
    literal_variables,
    pod_security_levels,
)

CAPABILITIES = ["NET_ADMIN", "SYS_ADMIN", "ALL"]


def pod(container=None, **spec):
    return {
        "metadata": {"name": "dev"},
        "spec": {"containers": [{"name": "dev", **(container or {})}], **spec},
    }


def test_a_plain_pod_has_no_hazard():
    plain = pod(
        {
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]},
            }
        },
        volumes=[
            {"name": "home", "persistentVolumeClaim": {"claimName": "home"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    )

    assert hazards(plain, CAPABILITIES) == []


@pytest.mark.parametrize(
    ("container", "spec", "words"),
    [
        ({"securityContext": {"privileged": True}}, {}, "is privileged"),
        ({"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}, {}, "capability NET_ADMIN"),
        ({"securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}}, {}, "capability SYS_ADMIN"),
        ({"securityContext": {"capabilities": {"add": ["ALL"]}}}, {}, "capability ALL"),
        ({"ports": [{"containerPort": 80, "hostPort": 80}]}, {}, "ports of the node (80)"),
        ({"resources": {"limits": {"squat.ai/tun": 1}}}, {}, "tunnel device"),
        ({"volumeDevices": [{"devicePath": "/dev/sda"}]}, {}, "device /dev/sda"),
        ({}, {"hostNetwork": True}, "node's network"),
        ({}, {"hostPID": True}, "node's processes"),
        ({}, {"hostIPC": True}, "node's shared memory"),
    ],
)
def test_each_hazard_is_told(container, spec, words):
    (found,) = hazards(pod(container, **spec), CAPABILITIES)

    assert words in found


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/var/run/docker.sock", "runtime's socket"),
        ("/run/containerd/containerd.sock", "runtime's socket"),
        ("/var/run", "runtime's socket"),
        ("/dev/net/tun", "tunnel device"),
        ("/etc", "folder of the node"),
    ],
)
def test_paths_of_the_node_are_told_by_what_they_give(path, words):
    (found,) = hazards(pod(volumes=[{"name": "v", "hostPath": {"path": path}}]), CAPABILITIES)

    assert words in found
    assert path in found


def test_containers_that_only_start_the_pod_and_those_added_later_count():
    context = {"securityContext": {"privileged": True}}
    started = pod(
        initContainers=[{"name": "init", **context}], ephemeralContainers=[{"name": "debug", **context}]
    )

    assert [each.split()[1] for each in hazards(started, CAPABILITIES)] == ["init", "debug"]


def test_a_container_takes_over_what_it_does_not_say_itself():
    both = pod(
        {"securityContext": {"runAsUser": 0}},
        securityContext={"runAsUser": 1000, "runAsNonRoot": True, "fsGroup": 7},
    )

    assert effective_contexts(both) == {"dev": {"runAsUser": 0, "runAsNonRoot": True}}


def test_levels_are_read_from_the_namespaces_labels():
    labels = {
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/warn-version": "latest",
    }

    assert pod_security_levels({"metadata": {"labels": labels}}) == {"enforce": "baseline"}
    assert pod_security_levels({"metadata": {}}) == {}


def test_a_stricter_level_is_as_good_and_a_looser_one_is_not():
    assert level_problem({"enforce": "restricted"}, "baseline") == ""
    assert level_problem({}, None) == ""
    assert "privileged, not baseline" in level_problem({}, "baseline")
    assert "baseline, not restricted" in level_problem({"enforce": "baseline"}, "restricted")


def test_variables_from_secrets_are_no_literals():
    variables = [
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s"}}},
        {"name": "C"},
    ]

    assert literal_variables(pod({"env": variables})) == [("A", "1")]
