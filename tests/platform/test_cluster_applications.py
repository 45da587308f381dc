"""Applications read through the Kubernetes API: the same wait, with the same outcome, as through Argo CD's own."""

import re
import threading
import uuid
from dataclasses import replace

import pytest

from gatehouse.argocd import follow
from gatehouse.argocd.client import ArgoCDClient
from gatehouse.argocd.cluster import ClusterApplications
from gatehouse.argocd.source import Scope
from gatehouse.core.deadline import SYSTEM_CLOCK
from gatehouse.core.errors import (
    EnvironmentProblem,
    NotFound,
    PermissionDenied,
    TerminalState,
    Unreachable,
    WrongSubject,
)
from gatehouse.embedded.kubernetes.access import EVERYTHING, Identity, rule
from gatehouse.embedded.kubernetes.kinds import APP_PROJECT, APPLICATION
from gatehouse.kube.client import Cluster
from tests.platform.conftest import eventually
from tests.platform.previews import JumpingClock, prove_preview, refusal, time_out

PREVIEW = Scope("preview/pr=7")


@pytest.fixture
def clusters(tmp_path):
    """Connections to a platform's cluster, all rights taken from their identity that match `denials`."""
    opened = []

    def connect(platform, *denials):
        kubeconfig = platform.kubeconfig
        if denials:
            token = f"token-{uuid.uuid4()}"
            identity = Identity("narrow", EVERYTHING, denials)
            platform.call(lambda systems: systems.kubernetes.tokens.update({token: identity}))
            kubeconfig = tmp_path / token
            text = platform.kubeconfig.read_text()
            kubeconfig.write_text(text.replace(platform.credentials.kubernetes, token))
        opened.append(Cluster(kubeconfig))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


@pytest.fixture
def applications_of(clusters):
    return lambda platform, *denials: ClusterApplications(clusters(platform, *denials))


@pytest.fixture
def applications(applications_of, platform):
    """The happy platform's Applications, once they are what they are to be."""
    return ready(applications_of(platform))


def ready(applications):
    def settled():
        found = applications.applications(PREVIEW)
        healthy = [
            each
            for each in found
            if each.get("status", {}).get("health", {}).get("status") == "Healthy"
            and each["status"]["sync"]["status"] == "Synced"
            and "operation" not in each
        ]
        return len(healthy) == len(found) == 5

    eventually(settled)
    return applications


def refused(platform, source, kind, **options):
    return refusal(platform, kind, source=source, **options)


def both(platform, applications_of, kind):
    """What is said through Argo CD's API and through the cluster's, but for where to look."""
    with ArgoCDClient(platform.urls.argocd, platform.credentials.argocd) as argocd:
        sources = (argocd, applications_of(platform))
        told = [refused(platform, each, kind).splitlines() for each in sources]
        return [[line for line in lines if not line.startswith(("  where: ", "  seen: "))] for lines in told]


# --- the wait ----------------------------------------------------------------------------------------------


def test_happy_is_proved_as_through_argo_cd(platform, applications_of):
    with ArgoCDClient(platform.urls.argocd, platform.credentials.argocd) as argocd:
        expected = prove_preview(platform, source=argocd)

    found = prove_preview(platform, source=applications_of(platform))

    assert replace(found, seconds={}) == replace(expected, seconds={})
    assert found.embedded


def test_one_application_that_tracks_the_head_commit_is_proved(start, applications_of):
    platform = start("one-application")
    environment = prove_preview(platform, source=applications_of(platform))
    assert list(environment.applications) == ["shop-7"]
    assert environment.proof.outcome == "this commit"


@pytest.mark.parametrize(
    ("scenario", "kind", "words"),
    [
        ("base-images", WrongSubject, "base images"),
        ("crash-loop", TerminalState, "No module named 'tax'"),
        ("manifest-error", TerminalState, "did not find expected key"),
    ],
)
def test_what_ends_the_wait_is_said_in_the_same_words(start, applications_of, scenario, kind, words):
    through_argo_cd, through_the_cluster = both(start(scenario), applications_of, kind)
    assert words in through_the_cluster[0]
    assert through_the_cluster == through_argo_cd


