import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.preview.subject import Outcome, RunningImage, Subject, prove_subject, same_commit

COMMIT = "a" * 40
OTHER = "b" * 40


def prove(images, served=None, revisions=None, product=("registry/shop/*",), **more):
    return prove_subject(Subject(COMMIT, COMMIT, product, **more), images, revisions or {}, served or {})


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
    assert prove(running(*images), {}).outcome is outcome


def test_a_mixture_names_what_runs_something_else():
    proof = prove(running(f"registry/shop/web:{COMMIT}", "registry/shop/api:main"), {})

    assert "app-1 runs registry/shop/api:main" in proof.summary
    assert [each.application for each in proof.wrong] == ["app-1"]
    assert "app-0" not in proof.summary


def test_right_images_that_serve_another_commit_are_no_proof():
    proof = prove(running(f"registry/shop/web:{COMMIT}"), {"http://www/version.json": OTHER})

    assert proof.outcome is Outcome.MIXED
    assert "http://www/version.json serves bbbbbbbbbbbb" in proof.summary


def test_a_served_commit_alone_never_makes_a_proof():
    assert prove([], {"http://www": COMMIT}).outcome is Outcome.UNKNOWN


@given(st.lists(st.sampled_from([COMMIT, OTHER, "main", "latest"]), max_size=6))
def test_only_images_that_are_all_of_the_commit_are_this_commit(tags):
    proof = prove(running(*(f"registry/shop/web:{tag}" for tag in tags)), {})

    assert (proof.outcome is Outcome.THIS_COMMIT) == (bool(tags) and set(tags) == {COMMIT})


WEB, API = "registry/shop/web", "registry/shop/api"
DIGEST, ARM, OLD = (f"sha256:{letter * 64}" for letter in "def")


def test_an_image_by_digest_is_the_commits_if_the_registry_has_that_digest_under_its_tag():
    known = {WEB: frozenset({DIGEST, ARM})}

    assert prove(running(f"{WEB}@{DIGEST}"), digests=known).outcome is Outcome.THIS_COMMIT
    assert prove(running(f"{WEB}@{ARM}"), digests=known).means == ("image digest",)
    assert prove(running(f"{WEB}@{OLD}"), digests=known).outcome is Outcome.BASE_IMAGES


def test_a_tag_that_was_moved_after_it_was_pulled_is_another_image():
    moved = RunningImage("app", "pod", f"{WEB}:{COMMIT}", digest=OLD)

    proof = prove([moved], digests={WEB: frozenset({DIGEST})})

    assert proof.outcome is Outcome.BASE_IMAGES
    assert "which the registry no longer has under this tag" in proof.summary


def test_a_tag_beside_a_digest_proves_nothing_without_the_registry():
    proof = prove(running(f"{WEB}:{COMMIT}@{DIGEST}"))

    assert proof.outcome is Outcome.UNKNOWN
    assert proof.advice == "name the registry in preview.registries"


def test_only_components_that_the_change_touches_must_run_its_images():
    changed = {WEB: True, API: False}

    proof = prove(running(f"{WEB}:{COMMIT}", f"{API}:main"), components=changed)

    assert proof.outcome is Outcome.THIS_COMMIT
    assert "1 running image of components that the change does not touch" in proof.summary
    assert prove(running(f"{WEB}:main", f"{API}:{COMMIT}"), components=changed).outcome is Outcome.MIXED


def test_a_touched_component_without_a_pod_leaves_the_subject_unknown():
    proof = prove(running(f"{API}:main"), components={WEB: True, API: False})

    assert proof.outcome is Outcome.UNKNOWN
    assert f"no running pod uses an image of {WEB}" in proof.summary


def test_a_change_that_touches_no_component_needs_another_means():
    untouched = {"components": {WEB: False}}

    assert prove(running(f"{WEB}:main"), **untouched).outcome is Outcome.UNKNOWN
    assert prove(running(f"{WEB}:main"), {"http://www": COMMIT}, **untouched).outcome is Outcome.THIS_COMMIT


def test_without_images_of_its_own_a_repository_is_proved_by_the_synced_revision():
    assert prove(running("redis:7"), product=()).outcome is Outcome.UNKNOWN
    proof = prove(running("redis:7"), revisions={"web": COMMIT}, product=())
    assert (proof.outcome, proof.means) == (Outcome.THIS_COMMIT, ("Argo CD revision",))


def test_a_served_commit_may_be_cut_short_but_not_to_next_to_nothing():
    assert same_commit("aaaaaaa", COMMIT)
    assert not same_commit("aaaaaa", COMMIT)
    assert not same_commit("", COMMIT)


def test_an_image_of_no_known_component_must_be_the_commits():
    proof = prove(running(f"{WEB}:{COMMIT}", f"{API}:main"), components={WEB: True})

    assert proof.outcome is Outcome.MIXED
