from gatehouse.argocd.diagnose import find_blocker, waiting_pod, warning


def node(kind, name, *, uid=None, health="Healthy", reason="", parents=(), **extra):
    return {
        "kind": kind,
        "name": name,
        "namespace": "pr-7",
        "uid": uid or name,
        "health": {"status": health, **({"message": extra["message"]} if "message" in extra else {})},
        "info": [{"name": "Status Reason", "value": reason}] if reason else extra.get("info", []),
        "parentRefs": [{"uid": parent} for parent in parents],
    }


def replica_set(name, revision):
    return node("ReplicaSet", name, parents=["web"], info=[{"name": "Revision", "value": f"Rev:{revision}"}])


def test_nothing_blocks_a_healthy_tree():
    assert find_blocker([node("Deployment", "web"), node("Pod", "web-1", reason="Running")]) is None


def test_the_pod_that_cannot_pull_its_image_is_named_before_its_deployment():
    blocker = find_blocker(
        [
            node("Deployment", "web", health="Progressing"),
            replica_set("web-2", 2),
            node(
                "Pod",
                "web-2-x",
                health="Degraded",
                reason="ImagePullBackOff",
                parents=["web-2"],
                message="not found",
            ),
        ]
    )

    assert str(blocker) == "Pod pr-7/web-2-x: ImagePullBackOff"
    assert (blocker.stuck, blocker.message) == (True, "not found")


def test_a_failing_pod_of_an_older_replica_set_is_not_to_blame():
    blocker = find_blocker(
        [
            replica_set("web-1", 1),
            replica_set("web-2", 2),
            node("Pod", "old", health="Healthy", reason="CrashLoopBackOff", parents=["web-1"]),
            node("Pod", "new", health="Progressing", reason="Pending", parents=["web-2"]),
        ]
    )

    assert blocker.resource == "Pod pr-7/new"
    assert not blocker.stuck


def test_an_object_that_is_missing_has_no_uid_and_is_no_obstacle():
    missing = node("Service", "web")
    del missing["uid"], missing["health"]
    pod = node("Pod", "web-1-x", health="Progressing", reason="Pending", parents=["web-1"])

    blocker = find_blocker([missing, replica_set("web-1", 1), pod])

    assert blocker.resource == "Pod pr-7/web-1-x"


def test_an_unhealthy_object_that_is_no_pod_is_found_too():
    blocker = find_blocker(
        [node("HTTPRoute", "web", health="Degraded", message="NoMatchingListenerHostname")]
    )

    assert (blocker.resource, blocker.message) == ("HTTPRoute pr-7/web", "NoMatchingListenerHostname")


def test_the_newest_warning_that_says_more_than_back_off_is_quoted():
    events = [
        {"type": "Normal", "reason": "Scheduled", "message": "fine", "lastTimestamp": "2026-01-01T00:00:09Z"},
        {
            "type": "Warning",
            "reason": "Failed",
            "message": "no such tag",
            "lastTimestamp": "2026-01-01T00:00:01Z",
        },
        {
            "type": "Warning",
            "reason": "BackOff",
            "message": "back-off",
            "lastTimestamp": "2026-01-01T00:00:05Z",
        },
    ]

    assert warning(events) == "no such tag"
    assert warning(events[2:]) == "back-off"
    assert warning([]) == ""


def test_a_pod_of_the_newest_version_that_is_not_well_is_waited_for():
    tree = [
        node("Deployment", "web"),
        replica_set("web-1", 1),
        replica_set("web-2", 2),
        node("Pod", "old", health="Degraded", parents=["web-1"]),
        node("Pod", "new", health="Progressing", parents=["web-2"]),
    ]

    assert waiting_pod(tree)["name"] == "new"
    assert waiting_pod(tree[:-1]) is None
    assert waiting_pod([node("Pod", "done", health="Healthy")]) is None
