"""What goes wrong between the registry and the node."""

from __future__ import annotations

from dataclasses import replace

from gatehouse.embedded.code_host.image_builds import CONTEXT
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import IMAGES, Systems

#: The repository that most of these scenarios are about.
REPOSITORY = f"{IMAGES}/platform"


@scenario("registry")
def image_missing(systems: Systems) -> None:
    """The pull request's image of one service was never published."""
    systems.registry.withdraw(REPOSITORY, steps.head(systems))


@scenario("registry")
def image_pending(systems: Systems) -> None:
    """The pull request's image of one service is published two seconds after the start."""
    commit = steps.head(systems)
    image = systems.registry.withdraw(REPOSITORY, commit)
    systems.shop.set_status(commit, "pending", CONTEXT, "images are being built")

    def publish() -> None:
        systems.registry.push(REPOSITORY, commit, image)
        systems.shop.set_status(commit, "success", CONTEXT, "images published")

    steps.later(systems, 2.0, publish)


@scenario("registry")
def image_rate_limited(systems: Systems) -> None:
    """Pulls of the pull request's image of one service are refused with 429, as Docker Hub does."""
    commit = steps.head(systems)
    reference = f"{REPOSITORY}:{commit}"
    digest = systems.registry.tags(REPOSITORY)[commit].digest
    host, name = REPOSITORY.split("/", 1)
    words = (
        f'failed to pull and unpack image "{reference}": failed to copy: httpReadSeeker: failed open: unexpected '
        f"status code https://{host}/v2/{name}/manifests/{digest}: 429 Too Many Requests - Server message: "
        "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating "
        "and upgrading: https://www.docker.com/increase-rate-limit"
    )
    systems.registry.refusals |= {reference: words, f"{REPOSITORY}@{digest}": words}


@scenario("registry")
def image_forbidden(systems: Systems) -> None:
    """One service's image repository is private, and the pod's pull secret is missing."""
    systems.registry.private.add(REPOSITORY)
    path, containers = "previews/platform/deployment.yaml", "      containers:\n"
    secrets = "      imagePullSecrets: [{name: registry-credentials}]\n"
    steps.edit(systems, path, containers, secrets + containers)


@scenario("registry")
def image_wrong_architecture(systems: Systems) -> None:
    """The pull request's image of one service is there for linux/arm64 only; the node is linux/amd64."""
    commit = steps.head(systems)
    image = systems.registry.withdraw(REPOSITORY, commit)
    systems.registry.push(REPOSITORY, commit, replace(image, platforms=("linux/arm64",)))


@scenario("registry")
def image_invalid_name(systems: Systems) -> None:
    """The image that is to be deployed of one service has a name that is not valid."""
    steps.images_of_previews(
        systems,
        f"{IMAGES}/{{{{.repository}}}}:{{{{.head_sha}}}}",
        lambda component: {"repository": "Platform" if component == "platform" else component},
    )


@scenario("registry")
def stale_tag(systems: Systems) -> None:
    """The node runs an older image of the commit's tag: the registry has another digest for it by now."""
    commit, main = steps.head(systems), systems.shop.repository.resolve("main")
    repository = f"{IMAGES}/www"
    published = systems.registry.tags(repository)[commit]
    # It says that it is the commit, but holds the files of the base branch.
    older = replace(
        published,
        unpack=systems.builds.image(main, "services/www").unpack,
        labels={**published.labels, "org.opencontainers.image.created": "2026-01-05T09:00:00Z"},
    )
    systems.kubelet.on_node[f"{repository}:{commit}"] = older, f"{repository}@{older.digest}"
