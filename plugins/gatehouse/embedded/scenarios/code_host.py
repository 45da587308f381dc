"""What goes wrong with the pull request: its labels, its images, its code."""

from __future__ import annotations

from gatehouse.embedded.kubernetes.kinds import APPLICATION_SET
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import PULL_REQUEST
from gatehouse.embedded.systems import IMAGES, Systems


@scenario("code host")
def no_preview_label(systems: Systems) -> None:
    """The pull request has no label, so no preview is made."""
    systems.shop.pulls[PULL_REQUEST].labels.clear()


@scenario("code host")
def base_images(systems: Systems) -> None:
    """The pull request lacks the second label, so the base environment's images run."""
    systems.shop.pulls[PULL_REQUEST].labels.remove("preview-images")


@scenario("code host")
def mixed_images(systems: Systems) -> None:
    """One service runs the pull request's image, the other the base environment's."""
    base_images(systems)
    application_set = systems.store.get(APPLICATION_SET, "argocd", "preview-apps")
    services = application_set["spec"]["generators"][0]["matrix"]["generators"][1]["list"]["elements"]
    head = systems.shop.head(systems.shop.pulls[PULL_REQUEST])
    services[0]["base"] = f"{IMAGES}/{services[0]['component']}:{head}"
    systems.store.update(APPLICATION_SET, application_set)


@scenario("code host")
def login_broken(systems: Systems) -> None:
    """The pull request has a fault that only the deployed application shows: nobody can sign in."""
    _edit(systems, "services/platform/platform_app/__main__.py", 'name="username"', 'name="user"')


@scenario("code host")
def unit_test_fails(systems: Systems) -> None:
    """The pull request has a fault that its own unit tests find."""
    # In Python, because machines without Go or Node.js run the demonstration as well.
    _edit(systems, "services/platform/platform_app/cart.py", "        PRICES[product]\n", "")


@scenario("registry")
def image_missing(systems: Systems) -> None:
    """The pull request's image of one service was never published."""
    head = systems.shop.head(systems.shop.pulls[PULL_REQUEST])
    reference = f"{IMAGES}/platform:{head}"
    systems.registry.refusals[reference] = (
        f'failed to resolve reference "{reference}": {reference}: not found'
    )


def _edit(systems: Systems, path: str, old: str, new: str) -> None:
    pull = systems.shop.pulls[PULL_REQUEST]
    head = systems.shop.repository.commit_edit(pull.branch, path, old, new, f"Change {path}")
    systems.builds.build_now(head)
