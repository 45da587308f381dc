"""The embedded Argo CD, over real sockets: the habits of its API and of its controllers."""

import json
import threading
from urllib.parse import urlsplit

import httpx
import pytest

from gatehouse.argocd.client import ArgoCDClient
from gatehouse.argocd.source import Scope
from gatehouse.embedded.argocd.accounts import Account
from gatehouse.embedded.kubernetes.kinds import APPLICATION, DEPLOYMENT, NAMESPACE
from gatehouse.embedded.systems import IMAGES
from tests.platform.conftest import close, eventually, push_edit

APPLICATIONS = "/api/v1/applications"
STREAM = "/api/v1/stream/applications"


def client_of(platform, token=None, **headers):
    token = platform.credentials.argocd if token is None else token
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=platform.urls.argocd, headers={**authorization, **headers}, timeout=20)


@pytest.fixture
def argocd(platform):
    with client_of(platform) as client:
        yield client


def listed(client, selector="preview/pr=7"):
    items = client.get(APPLICATIONS, params={"selector": selector}).json()["items"]
    return {item["metadata"]["name"]: item for item in items or []}


def ready(client, selector="preview/pr=7", count=5):
    """The applications of pull request 7 once all are Synced and Healthy."""

    def look():
        applications = listed(client, selector)
        done = [
            item
            for item in applications.values()
            if item.get("status", {}).get("health", {}).get("status") == "Healthy"
            and item["status"]["sync"]["status"] == "Synced"
            and "operation" not in item
        ]
        return applications if len(done) == count == len(applications) else None

    return eventually(look)


def images(applications):
    return sorted({image for item in applications.values() for image in item["status"]["summary"]["images"]})


def label(platform, method, path="", body=None):
    url = f"{platform.urls.code_host}/api/v3/repos/acme/shop/issues/7/labels{path}"
    headers = {"Authorization": f"Bearer {platform.credentials.code_host}"}
    assert httpx.request(method, url, json=body, headers=headers).status_code == 200


# --- who may ask, and how it is said that something is not there --------------------------------------


def test_without_a_valid_token_every_call_but_version_and_session_is_401(platform):
    with client_of(platform, token="") as anonymous:
        assert anonymous.get("/api/version").json() == {"Version": "v3.2.1+embedded"}
        refused = anonymous.get(APPLICATIONS)
        assert (refused.status_code, refused.json()["code"]) == (401, 16)
        assert refused.json()["message"] == "no session information"
        assert anonymous.get("/api/v1/session/userinfo").json() == {}
    with client_of(platform, token="a.b.c") as forged:
        assert "signature is invalid" in forged.get(APPLICATIONS).json()["message"]


def test_an_expired_token_says_so(platform):
    token = platform.call(lambda systems: systems.accounts.issue("gatehouse", lifetime=-10))
    with client_of(platform, token=token) as expired:
        assert "token is expired" in expired.get(APPLICATIONS).json()["message"]


def test_a_session_is_made_from_a_password(platform, argocd):
    good = {"username": "gatehouse", "password": platform.credentials.argocd_password}

    token = argocd.post("/api/v1/session", json=good).json()["token"]
    with client_of(platform, token=token) as client:
        assert client.get("/api/v1/session/userinfo").json()["username"] == "gatehouse"
    wrong = argocd.post("/api/v1/session", json={**good, "password": "wrong"})
    assert (wrong.status_code, wrong.json()["message"]) == (401, "Invalid username or password")


def test_a_missing_application_is_403_without_a_project_and_404_with_one(argocd):
    hidden = argocd.get(f"{APPLICATIONS}/no-such-application")
    assert (hidden.status_code, hidden.json()["message"]) == (403, "permission denied")
    missing = argocd.get(f"{APPLICATIONS}/no-such-application", params={"project": "previews"})
    assert (missing.status_code, missing.json()["code"]) == (404, 5)


def test_an_account_sees_only_its_projects_and_lists_stay_silent_about_the_rest(platform, argocd):
    def add(systems):
        systems.accounts.accounts["narrow"] = Account("narrow", projects=("previews-system",))
        return systems.accounts.issue("narrow")

    ready(argocd)
    with client_of(platform, token=platform.call(add)) as narrow:
        assert list(listed(narrow)) == ["pr-7-namespace"]
        answer = narrow.get(f"{APPLICATIONS}/pr-7-www", params={"project": "previews"})
        assert answer.status_code == 403
        assert narrow.get("/api/v1/account/can-i/applications/get/previews/pr-7-www").json() == {
            "value": "no"
        }


def test_a_post_that_is_not_json_is_415(argocd):
    answer = argocd.post("/api/v1/session", content="username=x")
    assert (answer.status_code, answer.text) == (415, "Invalid content type")


def test_an_unknown_path_is_the_dashboard_to_a_browser_and_404_to_everyone_else(argocd):
    page = argocd.get("/api/v1/nonsense", headers={"Accept": "text/html"})
    assert (page.status_code, page.text[:15]) == (200, "<!doctype html>")
    assert argocd.get("/api/v1/nonsense").status_code == 404


