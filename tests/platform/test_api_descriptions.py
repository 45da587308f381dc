"""What the embedded platform answers, against the published descriptions of the real systems."""

import re
import ssl
import uuid

import httpx
import pytest
import yaml

from gatehouse.coder import workspaces
from gatehouse.coder.client import CoderClient
from gatehouse.core.deadline import Deadline
from gatehouse.embedded.kubernetes.kinds import APP_PROJECT, APPLICATION, APPLICATION_SET
from tests.platform.conftest import eventually
from tests.support import api_descriptions
from tests.support.api_descriptions import check, needs_descriptions

pytestmark = needs_descriptions

ONE = "/api/v1/applications/{name}"


@pytest.fixture(scope="module")
def busy(platform):
    """The platform with a healthy preview and a ready workspace; gives the workspace."""
    with CoderClient(platform.urls.coder, platform.credentials.coder) as coder:
        version = coder.template("task").active_version_id
        made = coder.create_workspace(f"t-{uuid.uuid4().hex[:8]}", template_version_id=version)
        workspaces.wait_for_build(coder, made.id, Deadline.after(20))
        workspaces.wait_for_agent(coder, made.id, Deadline.after(20))
        eventually(lambda: platform.call(_healthy) == 5)
        headers = {"Coder-Session-Token": platform.credentials.coder}
        yield httpx.get(f"{platform.urls.coder}/api/v2/workspaces/{made.id}", headers=headers).json()
        workspaces.delete(coder, made.id, Deadline.after(20))


def _healthy(systems):
    applications = systems.store.select(APPLICATION)
    return sum(each.get("status", {}).get("health", {}).get("status") == "Healthy" for each in applications)


# --- Coder ---------------------------------------------------------------------------------------------

#: Not `experiments/available`, where the reference says "array" and the server sends `{"safe": []}`, and not
#: `external-auth`, where it says one link and the server sends providers and links.
CODER_PATHS = [
    "/api/v2/buildinfo",
    "/api/v2/updatecheck",
    "/api/v2/users/first",
    "/api/v2/users/authmethods",
    "/api/v2/users/me",
    "/api/v2/users",
    "/api/v2/users/me/organizations",
    "/api/v2/users/me/keys/tokens",
    "/api/v2/users/me/keys/{key}",
    "/api/v2/auth/scopes",
    "/api/v2/external-auth/{provider}",
    "/api/v2/debug/health/settings",
    "/api/v2/organizations",
    "/api/v2/organizations/{organization}/provisionerdaemons",
    "/api/v2/organizations/{organization}/provisionerjobs",
    "/api/v2/organizations/{organization}/templates",
    "/api/v2/entitlements",
    "/api/v2/experiments",
    "/api/v2/regions",
    "/api/v2/applications/host",
    "/api/v2/deployment/config",
    "/api/v2/deployment/stats",
    "/api/v2/deployment/ssh",
    "/api/v2/debug/health",
    "/api/v2/templates",
    "/api/v2/templates/{template}",
    "/api/v2/templates/{template}/versions",
    "/api/v2/templateversions/{version}",
    "/api/v2/templateversions/{version}/rich-parameters",
    "/api/v2/templateversions/{version}/presets",
    "/api/v2/templateversions/{version}/variables",
    "/api/v2/templateversions/{version}/resources",
    "/api/v2/templateversions/{version}/logs",
    "/api/v2/users/me/workspace/{name}",
    "/api/v2/workspaces",
    "/api/v2/workspaces/{workspace}",
    "/api/v2/workspaces/{workspace}/builds",
    "/api/v2/workspaces/{workspace}/timings",
    "/api/v2/workspacebuilds/{build}",
    "/api/v2/workspacebuilds/{build}/parameters",
    "/api/v2/workspacebuilds/{build}/logs",
    "/api/v2/workspaceagents/{agent}",
    "/api/v2/workspaceagents/{agent}/logs",
    "/api/v2/workspaceagents/{agent}/listening-ports",
]


@pytest.mark.parametrize("path", CODER_PATHS)
def test_coder_answers_as_its_api_reference_says(platform, busy, path):
    (agent,) = [agent for part in busy["latest_build"]["resources"] for agent in part.get("agents", [])]
    values = {
        "organization": busy["organization_id"],
        "template": busy["template_id"],
        "version": busy["latest_build"]["template_version_id"],
        "name": busy["name"],
        "workspace": busy["id"],
        "build": busy["latest_build"]["id"],
        "agent": agent["id"],
        "key": platform.credentials.coder.partition("-")[0],
        "provider": "github",
    }
    headers = {"Coder-Session-Token": platform.credentials.coder}

    answer = httpx.get(platform.urls.coder + path.format(**values), headers=headers)

    assert answer.status_code == 200
    described = re.sub(r"\{[^}]+\}", "{}", path.replace("/users/me", "/users/{}"))
    check(answer.json(), api_descriptions.coder()["GET", described])


