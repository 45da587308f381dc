"""What several scenarios do: change what is deployed and the pull request, add Applications, wait, refresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import yaml

from gatehouse.embedded.argocd.applications import REFRESH
from gatehouse.embedded.argocd.manifests import TRACKING
from gatehouse.embedded.argocd.sync import DELETE_POLICY
from gatehouse.embedded.argocd.targets import HOOK
from gatehouse.embedded.clock import pause
from gatehouse.embedded.kubernetes.kinds import APPLICATION, APPLICATION_SET, CONFIG_MAP, NAMESPACE, Object
from gatehouse.embedded.registry import Image
from gatehouse.embedded.seed import PULL_REQUEST
from gatehouse.embedded.systems import IMAGES, Systems

#: The namespace of the sample's preview.
PREVIEW = f"pr-{PULL_REQUEST}"

#: How many Applications the sample's preview consists of.
APPLICATIONS = 5

#: An image without anything of the product, for Jobs.
TOOLS = "registry.preview.localhost/tools/shell"


def name_of(component: str) -> str:
    """The name of an Application of the preview."""
    return f"{PREVIEW}-{component}"


def add_files(systems: Systems, files: dict[str, str]) -> str:
    """Commit files to the GitOps repository; returns the commit."""
    return systems.gitops.repository.commit_files("main", files, "Change the previews")


def edit(systems: Systems, path: str, old: str, new: str) -> str:
    """Commit a replacement of text in the GitOps repository; returns the commit."""
    return systems.gitops.repository.commit_edit("main", path, old, new, f"Change {path}")


def change_set(systems: Systems, name: str, change: Callable[[Object], None]) -> None:
    """Change an ApplicationSet."""
    application_set = systems.store.get(APPLICATION_SET, "argocd", name)
    change(application_set)
    systems.store.update(APPLICATION_SET, application_set)


def change_template(systems: Systems, name: str, change: Callable[[Object], None]) -> None:
    """Change the template of an ApplicationSet."""
    change_set(systems, name, lambda application_set: change(application_set["spec"]["template"]))


def elements(application_set: Object) -> list[Object]:
    """The components that `preview-apps` makes an Application of each."""
    components: Object = application_set["spec"]["generators"][0]["matrix"]["generators"][1]
    listed: list[Object] = components["list"]["elements"]
    return listed


def add_applications(systems: Systems, components: Mapping[str, Mapping[str, str]]) -> None:
    """Have `preview-apps` make more Applications, each of a folder with these files."""
    add_files(
        systems,
        {
            f"previews/{component}/{name}": text
            for component, files in components.items()
            for name, text in files.items()
        },
    )

    def change(application_set: Object) -> None:
        elements(application_set).extend({"component": component, "base": "none"} for component in components)

    change_set(systems, "preview-apps", change)


def add_to_platform(systems: Systems, name: str, text: str) -> None:
    """Add a file to those that `pr-7-platform` is made from."""
    add_files(systems, {f"previews/platform/{name}": text})
    edit(systems, "previews/platform/kustomization.yaml", "route.yaml]", f"route.yaml, {name}]")


def retry_at_most(systems: Systems, limit: int) -> None:
    """Have the syncs of `preview-apps` repeated only so often."""
    change_template(
        systems,
        "preview-apps",
        lambda template: template["spec"]["syncPolicy"].update(retry={"limit": limit}),
    )


def config_map(name: str, **data: str) -> Object:
    """A ConfigMap's manifest."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def hook_job(systems: Systems, name: str, phase: str, script: str, delete_policy: str = "") -> str:
    """The manifest of a Job that runs a shell script as a hook."""
    annotations = {HOOK: phase} | ({DELETE_POLICY: delete_policy} if delete_policy else {})
    systems.registry.push(TOOLS, "1", Image(labels={"org.opencontainers.image.title": TOOLS}))
    container = {"name": name, "image": f"{TOOLS}:1", "command": ["sh", "-c", script]}
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }
    return yaml.safe_dump(manifest, sort_keys=False)


