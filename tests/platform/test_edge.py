"""The embedded gateway: what stands between a hostname and the pods behind it."""

import httpx
import pytest

from gatehouse.core.settings import load_settings
from tests.platform.conftest import eventually, head, objects, preview, ready, served


def configured(platform, name):
    return load_settings(platform.configuration_file).targets["embedded"].preview.urls[name]


def commits(platform, wanted):
    """The commits that the public site has said in answers to as many requests."""
    return [preview(platform, "www", "/version.json").json()["commit"] for _ in range(wanted)]


def parents(platform, route):
    found = objects(platform, "apis/gateway.networking.k8s.io/v1/namespaces/pr-7/httproutes")
    return [
        parent
        for each in found
        if each["metadata"]["name"] == route
        for parent in each.get("status", {}).get("parents", [])
    ]


def slices(platform, service):
    path = "apis/discovery.k8s.io/v1/namespaces/pr-7/endpointslices"
    return objects(platform, f"{path}?labelSelector=kubernetes.io/service-name={service}")


def test_a_service_that_selects_no_pod_leaves_the_gateway_without_an_upstream(start):
    platform = start("no-endpoints")

    assert ready(platform, "www")
    answer = eventually(lambda: (each := preview(platform, "www", "/")).status_code == 503 and each)
    assert answer.text == "no healthy upstream"
    (described,) = slices(platform, "www")
    assert described["endpoints"] == []


def test_a_route_for_another_hostname_than_the_listeners_is_not_accepted(start):
    platform = start("route-not-accepted")

    assert served(platform, "www", "/version.json")
    (parent,) = eventually(lambda: parents(platform, "platform"))
    (accepted,) = [each for each in parent["conditions"] if each["type"] == "Accepted"]
    assert (accepted["status"], accepted["reason"]) == ("False", "NoMatchingListenerHostname")
    assert ready(platform, "platform")
    assert preview(platform, "platform", "/").status_code == 404


def test_old_pods_answer_every_second_request_for_a_while(start):
    platform = start("old-pods-served")

    served(platform, "www", "/version.json")
    seen = commits(platform, 4)
    assert seen in [
        [head(platform), head(platform, "main")] * 2,
        [head(platform, "main"), head(platform)] * 2,
    ]
    eventually(lambda: set(commits(platform, 4)) == {head(platform)})


def test_a_gateway_times_out_for_a_while(start):
    platform = start("gateway-timeout")

    answer = eventually(lambda: (each := preview(platform, "www", "/")).status_code == 504 and each)
    assert answer.text == "upstream request timeout"
    assert served(platform, "www", "/")


def test_a_restart_during_tests_replaces_the_pod_and_argo_cd_leaves_it_so(start):
    platform = start("redeployed-during-tests")

    def pods():
        found = objects(platform, "api/v1/namespaces/pr-7/pods?labelSelector=app=www")
        return {pod["metadata"]["name"] for pod in found}

    served(platform, "www", "/version.json")
    served(platform, "platform", "/version.json")
    before = pods()
    served(platform, "www", "/")
    assert preview(platform, "platform", "/").status_code == 307

    eventually(lambda: pods() and not pods() & before)
    (deployment,) = [
        each
        for each in objects(platform, "apis/apps/v1/namespaces/pr-7/deployments")
        if each["metadata"]["name"] == "www"
    ]
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations
    (application,) = objects(
        platform,
        "apis/argoproj.io/v1alpha1/namespaces/argocd/applications?fieldSelector=metadata.name=pr-7-www",
    )
    assert application["status"]["sync"]["status"] == "Synced"


def test_a_gateway_says_where_it_is_and_how_many_routes_it_leads(platform):
    path = "apis/gateway.networking.k8s.io/v1/namespaces/envoy-gateway-system/gateways"

    def attached():
        (gateway,) = objects(platform, path)
        (listener,) = gateway["status"].get("listeners", [{}])
        return gateway if listener.get("attachedRoutes") == 2 else None

    status = eventually(attached)["status"]
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "Accepted": "True",
        "Programmed": "True",
    }
    assert status["addresses"] == [{"type": "IPAddress", "value": "127.0.0.1"}]


def test_an_endpoint_slice_says_which_pods_are_ready_and_is_in_the_resource_tree(platform):
    def endpoint():
        found = slices(platform, "www")
        return (
            next((each for each in found[0]["endpoints"] if each["conditions"]["ready"]), None)
            if found
            else None
        )

    assert eventually(endpoint)["targetRef"]["kind"] == "Pod"
    headers = {"Authorization": f"Bearer {platform.credentials.argocd}"}
    url = f"{platform.urls.argocd}/api/v1/applications/pr-7-www/resource-tree"
    nodes = httpx.get(url, headers=headers).json()["nodes"]
    (node,) = [each for each in nodes if each["kind"] == "EndpointSlice"]
    assert node["parentRefs"][0]["kind"] == "Service"


def test_https_previews_are_trusted_only_by_those_who_know_the_authority(start):
    platform = start("self-signed-certificate")

    assert configured(platform, "www") == platform.urls.preview_url("www")
    assert platform.urls.preview_url("www").startswith("https://www-pr-{number}.preview.localhost:")
    assert served(platform, "www", "/version.json").json()["commit"] == head(platform)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        preview(platform, "www", "/version.json", trust=False)


def test_links_from_one_https_preview_to_the_other_are_https_too(start):
    platform = start("self-signed-certificate")

    assert (
        f'href="{platform.urls.preview_url("platform").format(number=7)}/login"'
        in served(platform, "www", "/").text
    )


def test_a_hostname_that_does_not_resolve_is_in_the_configuration_only(start):
    platform = start("hostname-unresolved")

    assert configured(platform, "platform").startswith("http://platform-pr-{number}.preview.invalid:")
    assert configured(platform, "www") == platform.urls.preview_url("www")
    assert served(platform, "platform", "/version.json").json()["commit"] == head(platform)
