"""What the proof makes of registries and pods, without a platform."""

import pytest

from gatehouse.argocd.judge import Judgement, State
from gatehouse.core.deadline import SYSTEM_CLOCK
from gatehouse.core.errors import EnvironmentProblem, InfrastructureError, Transient
from gatehouse.core.preview_settings import Component, PreviewSettings
from gatehouse.preview.proof import Prover, changed_components

COMMIT = "c" * 40
IMAGE = f"r.io/acme/www:{COMMIT}"
OURS, OTHER = "sha256:" + "c" * 64, "sha256:" + "b" * 64
APPLICATION = {
    "metadata": {"name": "www"},
    "spec": {"project": "previews", "source": {"repoURL": "https://git/acme/gitops"}},
}


class Registry:
    """A registry with one tag, pushed again at each question as long as there is more to answer."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def knows(self, image):
        return True

    def digests(self, image):
        if image.digest:
            return frozenset({image.digest})
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return frozenset({answer})


class Cluster:
    """Pods whose only container was pulled as a digest."""

    def __init__(self, digest, *, init=False):
        self._digest, self._kind = digest, "init" if init else ""

    def resource(self, name, project, node):
        own = [{"name": "it", "image": node["images"][0]}]
        told = [{"name": "it", "imageID": f"mirror.io/acme/www@{self._digest}"}]
        if self._kind:
            return {
                "spec": {"initContainers": own, "containers": []},
                "status": {"initContainerStatuses": told},
            }
        return {"spec": {"containers": own}, "status": {"containerStatuses": told}}


def prover(registry, cluster):
    settings = PreviewSettings(product_images=["r.io/acme/*"])
    return Prover(settings, cluster, registry, 7, COMMIT, "acme/shop", None, SYSTEM_CLOCK)


def subject(proving, image=IMAGE):
    pod = {"kind": "Pod", "name": "www-1", "images": [image]}
    applications = {"www": APPLICATION}
    return proving.subject(applications, proving.running(applications, {"www": [pod]}), {}).outcome


def test_a_tag_that_has_been_pushed_again_is_asked_for_again():
    assert subject(prover(Registry(OTHER, OURS), Cluster(OURS))) == "this commit"
    assert subject(prover(Registry(OURS, OURS), Cluster(OTHER))) == "base images"


def test_a_registry_that_fails_meanwhile_changes_nothing_of_what_is_known():
    assert subject(prover(Registry(OURS, Transient("limited")), Cluster(OTHER))) == "base images"


def test_a_pinned_digest_is_not_proved_by_itself():
    """The kubelet pulls by the digest, whatever the tag beside it says."""
    pinned = f"{IMAGE}@{OTHER}"
    proving = prover(Registry(OURS), Cluster(OTHER))
    asking = {**APPLICATION, "spec": {"source": {"kustomize": {"images": [pinned]}}}, "status": {}}

    assert subject(proving, pinned) == "base images"
    proving.pending_images({"www": asking}, {"www": Judgement(State.STALE)})
    assert subject(proving, pinned) == "base images"


def test_a_sidecar_counts_by_its_digest_like_any_container():
    assert subject(prover(Registry(OURS), Cluster(OTHER, init=True))) == "base images"


@pytest.mark.parametrize(
    "error", [Transient("busy"), InfrastructureError("no manifest"), EnvironmentProblem("400")]
)
def test_a_registry_that_cannot_be_asked_is_noted_and_the_tag_decides(error):
    proving = prover(Registry(error), Cluster(OURS))

    assert subject(proving) == "this commit"
    assert proving.registry_problem


def test_where_not_all_changed_files_are_listed_every_component_counts_as_changed():
    www = Component(image="r.io/acme/www", paths=["services/www/**"])
    settings = PreviewSettings(product_images=["r.io/acme/*"], components={"www": www})

    assert changed_components(settings, [f"docs/{number}" for number in range(2999)]) == {www.image: False}
    assert changed_components(settings, [f"docs/{number}" for number in range(3000)]) == {www.image: True}


def proof_of(image, application=APPLICATION):
    pod = {"kind": "Pod", "name": "www-1", "images": [image]}
    proving = prover(Registry(OURS), Cluster(OTHER))
    applications = {"www": application}
    return proving, proving.subject(applications, proving.running(applications, {"www": [pod]}), {})


@pytest.mark.parametrize(
    ("image", "comes"),
    [(f"r.io/acme/www:{'d' * 40}", True), ("r.io/acme/www:main", False), (f"r.io/acme/www@{OTHER}", False)],
)
def test_an_image_of_another_commit_that_the_gitops_repository_names_may_still_be_replaced(image, comes):
    proving, proof = proof_of(image)

    assert proof.outcome == "base images"
    assert proving.may_still_come(proof, {"www": APPLICATION}) is comes


def test_an_image_that_the_spec_asks_for_is_what_is_meant():
    source = {**APPLICATION["spec"]["source"], "kustomize": {"images": [f"www=r.io/acme/www:{'d' * 40}"]}}
    application = {**APPLICATION, "spec": {**APPLICATION["spec"], "source": source}}
    proving, proof = proof_of(f"r.io/acme/www:{'d' * 40}", application)

    assert not proving.may_still_come(proof, {"www": application})
