import pytest

from gatehouse.argocd.diagnose import (
    ENDED,
    find_blocker,
    lasting_pods,
    newest_pods,
    newest_replica_sets,
    older_pod,
    pods_of,
    waiting_pod,
    warning,
)
from gatehouse.kube.image_pulls import PullProblem, pull_problem


def node(kind, name, *, uid=None, health="Healthy", reason="", parents=(), **extra):
    return {
        "kind": kind,
        "name": name,
        "namespace": "pr-7",
        "uid": uid or name,
        "health": {"status": health, **({"message": extra["message"]} if "message" in extra else {})},
        "info": [{"name": "Status Reason", "value": reason}] if reason else extra.get("info", []),
        "parentRefs": [{"uid": parent, "kind": extra.get("owner", "ReplicaSet")} for parent in parents],
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


# --- which pods count ----------------------------------------------------------------------------------------


def names(nodes):
    return [each["name"] for each in nodes]


def test_pods_of_the_newest_replica_set_count_and_those_of_older_ones_are_still_there():
    tree = [
        replica_set("web-1", 1),
        replica_set("web-2", 2),
        node("Pod", "old", reason="Running", parents=["web-1"]),
        node("Pod", "new", reason="Running", parents=["web-2"]),
    ]

    assert names(newest_pods(tree)) == ["new"]
    assert older_pod(tree)["name"] == "old"
    assert newest_replica_sets(tree) == ["web-2"]


@pytest.mark.parametrize("reason", sorted(ENDED))
def test_a_pod_that_has_ended_for_good_and_been_replaced_does_not_count(reason):
    tree = [replica_set("web-2", 2), node("Pod", "gone", health="Degraded", reason=reason, parents=["web-2"])]

    assert newest_pods(tree) == []
    assert waiting_pod(tree) is None


def test_what_a_cron_job_once_ran_is_neither_waited_for_nor_to_blame():
    tree = [
        node("Deployment", "web", health="Progressing"),
        node("Job", "nightly", health="Degraded"),
        node("Pod", "nightly-1", health="Degraded", reason="Error", parents=["nightly"], owner="Job"),
        replica_set("web-2", 2),
        node("Pod", "web-2-x", health="Progressing", reason="Pending", parents=["web-2"]),
    ]

    assert names(newest_pods(tree)) == ["web-2-x"]
    assert waiting_pod(tree)["name"] == "web-2-x"


def test_a_job_that_runs_runs_its_image():
    tree = [node("Pod", "migrate-1", reason="Running", parents=["migrate"], owner="Job")]

    assert names(newest_pods(tree)) == ["migrate-1"]


def test_a_job_that_runs_beside_other_pods_says_nothing_of_what_is_deployed():
    job = node("Pod", "nightly-1", reason="Running", parents=["nightly"], owner="Job")
    web = node("Pod", "web-2-x", reason="Running", parents=["web-2"])

    assert names(lasting_pods([replica_set("web-2", 2), web, job])) == ["web-2-x"]
    assert names(lasting_pods([job])) == ["nightly-1"]


def test_the_pods_of_a_hooks_job_are_found_by_its_name():
    tree = [
        node("Job", "smoke"),
        node("Pod", "smoke-1", parents=["smoke"], owner="Job"),
        node("Pod", "other"),
    ]

    assert names(pods_of(tree, "Job", "smoke")) == ["smoke-1"]
    assert pods_of(tree, "Job", "missing") == []


def test_a_secret_store_comes_before_the_secret_that_waits_for_it():
    store = node("SecretStore", "vault", health="Degraded", message="permission denied")
    secret = node("ExternalSecret", "personas", health="Degraded", message="store is not ready")

    assert find_blocker([secret, store]).resource == "SecretStore pr-7/vault"


# --- why an image cannot be pulled ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("429 Too Many Requests - Server message: toomanyrequests: You have reached", PullProblem.RATE_LIMIT),
        (
            "failed to authorize: failed to fetch anonymous token: 401 Unauthorized",
            PullProblem.AUTHENTICATION,
        ),
        (
            "pull access denied, repository does not exist or may require authorization",
            PullProblem.AUTHENTICATION,
        ),
        ("denied: permission_denied: read_package", PullProblem.AUTHENTICATION),
        ("no match for platform in manifest: not found", PullProblem.ARCHITECTURE),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", PullProblem.ARCHITECTURE),
        ("failed to resolve reference: ghcr.io/acme/web:abc: not found", PullProblem.MISSING),
        ("manifest unknown", PullProblem.MISSING),
        ("dial tcp: i/o timeout", PullProblem.OTHER),
    ],
)
def test_a_runtimes_words_tell_why_it_cannot_pull(words, problem):
    assert pull_problem(words) is problem