def test_a_selector_that_cannot_be_parsed_is_400(argocd):
    answer = argocd.get(APPLICATIONS, params={"selector": "a in ("})
    assert answer.status_code == 400
    assert "error parsing the selector" in answer.json()["message"]


# --- what an application tells ------------------------------------------------------------------------


def test_a_list_leaves_out_type_and_resource_health_and_a_single_read_has_the_health(argocd):
    ready(argocd)
    application = listed(argocd)["pr-7-www"]
    assert not {"apiVersion", "kind"} & set(application)
    assert not any("health" in each for each in application["status"]["resources"])
    single = argocd.get(f"{APPLICATIONS}/pr-7-www").json()
    assert any(each.get("health") == {"status": "Healthy"} for each in single["status"]["resources"])


def test_all_times_have_whole_seconds(argocd):
    ready(argocd)
    status = listed(argocd)["pr-7-www"]["status"]
    for text in (status["reconciledAt"], status["operationState"]["finishedAt"]):
        assert len(text) == len("2026-01-01T00:00:00Z")


def test_a_refresh_answers_after_the_comparison_and_takes_its_annotation_off(argocd):
    ready(argocd)

    fresh = argocd.get(f"{APPLICATIONS}/pr-7-www", params={"refresh": "normal"}).json()

    assert "argocd.argoproj.io/refresh" not in fresh["metadata"].get("annotations", {})
    assert fresh["status"]["sync"]["comparedTo"]["source"] == fresh["spec"]["source"]


def test_the_tree_reaches_from_the_deployment_to_its_pods(argocd):
    ready(argocd)
    nodes = argocd.get(f"{APPLICATIONS}/pr-7-www/resource-tree").json()["nodes"]
    (pod,) = [node for node in nodes if node["kind"] == "Pod"]
    (replica_set,) = [node for node in nodes if node["uid"] == pod["parentRefs"][0]["uid"]]
    assert replica_set["kind"] == "ReplicaSet"
    assert {"name": "Revision", "value": "Rev:1"} in replica_set["info"]
    assert pod["images"][0].startswith(f"{IMAGES}/www:")


def test_a_resource_is_given_as_a_manifest_in_a_string_and_a_secret_is_masked(argocd):
    ready(argocd)
    path = f"{APPLICATIONS}/pr-7-www/resource"
    deployment = {"resourceName": "www", "namespace": "pr-7", "kind": "Deployment", "version": "v1"}
    answer = argocd.get(path, params={**deployment, "group": "apps"})
    assert json.loads(answer.json()["manifest"])["kind"] == "Deployment"
    assert argocd.get(path, params={"resourceName": "www"}).status_code == 400
    absent = argocd.get(path, params={**deployment, "resourceName": "nothing"})
    assert "not found as part of application" in absent.json()["message"]


# --- the event stream ---------------------------------------------------------------------------------


def events_of(answer):
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))["result"]


def test_the_stream_replays_what_is_there_then_follows(argocd):
    ready(argocd)
    headers = {"Accept": "text/event-stream"}
    seen = []
    with argocd.stream("GET", STREAM, params={"selector": "preview/pr=7"}, headers=headers) as answer:
        for event in events_of(answer):
            seen.append((event["type"], event["application"]["metadata"]["name"]))
            if len(seen) == 5:
                refresh = threading.Thread(
                    target=argocd.get,
                    args=(f"{APPLICATIONS}/pr-7-www",),
                    kwargs={"params": {"refresh": "hard"}},
                )
                refresh.start()
            if seen[-1] == ("MODIFIED", "pr-7-www"):
                break
    refresh.join(20)
    assert {type_ for type_, _ in seen[:5]} == {"ADDED"}
    assert len({name for _, name in seen[:5]}) == 5


def test_the_stream_withholds_its_headers_until_there_is_an_event(argocd):
    with (
        pytest.raises(httpx.ReadTimeout),
        argocd.stream("GET", STREAM, params={"selector": "preview/pr=999"}, timeout=0.3),
    ):
        pass


def test_keepalives_are_sent_only_to_the_exact_accept_header_and_as_comments(start):
    platform = start(stream_keepalive=0.05)
    with client_of(platform) as client:
        ready(client)
        for accept, expected in (("text/event-stream", True), ("text/event-stream, */*", False)):
            comments = 0
            try:
                with client.stream("GET", STREAM, headers={"Accept": accept}, timeout=1) as answer:
                    for line in answer.iter_lines():
                        comments += line.startswith(":")
                        if comments == 3:
                            break
            except httpx.ReadTimeout:
                assert not expected
            assert (comments > 0) is expected


def test_a_refused_stream_is_an_error_in_the_streams_own_form(platform):
    with client_of(platform, token="") as anonymous:
        answer = anonymous.get(STREAM, headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.text.removeprefix("data: "))["error"]["grpc_code"] == 16


# --- pull requests become previews --------------------------------------------------------------------


