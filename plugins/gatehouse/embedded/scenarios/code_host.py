"""What goes wrong with the pull request: its labels, its images, its code."""

from __future__ import annotations

from gatehouse.embedded.kubernetes.kinds import Object
from gatehouse.embedded.scenarios import steps
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

    def change(application_set: Object) -> None:
        first = steps.elements(application_set)[0]
        first["base"] = f"{IMAGES}/{first['component']}:{steps.head(systems)}"

    steps.change_set(systems, "preview-apps", change)


@scenario("code host")
def base_digest_images(systems: Systems) -> None:
    """The pull request's own images run, but are named by digest, as the base environment's are."""
    commit = steps.head(systems)
    steps.images_of_previews(
        systems,
        f"{IMAGES}/{{{{.component}}}}@{{{{.digest}}}}",
        lambda component: {"digest": systems.registry.tags(f"{IMAGES}/{component}")[commit].digest},
    )


@scenario("code host")
def login_broken(systems: Systems) -> None:
    """The pull request has a fault that only the deployed application shows: nobody can sign in."""
    steps.edit_pull_request(
        systems, "services/platform/platform_app/pages.py", 'name="csrfToken"', 'name="token"'
    )


@scenario("code host")
def unit_test_fails(systems: Systems) -> None:
    """The pull request has a fault that its own unit tests find."""
    # In Python, because machines without Go or Node.js run the demonstration as well.
    steps.edit_pull_request(
        systems, "services/platform/platform_app/cart.py", "        PRICES[product]\n", ""
    )


@scenario("code host")
def crash_loop(systems: Systems) -> None:
    """The pull request's program ends at its start with a traceback: it imports a module that is not there."""
    imports = "from platform_app.cart import PRICES, Cart"
    path = "services/platform/platform_app/app.py"
    steps.edit_pull_request(systems, path, imports, f"import tax\n{imports}")


@scenario("code host")
def static_health_page(systems: Systems) -> None:
    """The pull request's public site passes its health check, but answers 500 for its start page."""
    usual = "        else:\n            self.page(path)"
    words = "b\"Internal Server Error: KeyError: 'tax'\""
    broken = f'        elif path == "/":\n            self.answer(500, "text/plain", {words})\n'
    steps.edit_pull_request(systems, "services/www/server.py", usual, broken + usual)