def test_a_missing_pull_secret_is_added_to_what_the_pull_says():
    events = [
        {"type": "Warning", "reason": "Failed", "message": "401", "lastTimestamp": "1"},
        {
            "type": "Warning",
            "reason": "FailedToRetrieveImagePullSecret",
            "message": "no secret",
            "lastTimestamp": "2",
        },
        {"type": "Warning", "reason": "BackOff", "message": "Back-off", "lastTimestamp": "3"},
    ]

    assert warning(events) == "401; no secret"
    assert warning(events[1:2]) == "no secret"


@pytest.mark.parametrize("reason", ["CrashLoopBackOff", "ImagePullBackOff"])
def test_a_stuck_pod_of_the_commit_before_does_not_end_the_wait_for_its_repair(reason):
    blocker = find_blocker(
        [
            node("Deployment", "web", health="Progressing"),
            replica_set("web-1", 1),
            replica_set("web-2", 2),
            node("Pod", "web-1-x", health="Degraded", reason=reason, parents=["web-1"]),
            node("Pod", "web-2-x", health="Progressing", reason="ContainerCreating", parents=["web-2"]),
        ]
    )

    assert blocker is not None
    assert (str(blocker), blocker.stuck) == ("Pod pr-7/web-2-x: ContainerCreating", False)


def test_a_stuck_pod_of_a_cron_job_is_not_to_blame():
    tree = [
        node("Deployment", "web", health="Progressing"),
        node("Job", "nightly-1", parents=["nightly"], owner="CronJob", health="Progressing"),
        node("Pod", "x", health="Degraded", reason="ImagePullBackOff", parents=["nightly-1"], owner="Job"),
    ]

    assert str(find_blocker(tree)) == "Deployment pr-7/web: Progressing"


def test_a_pod_of_an_older_version_that_has_been_evicted_is_not_waited_for():
    sets = [replica_set("web-1", 1), replica_set("web-2", 2)]
    evicted = node("Pod", "web-1-x", health="Degraded", reason="Evicted", parents=["web-1"])

    assert older_pod([*sets, evicted]) is None


@pytest.mark.parametrize("reason", ["ContainerStatusUnknown", "OutOfephemeral-storage", "Error", "OOMKilled"])
def test_a_pod_that_its_node_has_ended_is_not_waited_for(reason):
    words = "Pod was terminated in response to imminent node shutdown."
    ended = node("Pod", "web-2-x", health="Degraded", reason=reason, message=words, parents=["web-2"])

    assert waiting_pod([replica_set("web-2", 2), ended]) is None


def test_a_pod_whose_container_has_just_ended_is_waited_for():
    crashed = node("Pod", "web-2-x", health="Degraded", reason="Error", message="", parents=["web-2"])

    assert waiting_pod([replica_set("web-2", 2), crashed]) is crashed


@pytest.mark.parametrize(
    "words",
    [
        'failed to resolve reference "r.io/acme/www:3f4290abcdef": r.io/acme/www:3f4290abcdef: not found',
        'failed to pull "r.io/acme/www:pr-403-abc1234": not found',
        "pulling from host r.io failed with status code [manifests pr-401-ab]: 404 Not Found",
        "unexpected status from HEAD request to https://r.io/v2/www/manifests/pr-403: 404 Not Found",
    ],
)
def test_digits_in_the_name_of_an_image_are_no_status(words):
    assert pull_problem(words) is PullProblem.MISSING


def test_a_restart_of_a_stateful_set_makes_another_version():
    def revision(name, number):
        info = [{"name": "Revision", "value": f"Rev:{number}"}]
        return node("ControllerRevision", name, parents=["db"], owner="StatefulSet", info=info)

    first = [node("StatefulSet", "db"), revision("db-a", 1)]
    assert newest_replica_sets(first) == ["db-a"]
    assert newest_replica_sets([*first, revision("db-b", 2)]) == ["db-b"]