def test_a_labelled_pull_request_becomes_one_namespace_and_applications_of_several_sets(argocd, platform):
    applications = ready(argocd)

    assert {item["spec"]["destination"]["namespace"] for item in applications.values()} == {"pr-7"}
    owners = {item["metadata"]["ownerReferences"][0]["name"] for item in applications.values()}
    assert len(owners) > 1
    head = platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))
    assert head in str(images(applications))
    revisions = {item["status"]["sync"]["revision"] for item in applications.values()}
    assert head not in revisions, "the pull request's commit is an image tag, never an Argo CD revision"


def test_the_second_label_decides_whose_images_run(start):
    platform = start("base-images")
    head = platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))
    with client_of(platform) as client:
        assert head not in str(images(ready(client)))
        label(platform, "POST", body={"labels": ["preview-images"]})
        eventually(lambda: images(ready(client)) == [f"{IMAGES}/platform:{head}", f"{IMAGES}/www:{head}"])
        label(platform, "DELETE", "/preview-images")
        eventually(lambda: head not in str(images(ready(client))))


def test_without_the_first_label_the_applications_go_and_the_namespace_later(start):
    platform = start(namespace_janitor=0.5)
    with client_of(platform) as client:
        ready(client)
        label(platform, "DELETE", "/preview")

        eventually(lambda: not listed(client))
        assert platform.call(lambda systems: systems.store.find(NAMESPACE, "", "pr-7"))
        eventually(lambda: not platform.call(lambda systems: systems.store.find(NAMESPACE, "", "pr-7")))


def test_closing_the_pull_request_removes_everything_of_its_preview(start):
    platform = start()
    with client_of(platform) as client:
        ready(client)
        close(platform)
        eventually(lambda: not listed(client))

    def left(systems):
        return [
            item
            for kind, item in systems.store.everything()
            if "pr-7" in item["metadata"].get("namespace", "")
        ]

    eventually(lambda: not platform.call(left))


def test_a_push_brings_new_images_and_the_page_of_the_new_commit(start, tmp_path):
    platform = start()
    with client_of(platform) as client:
        before = images(ready(client))
        head = push_edit(platform, tmp_path / "shop", "services/www/static/index.html", "<h1>", "<h1>New ")
        eventually(lambda: head in str(images(ready(client))))
        assert before != images(ready(client))
        host = urlsplit(platform.urls.preview_url("www").format(number=7)).netloc
        served = httpx.get(platform.urls.preview + "/version.json", headers={"Host": host})
        assert served.json()["commit"] == head


def test_a_failed_sync_attempt_that_will_be_repeated_looks_running_with_a_finish_time(start):
    platform = start(sync_retry=30)
    message = 'namespaces "pr-7" not found'
    with client_of(platform) as client:
        platform.call(lambda systems: systems.applications.faults.sync_errors.update({"pr-7-www": message}))
        platform.call(_out_of_sync)

        def retrying():
            application = listed(client).get("pr-7-www", {})
            state = application.get("status", {}).get("operationState", {})
            return state if state.get("retryCount") else None

        state = eventually(retrying)
    assert state["phase"] == "Running"
    assert state["finishedAt"]
    assert message in state["message"]


def _out_of_sync(systems):
    """Have the next comparison find a difference, should the first sync have won the race."""
    if systems.store.find(DEPLOYMENT, "pr-7", "www"):
        systems.store.delete(DEPLOYMENT, "pr-7", "www")


def test_the_variant_is_one_application_that_tracks_the_head_commit(start):
    platform = start("one-application")
    head = platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))
    with client_of(platform) as client:
        (application,) = ready(client, count=1).values()
    assert application["status"]["sync"]["revision"] == head


def test_an_application_is_gone_only_after_what_it_made(start):
    platform = start(pod_termination=2.0)
    with client_of(platform) as client:
        ready(client)
        close(platform)
        deleting = eventually(
            lambda: [each for each in listed(client).values() if each["metadata"].get("deletionTimestamp")]
        )
        assert all(each["metadata"]["finalizers"] for each in deleting)
        eventually(lambda: not platform.call(lambda systems: systems.store.select(APPLICATION)))


# --- following many Applications -----------------------------------------------------------------------


def test_a_change_reaches_the_follower_over_the_stream_and_without_another_list(platform):
    with (
        ArgoCDClient(platform.urls.argocd, platform.credentials.argocd) as client,
        client.follow(Scope("preview/pr=7")) as follower,
    ):
        eventually(lambda: len(follower.look()) == 5)
        eventually(lambda: follower.streaming)
        follower.look()
        listed = []
        client.applications = listed.append

        def annotate(systems):
            application = systems.store.get(APPLICATION, "argocd", "pr-7-www")
            application["metadata"].setdefault("annotations", {})["seen"] = "yes"
            systems.store.update(APPLICATION, application)

        platform.call(annotate)

        def seen():
            follower.wait(1)
            return follower.look()["pr-7-www"]["metadata"].get("annotations", {}).get("seen")

        assert eventually(seen) == "yes"
        assert listed == []