def test_pods_that_cannot_be_scheduled_are_named_with_the_schedulers_words(start, applications_of):
    platform = start("unschedulable")
    words = time_out(platform, "Insufficient memory", source=applications_of(platform))
    assert re.search(r"Pod pr-7/\S+: Pending: .*Insufficient memory", words)


def test_without_the_right_to_read_pods_the_wait_ends_with_the_permission_to_grant(platform, applications_of):
    source = applications_of(platform, rule("get list watch", "pods"))
    words = refused(platform, source, PermissionDenied)
    assert 'User "narrow" cannot list resource "pods"' in words
    assert "grant this identity the verbs get and list on pods in the namespace pr-7" in words


def test_without_the_right_to_patch_the_controllers_own_comparison_is_waited_for(start, applications_of):
    platform = start(application_poll=0.5)
    source = applications_of(platform, rule("patch", "*"))
    assert prove_preview(platform, source=source).proof.outcome == "this commit"


# --- following -----------------------------------------------------------------------------------------------


@pytest.fixture
def following(start, applications_of, monkeypatch):
    """A platform, its Applications and a follower whose watch stands and is opened again at once."""
    monkeypatch.setattr(follow, "BACKOFF", (0.01, 0.01))
    platform = start()
    source = ready(applications_of(platform))
    watches = []

    def watch(scope, version):
        watches.append(ClusterApplications.watch(source, scope, version))
        return watches[-1]

    source.watch = watch
    with source.follow(PREVIEW) as follower:
        eventually(lambda: len(follower.look()) == 5)
        eventually(lambda: follower.streaming)
        follower.look()
        yield platform, source, follower, watches


def annotate(platform, value):
    def change(systems):
        application = systems.store.get(APPLICATION, "argocd", "pr-7-www")
        application["metadata"].setdefault("annotations", {})["seen"] = value
        systems.store.update(APPLICATION, application)

    platform.call(change)


def seen(follower, value):
    def look():
        follower.wait(1)
        return follower.look()["pr-7-www"]["metadata"].get("annotations", {}).get("seen") == value

    return eventually(look)


def test_a_change_reaches_the_follower_over_the_watch_and_without_another_list(following):
    platform, source, follower, _watches = following
    listed = []
    source.listed = listed.append

    annotate(platform, "yes")

    assert seen(follower, "yes")
    assert listed == []


def test_a_watch_that_is_cut_goes_on_where_it_ended(following):
    platform, source, follower, watches = following
    source.listed = lambda _selector: pytest.fail("a list was asked for")
    follower._listed_at = SYSTEM_CLOCK.monotonic() + 3600

    watches[-1].close()
    annotate(platform, "yes")

    # The stream itself brings it, before the list that its standing asks for.
    eventually(lambda: len(watches) == 2)
    eventually(lambda: "seen" in follower._table.applications["pr-7-www"]["metadata"].get("annotations", {}))


def test_a_version_that_is_forgotten_is_made_up_for_by_a_list(following):
    platform, _source, follower, watches = following

    def forget(systems):
        # What changed while the watch was down is forgotten with all else, so only a list can tell of it.
        application = systems.store.get(APPLICATION, "argocd", "pr-7-www")
        application["metadata"].setdefault("annotations", {})["seen"] = "yes"
        systems.store.update(APPLICATION, application)
        systems.store.version += 1
        systems.store.forget_history()

    platform.call(forget)
    watches[-1].close()

    assert seen(follower, "yes")
    eventually(lambda: follower.streaming and len(watches) > 1)
    annotate(platform, "again")
    assert seen(follower, "again")


