"""Changes to the seeded systems that several scenarios are made of."""

from __future__ import annotations

from collections.abc import Callable

from gatehouse.embedded.clock import pause
from gatehouse.embedded.kubernetes.kinds import APPLICATION_SET, Object
from gatehouse.embedded.seed import PULL_REQUEST
from gatehouse.embedded.systems import IMAGES, Systems


def head(systems: Systems) -> str:
    """The commit under test."""
    return systems.shop.head(systems.shop.pulls[PULL_REQUEST])


def edit_pull_request(systems: Systems, path: str, old: str, new: str) -> None:
    """Replace text in a file of the pull request, and build its images."""
    branch = systems.shop.pulls[PULL_REQUEST].branch
    systems.builds.build_now(systems.shop.repository.commit_edit(branch, path, old, new, f"Change {path}"))


def edit_previews(systems: Systems, path: str, old: str, new: str) -> None:
    """Replace text in a file of what Argo CD deploys."""
    systems.gitops.repository.commit_edit("main", path, old, new, f"Change {path}")


def images_of_previews(systems: Systems, pattern: str, parameters: Callable[[str], dict[str, str]]) -> None:
    """Deploy other images of the pull request: `pattern` has what `parameters` gives for a component."""
    application_set = systems.store.get(APPLICATION_SET, "argocd", "preview-apps")
    spec = application_set["spec"]
    elements: list[Object] = spec["generators"][0]["matrix"]["generators"][1]["list"]["elements"]
    for element in elements:
        element.update(parameters(element["component"]))
    images = spec["template"]["spec"]["source"]["kustomize"]["images"]
    usual = f"{IMAGES}/{{{{.component}}}}:{{{{.head_sha}}}}"
    images[:] = [each.replace(usual, pattern) for each in images]
    systems.store.update(APPLICATION_SET, application_set)


def later(systems: Systems, seconds: float, change: Callable[[], object]) -> None:
    """Make a change some time after the platform has started."""

    async def wait() -> None:
        await pause(seconds)
        change()

    systems.background.append(wait())


async def until(systems: Systems, condition: Callable[[], bool]) -> None:
    """Wait until something is so of the cluster's objects."""
    version = 0
    while not condition():
        version = await systems.store.changed_since(version)
