"""What several scenarios do: change the GitOps repository, add Applications, wait for them, push, refresh."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from gatehouse.embedded.argocd.applications import REFRESH
from gatehouse.embedded.argocd.manifests import TRACKING
from gatehouse.embedded.argocd.sync import DELETE_POLICY
from gatehouse.embedded.argocd.targets import HOOK
from gatehouse.embedded.kubernetes.kinds import APPLICATION, APPLICATION_SET, CONFIG_MAP, NAMESPACE, Object
from gatehouse.embedded.registry import Image
from gatehouse.embedded.seed import PULL_REQUEST
from gatehouse.embedded.systems import Systems

#: The namespace of the sample's preview.
PREVIEW = f"pr-{PULL_REQUEST}"

#: How many Applications the sample's preview consists of.
APPLICATIONS = 5

#: An image without anything of the product, for Jobs.
TOOLS = "registry.preview.localhost/tools/shell"


def name_of(component: str) -> str:
    """The name of an Application of the preview."""
    return f"{PREVIEW}-{component}"


def add_files(systems: Systems, files: Mapping[str, str]) -> str:
    """Commit files to the GitOps repository; returns the commit."""
    with tempfile.TemporaryDirectory() as scratch:
        for path, text in files.items():
            file = Path(scratch) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return systems.gitops.repository.commit_folder(
            Path(scratch), "Change the previews", branch="main", base="main"
        )


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
        elements = application_set["spec"]["generators"][0]["matrix"]["generators"][1]["list"]["elements"]
        elements += [{"component": component, "base": "none"} for component in components]

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


# --- while the platform runs ----------------------------------------------------------------------------


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


def commit_to_pull_request(systems: Systems) -> str:
    """Add a commit to the pull request's branch, with its images; nobody is told. Returns the commit."""
    branch = systems.shop.pulls[PULL_REQUEST].branch
    commit = systems.shop.repository.commit_edit(
        branch, "services/www/static/index.html", "<h1>", "<h1>New ", "Change the heading"
    )
    systems.builds.build_now(commit)
    return commit
