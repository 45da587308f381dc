import pytest

from gatehouse.argocd.images import ImageReference, asked_images, parse_image, stale_image

COMMIT, OTHER = "a" * 40, "b" * 40
PRODUCT = ["ghcr.io/acme/*"]


def application(labels=None, **source):
    return {"metadata": {"name": "web", "labels": labels or {}}, "spec": {"source": source}}


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("web", ImageReference("web")),
        ("redis:7", ImageReference("redis", "7")),
        ("host:5000/web", ImageReference("host:5000/web")),
        ("host:5000/web:1", ImageReference("host:5000/web", "1")),
        ("ghcr.io/acme/web@sha256:0", ImageReference("ghcr.io/acme/web", digest="sha256:0")),
        ("ghcr.io/acme/web:1@sha256:0", ImageReference("ghcr.io/acme/web", "1", "sha256:0")),
        ("web=ghcr.io/acme/web:1", ImageReference("ghcr.io/acme/web", "1")),
        ("two words", None),
        ("", None),
        ("https://example.com/x", None),
    ],
)
def test_an_image_reference_is_taken_apart(text, image):
    assert parse_image(text) == image


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("redis:7", "docker.io"),
        ("acme/web", "docker.io"),
        ("ghcr.io/acme/web", "ghcr.io"),
        ("localhost/x", "localhost"),
    ],
)
def test_the_registry_of_an_image_is_its_first_part_if_that_is_a_host(image, host):
    assert parse_image(image).host == host


@pytest.mark.parametrize(
    "source",
    [
        {"kustomize": {"images": [f"web=ghcr.io/acme/web:{COMMIT}"]}},
        {"helm": {"parameters": [{"name": "image", "value": f"ghcr.io/acme/web:{COMMIT}"}]}},
        {
            "helm": {
                "parameters": [
                    {"name": "web.image.repository", "value": "ghcr.io/acme/web"},
                    {"name": "web.image.tag", "value": COMMIT},
                ]
            }
        },
        {"helm": {"valuesObject": {"web": {"image": {"repository": "ghcr.io/acme/web", "tag": COMMIT}}}}},
        {"helm": {"values": f"image: {{registry: ghcr.io, repository: acme/web, tag: {COMMIT}}}"}},
        {"helm": {"values": f"images: [ghcr.io/acme/web:{COMMIT}]"}},
    ],
)
def test_what_an_application_asks_for_is_found_in_overrides_parameters_and_values(source):
    assert str(asked_images(application(**source), PRODUCT)[0]) == f"ghcr.io/acme/web:{COMMIT}"


def test_every_source_of_an_application_is_read():
    spec = {"sources": [{"helm": {}}, {"kustomize": {"images": ["ghcr.io/acme/web:1"]}}]}

    assert [str(each) for each in asked_images({"spec": spec}, PRODUCT)] == ["ghcr.io/acme/web:1"]


def test_images_of_other_repositories_and_broken_values_are_left_to_others():
    assert asked_images(application(kustomize={"images": ["redis:7"]}), PRODUCT) == []
    assert asked_images(application(helm={"values": "{unbalanced"}), PRODUCT) == []
    assert (
        asked_images(
            application(helm={"parameters": [{"name": "a", "value": "1"}, {"name": "a.b"}]}), PRODUCT
        )
        == []
    )


def test_a_spec_that_still_asks_for_another_commits_image_is_stale():
    stale = application(kustomize={"images": [f"web=ghcr.io/acme/web:{OTHER}"]})

    assert str(stale_image(stale, PRODUCT, COMMIT, COMMIT)) == f"ghcr.io/acme/web:{OTHER}"
    assert str(stale_image(stale, PRODUCT, COMMIT, "pr-" + COMMIT)) == f"ghcr.io/acme/web:{OTHER}"


@pytest.mark.parametrize(
    "present",
    [
        application(kustomize={"images": [f"web=ghcr.io/acme/web:{COMMIT}"]}),
        application({"preview/sha": COMMIT}, kustomize={"images": [f"web=ghcr.io/acme/web:{OTHER}"]}),
        application(kustomize={"images": ["web=ghcr.io/acme/web:main"]}),
        application(kustomize={"images": ["web=ghcr.io/acme/web@sha256:0"]}),
        application(),
    ],
)
def test_a_spec_that_mentions_the_commit_or_asks_for_no_commit_is_not_stale(present):
    assert stale_image(present, PRODUCT, COMMIT, COMMIT) is None


def test_an_image_of_a_component_that_the_change_does_not_touch_is_not_stale():
    image = f"r.io/acme/www:{'b' * 40}"
    application = {
        "metadata": {"name": "www"},
        "spec": {"source": {"repoURL": "https://git/acme/gitops", "kustomize": {"images": [image]}}},
    }
    asked = (application, ["r.io/acme/*"], "c" * 40, "c" * 40)

    assert str(stale_image(*asked)) == image
    assert stale_image(*asked, ["r.io/acme/www"]) is None