def earlier_namespace(systems: Systems) -> None:
    """Leave the preview's namespace there from before, so that no sync has to wait for it."""
    if not systems.store.find(NAMESPACE, "", PREVIEW):
        systems.store.create(NAMESPACE, {"metadata": {"name": PREVIEW}})


def leave_behind(systems: Systems, component: str, name: str) -> None:
    """Leave a ConfigMap from before in the preview's namespace, tracked by an Application."""
    earlier_namespace(systems)
    item = config_map(name, made="by an earlier preview")
    mark = f"{name_of(component)}:/ConfigMap:{PREVIEW}/{name}"
    item["metadata"]["annotations"] = {TRACKING: mark}
    systems.store.create(CONFIG_MAP, item, PREVIEW)


# --- the pull request and its images ----------------------------------------------------------------------


def head(systems: Systems) -> str:
    """The commit under test."""
    return systems.shop.head(systems.shop.pulls[PULL_REQUEST])


def edit_pull_request(systems: Systems, path: str, old: str, new: str) -> str:
    """Replace text in a file of the pull request, and build its images. Returns the commit."""
    branch = systems.shop.pulls[PULL_REQUEST].branch
    commit = systems.shop.repository.commit_edit(branch, path, old, new, f"Change {path}")
    systems.builds.build_now(commit)
    return commit


def commit_to_pull_request(systems: Systems) -> str:
    """Add a commit to the pull request's branch, with its images; nobody is told. Returns the commit."""
    return edit_pull_request(systems, "services/www/static/index.html", "<h1>", "<h1>New ")


def images_of_previews(systems: Systems, pattern: str, parameters: Callable[[str], dict[str, str]]) -> None:
    """Deploy other images of the pull request: `pattern` has what `parameters` gives for a component."""
    usual = f"{IMAGES}/{{{{.component}}}}:{{{{.head_sha}}}}"

    def change(application_set: Object) -> None:
        for element in elements(application_set):
            element.update(parameters(element["component"]))
        images = application_set["spec"]["template"]["spec"]["source"]["kustomize"]["images"]
        images[:] = [each.replace(usual, pattern) for each in images]

    change_set(systems, "preview-apps", change)


# --- while the platform runs ----------------------------------------------------------------------------


def later(systems: Systems, seconds: float, change: Callable[[], object]) -> None:
    """Make a change some time after the platform has started."""

    async def wait() -> None:
        await pause(seconds)
        change()

    systems.background.append(wait())


async def until(systems: Systems, condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    version = 0
    while not condition():
        version = await systems.store.changed_since(version)


def application(systems: Systems, component: str) -> Object | None:
    """An Application of the preview, or None while there is none."""
    return systems.store.find(APPLICATION, "argocd", name_of(component))


def operation_state(systems: Systems, component: str) -> Object:
    """What an Application says of its last operation."""
    state: Object = (application(systems, component) or {}).get("status", {}).get("operationState", {})
    return state


def is_ready(item: Object) -> bool:
    """Whether an Application says that it is Synced and Healthy, and no operation runs."""
    status = item.get("status", {})
    return (
        status.get("sync", {}).get("status") == "Synced"
        and status.get("health", {}).get("status") == "Healthy"
        and "operation" not in item
    )


def all_there(systems: Systems) -> bool:
    """Whether the preview has all of its Applications."""
    return len(systems.store.select(APPLICATION)) >= APPLICATIONS


def all_ready(systems: Systems) -> bool:
    """Whether the preview has all of its Applications, and each is ready."""
    return all_there(systems) and all(map(is_ready, systems.store.select(APPLICATION)))


def refresh(systems: Systems, component: str) -> None:
    """Have an Application compared anew, as Argo CD's webhook does."""
    if item := application(systems, component):
        item["metadata"].setdefault("annotations", {})[REFRESH] = "normal"
        systems.store.update(APPLICATION, item)
