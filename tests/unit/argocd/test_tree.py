import pytest

from gatehouse.argocd.tree import Live, Reference, tree, with_health

GROUPS = {"Deployment": "apps", "ReplicaSet": "apps", "Pod": "", "Widget": "example.com"}


def live(kind, name, *owners, spec=None, status=None, **metadata):
    references = [
        {
            "apiVersion": f"{GROUPS[each.split('/')[0]]}/v1".lstrip("/"),
            "kind": each.split("/")[0],
            "name": each.split("/")[1],
            "uid": each,
        }
        for each in owners
    ]
    metadata = {"name": name, "uid": f"{kind}/{name}", "ownerReferences": references, **metadata}
    item = {"metadata": metadata, "spec": spec or {}, "status": status or {}}
    return Live(reference(kind, name), "v1", item)


def reference(kind, name, namespace="pr-7"):
    return Reference(GROUPS[kind], kind, namespace, name)


def names(nodes):
    return [f"{node['kind']}/{node['name']}" for node in nodes]


POD = live("Pod", "web-1-x", "ReplicaSet/web-1", spec={"containers": [{"name": "main", "image": "web:1"}]})
SET = live("ReplicaSet", "web-1", "Deployment/web", annotations={"deployment.kubernetes.io/revision": "3"})
DEPLOYMENT = live("Deployment", "web")
STRANGER = live("Pod", "other", "ReplicaSet/other")


def test_the_tree_is_the_roots_and_all_they_own():
    nodes = tree([POD, STRANGER, SET, DEPLOYMENT], [reference("Deployment", "web")])
    assert names(nodes) == ["Deployment/web", "ReplicaSet/web-1", "Pod/web-1-x"]


def test_nothing_is_the_tree_of_nothing():
    assert tree([POD, SET, DEPLOYMENT], []) == []


def test_an_object_of_the_same_name_as_a_root_was_is_not_what_its_pods_name():
    again = live("Deployment", "web", uid="another")
    assert names(tree([POD, SET, again], [reference("Deployment", "web")])) == ["Deployment/web"]


@pytest.mark.parametrize("namespace", ["pr-7", ""])
def test_a_root_that_was_not_read_is_known_by_its_name(namespace):
    pod = live("Pod", "made", "Widget/db")
    root = Reference("example.com", "Widget", namespace, "db")
    assert names(tree([pod, STRANGER], [root])) == ["Pod/made"]


def node_of(item):
    return tree([item], [item.reference])[0]


def test_a_node_says_what_it_is_and_whose():
    node = node_of(SET)
    assert (node["group"], node["version"], node["namespace"], node["uid"]) == (
        *("apps", "v1", "pr-7", "ReplicaSet/web-1"),
    )
    assert node["parentRefs"] == [
        {
            "group": "apps",
            "kind": "Deployment",
            "name": "web",
            "namespace": "pr-7",
            "uid": "Deployment/web",
        }
    ]


def test_a_replica_set_says_its_revision():
    assert node_of(SET)["info"] == [{"name": "Revision", "value": "Rev:3"}]


def test_a_pod_names_all_its_images_once():
    main = {"name": "main", "image": "web:1"}
    spec = {"initContainers": [{"name": "init", "image": "init:1"}], "containers": [main, main]}
    assert node_of(live("Pod", "x", spec=spec))["images"] == ["init:1", "web:1"]


def info(status, spec=None, **metadata):
    spec = spec or {"containers": [{"name": "main", "image": "web:1"}]}
    node = node_of(live("Pod", "x", spec=spec, status=status, **metadata))
    return {each["name"]: each["value"] for each in node["info"]}


def test_a_pod_says_how_many_of_its_containers_are_ready_and_how_often_they_began_anew():
    status = {"containerStatuses": [{"name": "main", "ready": True, "restartCount": 2}]}
    found = info(status)
    assert (found["Containers"], found["Restart Count"]) == ("1/1", "2")
    assert "Restart Count" not in info({})


def container(state, **rest):
    return {"containerStatuses": [{"name": "main", "state": state, **rest}]}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({}, "Pending"),
        ({"phase": "Running"}, "Running"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"phase": "Pending", **container({"waiting": {"reason": "ErrImagePull"}})}, "ErrImagePull"),
        ({"phase": "Failed", **container({"terminated": {"exitCode": 3}})}, "ExitCode:3"),
        ({"phase": "Failed", **container({"terminated": {"signal": 9}})}, "Signal:9"),
        ({"phase": "Failed", **container({"terminated": {"reason": "OOMKilled"}})}, "OOMKilled"),
    ],
)
def test_a_pods_state_in_a_word(status, reason):
    assert info(status)["Status Reason"] == reason


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"waiting": {"reason": "CrashLoopBackOff"}}, "Init:CrashLoopBackOff"),
        ({"waiting": {"reason": "PodInitializing"}}, "Init:0/1"),
        ({"running": {}}, "Init:0/1"),
        ({"terminated": {"exitCode": 1, "reason": "Error"}}, "Init:Error"),
        ({"terminated": {"exitCode": 0}}, "Running"),
    ],
)
def test_a_pod_that_is_being_initialised_says_how_far_it_is(state, reason):
    spec = {"initContainers": [{"name": "init", "image": "init:1"}], "containers": []}
    status = {"phase": "Running", "initContainerStatuses": [{"name": "init", "state": state}]}
    assert info(status, spec)["Status Reason"] == reason


def test_a_helper_that_keeps_running_does_not_hide_the_pods_own_state():
    spec = {"initContainers": [{"name": "init", "image": "i", "restartPolicy": "Always"}], "containers": []}
    started = {"name": "init", "started": True, "state": {"running": {}}}
    assert info({"phase": "Running", "initContainerStatuses": [started]}, spec)["Status Reason"] == "Running"


def test_a_pod_that_is_going_says_so():
    assert info({}, deletionTimestamp="2026-01-01T00:00:00Z")["Status Reason"] == "Terminating"


def test_the_health_of_resources_is_filled_in_where_it_is_known():
    pod = {"kind": "Pod", "namespace": "pr-7", "name": "x"}
    other = {"kind": "ConfigMap", "namespace": "pr-7", "name": "x"}
    application = {"metadata": {}, "status": {"resources": [pod, other]}}

    filled = with_health(application, [{**pod, "uid": "1", "health": {"status": "Degraded"}}])

    assert filled["status"]["resources"] == [{**pod, "health": {"status": "Degraded"}}, other]
    assert application["status"]["resources"] == [pod, other]


def test_a_replica_set_of_a_rollout_says_its_revision_too():
    counted = {"rollout.argoproj.io/revision": "3"}
    (one,) = tree([live("ReplicaSet", "web-3", annotations=counted)], [live("ReplicaSet", "web-3").reference])

    assert one["info"] == [{"name": "Revision", "value": "Rev:3"}]
