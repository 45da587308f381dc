import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.preview.subject import Outcome, RunningImage, image_tag, prove_subject, running_images

COMMIT = "a" * 40
OTHER = "b" * 40
PRODUCT = ["registry/shop/*"]


def running(*images):
    return [RunningImage(f"app-{number}", f"pod-{number}", image) for number, image in enumerate(images)]


@pytest.mark.parametrize(
    ("images", "outcome"),
    [
        ([f"registry/shop/web:{COMMIT}"], Outcome.THIS_COMMIT),
        ([f"registry/shop/web:{COMMIT}", f"registry/shop/api:{COMMIT}", "redis:7"], Outcome.THIS_COMMIT),
        (["registry/shop/web@sha256:00"], Outcome.BASE_IMAGES),
        (["registry/shop/web:main", "registry/shop/api:main"], Outcome.BASE_IMAGES),
        ([f"registry/shop/web:{COMMIT}", f"registry/shop/api:{OTHER}"], Outcome.MIXED),
        ([f"registry/shop/web:{COMMIT[:12]}"], Outcome.BASE_IMAGES),
        (["redis:7"], Outcome.UNKNOWN),
        ([], Outcome.UNKNOWN),
        ([f"elsewhere/shop/web:{COMMIT}"], Outcome.UNKNOWN),
    ],
)
def test_what_running_images_say_about_a_commit(images, outcome):
    assert prove_subject(COMMIT, running(*images), PRODUCT, {}).outcome is outcome


def test_a_mixture_names_what_runs_something_else():
    proof = prove_subject(
        COMMIT, running(f"registry/shop/web:{COMMIT}", "registry/shop/api:main"), PRODUCT, {}
    )

    assert "app-1 runs registry/shop/api:main" in proof.summary
    assert "app-0" not in proof.summary


def test_right_images_that_serve_another_commit_are_no_proof():
    proof = prove_subject(
        COMMIT, running(f"registry/shop/web:{COMMIT}"), PRODUCT, {"http://www/version.json": OTHER}
    )

    assert proof.outcome is Outcome.MIXED
    assert "http://www/version.json serves bbbbbbbbbbbb" in proof.summary


def test_a_served_commit_alone_never_makes_a_proof():
    assert prove_subject(COMMIT, [], PRODUCT, {"http://www": COMMIT}).outcome is Outcome.UNKNOWN


@given(st.lists(st.sampled_from([COMMIT, OTHER, "main", "latest"]), max_size=6))
def test_only_images_that_are_all_of_the_commit_are_this_commit(tags):
    proof = prove_subject(COMMIT, running(*(f"registry/shop/web:{tag}" for tag in tags)), PRODUCT, {})

    assert (proof.outcome is Outcome.THIS_COMMIT) == (bool(tags) and set(tags) == {COMMIT})


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("web", ""),
        ("web:1", "1"),
        ("host:5000/web", ""),
        ("host:5000/web:1", "1"),
        ("web@sha256:0", ""),
        ("web:1@sha256:0", "1"),
    ],
)
def test_the_tag_of_an_image_reference(image, tag):
    assert image_tag(image) == tag


def test_only_pods_run_images():
    trees = {
        "web": [
            {"kind": "Pod", "name": "web-1", "images": ["a", "b"]},
            {"kind": "ReplicaSet", "name": "web", "images": ["c"]},
            {"kind": "Pod", "name": "starting"},
        ]
    }

    assert [image.image for image in running_images(trees)] == ["a", "b"]