def test_a_watch_is_closed_at_once_from_another_thread(platform, applications_of):
    source = applications_of(platform)
    watch = source.watch(Scope("preview/pr=999"), source.listed(PREVIEW)[1])
    ended = []

    def read():
        try:
            ended.append(watch.read(1))
        except Unreachable as error:
            ended.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    watch.close()
    thread.join(5)
    assert len(ended) == 1


# --- one Application -----------------------------------------------------------------------------------------


def test_a_refresh_returns_what_was_compared_anew(applications):
    before = applications.application("pr-7-www", "previews")
    fresh = applications.application("pr-7-www", "previews", refresh=True)
    assert "argocd.argoproj.io/refresh" not in fresh["metadata"].get("annotations", {})
    assert int(fresh["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


def test_a_refresh_that_is_forbidden_is_a_plain_read(platform, applications, applications_of):
    narrow = applications_of(platform, rule("patch", "applications"))
    fresh = narrow.application("pr-7-www", "previews", refresh=True)
    assert fresh["metadata"]["name"] == "pr-7-www"


def test_a_refresh_that_nobody_takes_up_ends_in_time(start, clusters):
    platform = start(application_compare=60)
    clock = JumpingClock()
    clock.sleep = lambda _seconds: setattr(clock, "ahead", clock.ahead + 10)
    source = ClusterApplications(clusters(platform), clock=clock)
    eventually(lambda: source.application("pr-7-www", "previews"))

    fresh = source.application("pr-7-www", "previews", refresh=True)

    assert fresh["metadata"]["annotations"]["argocd.argoproj.io/refresh"] == "normal"


@pytest.mark.parametrize(("name", "project"), [("pr-7-www", "other"), ("no-such", "previews")])
def test_an_application_that_is_not_in_the_project_does_not_exist(applications, name, project):
    assert applications.application(name, project) is None
    with pytest.raises(NotFound):
        applications.resource_tree(name, project)


def test_the_tree_is_that_of_argo_cd(platform, applications):
    with ArgoCDClient(platform.urls.argocd, platform.credentials.argocd) as argocd:
        told = argocd.resource_tree("pr-7-www", "previews")

    def essence(nodes):
        keys = ("kind", "name", "uid", "group", "namespace", "version", "parentRefs", "info", "images")
        return {
            node["uid"]: ({key: node.get(key) for key in keys}, node.get("health", {}).get("status"))
            for node in nodes
            if node["kind"] != "Endpoints"  # says nothing of the wait, and is not read from the cluster
        }

    found = essence(applications.resource_tree("pr-7-www", "previews"))
    assert {node["kind"] for node, _ in found.values()} == {
        *("Deployment", "ReplicaSet", "Pod", "Service", "HTTPRoute", "EndpointSlice")
    }
    assert found == essence(told)


def test_kinds_that_do_not_lead_to_pods_may_be_forbidden(platform, applications, applications_of):
    narrow = applications_of(platform, rule("get list", "services httproutes endpointslices"))
    kinds = {node["kind"] for node in narrow.resource_tree("pr-7-www", "previews")}
    assert kinds == {"Deployment", "ReplicaSet", "Pod"}


def test_pods_are_found_by_the_name_of_what_owns_them_where_that_may_not_be_read(
    platform, applications, applications_of
):
    narrow = applications_of(platform, rule("get", "deployments"))
    kinds = {node["kind"] for node in narrow.resource_tree("pr-7-www", "previews")}
    assert {"ReplicaSet", "Pod"} <= kinds


def test_an_application_that_deploys_to_another_cluster_cannot_be_proved(start, applications_of):
    platform = start()
    applications = applications_of(platform)

    def move(systems):
        application = systems.store.get(APPLICATION, "argocd", "pr-7-www")
        application["spec"]["destination"] = {"name": "elsewhere", "namespace": "pr-7"}
        systems.store.update(APPLICATION, application)

    def refusal():
        platform.call(move)  # the ApplicationSet may put it back at any moment
        try:
            applications.resource_tree("pr-7-www", "previews")
        except EnvironmentProblem as error:
            return error

    eventually(lambda: applications.application("pr-7-www", "previews"))
    error = eventually(refusal)
    assert "deploys to another cluster" in error.summary
    assert "the destination elsewhere" in error.seen


def pod_of(applications, name="pr-7-www"):
    tree = applications.resource_tree(name, "previews")
    return next((node for node in tree if node["kind"] == "Pod"), None)


def test_a_resource_is_the_live_object_and_not_found_once_it_is_gone(applications):
    pod = pod_of(applications)
    live = applications.resource("pr-7-www", "previews", pod)
    assert live["metadata"]["uid"] == pod["uid"]
    with pytest.raises(NotFound, match="is gone"):
        applications.resource("pr-7-www", "previews", {**pod, "name": "no-such-pod"})


def test_a_resource_is_the_same_through_argo_cd(platform, applications):
    pod = pod_of(applications)
    with ArgoCDClient(platform.urls.argocd, platform.credentials.argocd) as argocd:
        assert argocd.resource("pr-7-www", "previews", pod)["metadata"]["uid"] == pod["uid"]
        with pytest.raises(NotFound, match="is gone"):
            argocd.resource("pr-7-www", "previews", {**pod, "name": "no-such-pod"})


def test_events_are_those_about_the_node(applications):
    pod = pod_of(applications)
    events = applications.events("pr-7-www", "previews", pod)
    assert events
    assert {each["involvedObject"]["uid"] for each in events} == {pod["uid"]}


def test_events_that_may_not_be_read_are_none(platform, applications, applications_of):
    narrow = applications_of(platform, rule("list", "events"))
    assert narrow.events("pr-7-www", "previews", pod_of(applications)) == []


def test_the_log_is_that_of_the_pod(applications):
    pod = pod_of(applications, "pr-7-platform")
    assert eventually(
        lambda: applications.log_tail("pr-7-platform", "previews", pod, previous=False, lines=1)
    )


def test_a_log_that_is_not_there_or_may_not_be_read_is_empty(platform, applications, applications_of):
    pod = pod_of(applications)
    narrow = applications_of(platform, rule("get", "pods/log"))
    assert applications.log_tail("pr-7-www", "previews", pod) == ""
    assert applications.log_tail("pr-7-www", "previews", pod, container="no-such") == ""
    assert narrow.log_tail("pr-7-www", "previews", pod, previous=False) == ""


# --- projects and sets ---------------------------------------------------------------------------------------


def test_without_windows_every_sync_may_run(applications):
    assert applications.sync_windows("pr-7-www", "previews") == {
        "activeWindows": [],
        "assignedWindows": [],
        "canSync": True,
    }


def test_of_a_projects_windows_those_of_the_application_are_told(start, applications_of):
    platform = start()
    applications = applications_of(platform)
    night = {"kind": "deny", "schedule": "0 22 * * *", "duration": "8h"}

    def close(systems):
        project = systems.store.get(APP_PROJECT, "argocd", "previews")
        project["spec"]["syncWindows"] = [
            {**night, "namespaces": ["pr-*"]},
            {**night, "schedule": "0 0 * * *", "applications": ["another"]},
        ]
        systems.store.update(APP_PROJECT, project)

    eventually(lambda: applications.application("pr-7-www", "previews"))
    platform.call(close)
    assert applications.sync_windows("pr-7-www", "previews") == {"assignedWindows": [night]}


def test_windows_that_may_not_be_read_are_not_said_to_be_open(platform, applications_of):
    narrow = applications_of(platform, rule("get", "appprojects"))
    assert narrow.sync_windows("pr-7-www", "previews") == {}


def test_application_sets_are_those_of_the_namespace(platform, applications):
    with ArgoCDClient(platform.urls.argocd, platform.credentials.argocd) as argocd:
        expected = {each["metadata"]["name"] for each in argocd.application_sets()}
    assert {each["metadata"]["name"] for each in applications.application_sets()} == expected