def test_coder_refuses_in_the_form_its_api_reference_gives(platform, busy):
    headers = {"Coder-Session-Token": platform.credentials.coder}
    with httpx.Client(base_url=platform.urls.coder, headers=headers) as client:
        for answer in (
            client.get(f"/api/v2/workspaces/{uuid.uuid4()}"),
            client.post("/api/v2/users/me/workspaces", json={"name": "under_score"}),
            client.post(f"/api/v2/workspaces/{busy['id']}/builds", json={"transition": "hibernate"}),
        ):
            assert answer.status_code in (400, 404)
            check(answer.json(), api_descriptions.coder_schema("codersdk.Response"))


# --- Argo CD -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/version", {}),
        ("/api/v1/session/userinfo", {}),
        ("/api/v1/account/can-i/{resource}/{action}/{subresource}", {}),
        ("/api/v1/applications", {}),
        (ONE, {"refresh": "normal"}),
        (ONE + "/resource-tree", {}),
        (ONE + "/events", {}),
        (ONE + "/syncwindows", {}),
        (
            ONE + "/resource",
            {"resourceName": "www", "kind": "Deployment", "version": "v1", "namespace": "pr-7"},
        ),
        ("/api/v1/applicationsets", {}),
        ("/api/v1/applicationsets/{name}", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_argocd_answers_as_its_swagger_file_says(platform, busy, path, query):
    name = "preview-apps" if "applicationsets" in path else "pr-7-www"
    filled = path.format(name=name, resource="applications", action="get", subresource="previews/pr-7-www")
    described = path.replace(
        ONE, "/api/v1/applications/{applicationName}" if "resource-tree" in path else ONE
    )
    headers = {"Authorization": f"Bearer {platform.credentials.argocd}"}

    answer = httpx.get(platform.urls.argocd + filled, params=query, headers=headers)

    assert answer.status_code == 200
    check(answer.json(), api_descriptions.answer_of("argocd", "GET", described))


@pytest.mark.parametrize(
    ("kind", "file"),
    [(APPLICATION, "application"), (APPLICATION_SET, "applicationset"), (APP_PROJECT, "appproject")],
    ids=["Application", "ApplicationSet", "AppProject"],
)
def test_argocds_objects_fit_their_custom_resource_definitions(platform, busy, kind, file):
    items = platform.call(lambda systems: systems.store.select(kind))
    assert items
    for item in items:
        check(item, api_descriptions.argocd_kind(file))


# --- Kubernetes ----------------------------------------------------------------------------------------


def test_every_object_in_the_cluster_fits_kubernetes_own_description(platform, busy):
    kinds = api_descriptions.kubernetes_kinds()
    checked = set()
    for kind, item in platform.call(lambda systems: list(systems.store.everything())):
        if schema := kinds.get((kind.group, kind.version, kind.name)):
            check(item, schema)
            checked.add(kind.name)
    assert {"Pod", "Deployment", "ReplicaSet", "Namespace", "PersistentVolumeClaim", "Event"} <= checked


def test_lists_errors_and_reviews_fit_kubernetes_own_description(platform, busy):
    kinds = api_descriptions.kubernetes_kinds()
    authority = yaml.safe_load(platform.kubeconfig.read_text())["clusters"][0]["cluster"]
    trusted = ssl.create_default_context(cafile=authority["certificate-authority"])
    headers = {"Authorization": f"Bearer {platform.credentials.kubernetes}"}

    def get(method, path, body=None):
        url = platform.urls.kubernetes + path
        return httpx.request(method, url, json=body, headers=headers, verify=trusted).json()

    check(get("GET", "/api/v1/namespaces/pr-7/pods"), kinds["", "v1", "PodList"])
    check(get("GET", "/api/v1/namespaces/pr-7/pods/missing"), kinds["", "v1", "Status"])
    check(get("GET", "/apis"), kinds["", "v1", "APIGroupList"])
    check(get("GET", "/api/v1"), kinds["", "v1", "APIResourceList"])
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    answer = get("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    check(answer, kinds["authorization.k8s.io", "v1", "SelfSubjectAccessReview"])
