import pytest

from gatehouse.embedded.argocd.manifests import TRACKING, ManifestError, differs, render, tracked_by
from gatehouse.embedded.code_host.repositories import Repository

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: web}]}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: placeholder}
"""


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "tree" / "app").mkdir(parents=True)
    (tmp_path / "tree" / "app" / "all.yaml").write_text(DEPLOYMENT)
    (tmp_path / "tree" / "broken").mkdir()
    (tmp_path / "tree" / "broken" / "x.yaml").write_text("a: [")
    repository = Repository.create(tmp_path / "git", "acme/gitops")
    repository.commit_folder(tmp_path / "tree", "first")
    return repository


def rendered(repository, path="app", **kustomize):
    source = {"path": path, **({"kustomize": kustomize} if kustomize else {})}
    return {item["kind"]: item for item in render(repository, "main", source, "pr-7-web", "pr-7")}


def test_objects_get_the_destination_namespace_and_the_applications_mark(repository):
    items = rendered(repository)

    assert items["Deployment"]["metadata"]["namespace"] == "pr-7"
    assert "namespace" not in items["Namespace"]["metadata"]
    assert items["Deployment"]["metadata"]["annotations"][TRACKING] == "pr-7-web:apps/Deployment:pr-7/web"
    assert tracked_by(items["Namespace"]) == "pr-7-web"


@pytest.mark.parametrize(
    ("override", "image"),
    [
        ("web=registry/shop/web:abc", "registry/shop/web:abc"),
        ("web=registry/shop/web@sha256:0f", "registry/shop/web@sha256:0f"),
        ("other=registry/other:abc", "web"),
        ("web:abc", "web:abc"),
    ],
)
def test_image_overrides(repository, override, image):
    deployment = rendered(repository, images=[override])["Deployment"]

    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_patches_change_what_they_target(repository):
    patch = {
        "target": {"kind": "Namespace"},
        "patch": '[{"op":"replace","path":"/metadata/name","value":"pr-7"}]',
    }

    assert rendered(repository, patches=[patch])["Namespace"]["metadata"]["name"] == "pr-7"


@pytest.mark.parametrize("path", ["nowhere", "broken"])
def test_manifests_that_cannot_be_generated_are_said_so_as_argo_cd_does(repository, path):
    with pytest.raises(ManifestError, match="failed to generate manifest for source 1 of 1"):
        rendered(repository, path)


@pytest.mark.parametrize(
    ("target", "live", "different"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1}, {"a": 2}, True),
        ({"a": {"b": [1]}}, {"a": {"b": [1], "c": 1}}, False),
        ({"a": [1]}, {"a": [1, 2]}, True),
        ({"a": 1}, {}, True),
        ({"status": 1}, {}, False),
    ],
)
def test_only_what_a_manifest_says_is_compared(target, live, different):
    assert differs(target, live) is different
