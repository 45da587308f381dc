"""What the embedded platform shows, on the wire, of images that cannot be pulled or do not do what they should."""

import httpx

from tests.platform.conftest import (
    container,
    eventually,
    head,
    kubernetes_answer,
    objects,
    preview,
    ready,
    served,
    waiting,
)

PULL_FAILS = ("ErrImagePull", "ImagePullBackOff")


def registry_answer(platform, service, reference=None):
    """What the registry answers for an image of a service, by default that of the commit under test."""
    query = {"service": "registry.preview.localhost", "scope": f"repository:shop/{service}:pull"}
    granted = httpx.get(f"{platform.urls.registry}/token", params=query)
    if not granted.is_success:
        return granted
    headers = {"Authorization": f"Bearer {granted.json()['token']}"}
    url = f"{platform.urls.registry}/v2/shop/{service}/manifests/{reference or head(platform)}"
    return httpx.get(url, headers=headers)


def events(platform, reason):
    found = objects(platform, "api/v1/namespaces/pr-7/events")
    return [each["message"] for each in found if each["reason"] == reason]


def test_a_missing_image_is_unknown_to_the_registry_too(start):
    platform = start("image-missing")

    assert (
        f"shop/platform:{head(platform)}: not found"
        in waiting(platform, "platform", "ErrImagePull")["message"]
    )
    assert registry_answer(platform, "platform").json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"


def test_a_pending_image_is_not_found_and_then_runs(start):
    platform = start("image-pending")

    assert "not found" in waiting(platform, "platform", "ErrImagePull")["message"]
    assert registry_answer(platform, "platform").status_code == 404
    digest = ready(platform, "platform")["imageID"].partition("@")[2]
    assert registry_answer(platform, "platform").headers["Docker-Content-Digest"] == digest


def test_a_rate_limit_hits_the_kubelet_and_every_client(start):
    platform = start("image-rate-limited")

    words = waiting(platform, "platform", "ErrImagePull")["message"]
    assert (
        "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit"
        in words
    )
    answer = registry_answer(platform, "platform")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (429, "TOOMANYREQUESTS")
    assert registry_answer(platform, "www").status_code == 200


def test_a_private_repository_without_its_pull_secret_is_refused(start):
    platform = start("image-forbidden")

    words = waiting(platform, "platform", "ErrImagePull")["message"]
    assert "failed to authorize: failed to fetch anonymous token" in words
    assert "401 Unauthorized" in words
    (told,) = events(platform, "FailedToRetrieveImagePullSecret")
    assert "(registry-credentials)" in told
    assert registry_answer(platform, "platform").status_code == 401


def test_an_image_for_another_architecture_is_known_but_not_for_this_node(start):
    platform = start("image-wrong-architecture")

    words = waiting(platform, "platform", "ErrImagePull")["message"]
    assert words.endswith("no match for platform in manifest: not found")
    (only,) = registry_answer(platform, "platform").json()["manifests"]
    assert only["platform"] == {"architecture": "arm64", "os": "linux"}


def test_an_invalid_name_is_never_pulled(start):
    platform = start("image-invalid-name")

    words = waiting(platform, "platform", "InvalidImageName")["message"]
    assert "invalid reference format: repository name (shop/Platform) must be lowercase" in words
    assert events(platform, "InspectFailed") == [words]
    assert ready(platform, "www")


def test_an_image_named_by_digest_is_the_commits_own(start):
    platform = start("base-digest-images")

    status = ready(platform, "www")
    assert status["image"] == status["imageID"]
    assert served(platform, "www", "/version.json").json()["commit"] == head(platform)


def test_a_stale_tag_says_the_commit_and_serves_older_files(start):
    platform = start("stale-tag")

    status = ready(platform, "www")
    assert status["image"].endswith(f"/www:{head(platform)}")
    assert served(platform, "www", "/version.json").json()["commit"] == head(platform)
    assert "Prices include tax" not in preview(platform, "www", "/").text
    running = status["imageID"].partition("@")[2]
    assert registry_answer(platform, "www").headers["Docker-Content-Digest"] != running


def test_a_program_that_does_not_start_is_restarted_and_its_traceback_kept(start):
    platform = start("crash-loop")

    waiting(platform, "platform", "CrashLoopBackOff")
    status = eventually(lambda: container(platform, "platform"))
    assert status["restartCount"] >= 1
    assert status["lastState"]["terminated"]["exitCode"] == 1

    (pod,) = objects(platform, "api/v1/namespaces/pr-7/pods?labelSelector=app=platform")
    path = f"api/v1/namespaces/pr-7/pods/{pod['metadata']['name']}/log?previous=true"
    log = kubernetes_answer(platform, path).text
    assert "Traceback (most recent call last)" in log
    assert "ModuleNotFoundError: No module named 'tax'" in log


def test_a_page_that_fails_hides_behind_its_health_check(start):
    platform = start("static-health-page")

    assert served(platform, "www", "/version.json").json()["commit"] == head(platform)
    assert preview(platform, "www", "/healthz").text == "ok"
    answer = preview(platform, "www", "/")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error: KeyError: 'tax'")
