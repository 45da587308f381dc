"""What goes wrong with workspaces: their builds, pods, agents, and what they leave behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gatehouse.embedded.clock import pause
from gatehouse.embedded.coder.records import Script, TemplateVersion
from gatehouse.embedded.coder.workspace_image import unpack_tools
from gatehouse.embedded.control_plane import WORKSPACE_IMAGE
from gatehouse.embedded.kubernetes.kinds import POD
from gatehouse.embedded.registry import Image
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems

REFERENCE = f"{WORKSPACE_IMAGE}:1"


# --- builds ----------------------------------------------------------------------------------------------


@scenario("coder")
def build_pending(systems: Systems) -> None:
    """A provisioner daemon matches, but never takes a job, so builds stay pending."""
    systems.provisioner.faults.stuck = True


@scenario("coder")
def second_workspace_fails(systems: Systems) -> None:
    """Each template makes a NetworkPolicy of one name for all workspaces: the second one finds that it exists."""

    def change(version: TemplateVersion) -> None:
        policy = next(each for each in version.always if each["kind"] == "NetworkPolicy")
        policy["metadata"] |= {"name": "workspaces-egress", "namespace": "coder"}

    _change_templates(systems, change)


@scenario("coder")
def rbac_escalation(systems: Systems) -> None:
    """The template makes a Role with more rights than the provisioner has itself."""
    systems.provisioner.faults.errors["start"] = (
        'roles.rbac.authorization.k8s.io "workspace" is forbidden: user "system:serviceaccount:coder:coder" '
        '(groups=["system:serviceaccounts" "system:serviceaccounts:coder" "system:authenticated"]) is attempting to '
        'grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["list"]}'
    )


@scenario("coder")
def storage_quota_exceeded(systems: Systems) -> None:
    """The quota for volumes is used up, so Terraform cannot make the workspace's claim."""
    systems.provisioner.faults.errors["start"] = (
        'persistentvolumeclaims "workspaces" is forbidden: exceeded quota: workspaces, requested: '
        "requests.storage=16Gi, used: requests.storage=160Gi, limited: requests.storage=160Gi"
    )


@scenario("coder")
def delete_fails_once(systems: Systems) -> None:
    """The first delete build of all fails, each later one succeeds."""
    systems.provisioner.faults.errors["delete"] = (
        "timeout while waiting for state to become 'Deleted' (last state: 'Terminating', timeout: 5m0s)"
    )
    systems.provisioner.faults.failures["delete"] = 1


@scenario("kubernetes")
def pods_leak(systems: Systems) -> None:
    """Deleting a workspace succeeds, but leaves its Deployment and with it its pod behind."""
    systems.provisioner.faults.leaves_behind = {"Deployment"}


@scenario("coder")
def volume_not_kept(systems: Systems) -> None:
    """Templates make the workspace's volume for each start anew, so nothing survives a stop."""

    def change(version: TemplateVersion) -> None:
        claims = [each for each in version.always if each["kind"] == "PersistentVolumeClaim"]
        version.always = [each for each in version.always if each not in claims]
        version.started = [*claims, *version.started]

    _change_templates(systems, change)


# --- pods ------------------------------------------------------------------------------------------------


@scenario("kubernetes")
def scale_from_zero(systems: Systems) -> None:
    """The first workspace finds no node, and waits a second and a half until the autoscaler has added one."""
    systems.kubelet.unschedulable = (
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are "
        "available: 3 Preemption is not helpful for scheduling."
    )

    async def scale_up() -> None:
        await steps.until(systems, lambda: _pods(systems) and _built(systems))
        words = "pod triggered scale-up: [{workspaces-arm64 0->1 (max: 10)}]"
        systems.store.record_event(
            _pods(systems)[0], "Normal", "TriggeredScaleUp", words, "cluster-autoscaler"
        )
        await pause(1.5)
        systems.kubelet.unschedulable = ""

    systems.background.append(scale_up())


@scenario("registry")
def workspace_image_rate_limited(systems: Systems) -> None:
    """Pulls of the workspaces' image are refused with 429."""
    host, name = WORKSPACE_IMAGE.split("/", 1)
    systems.registry.refusals[REFERENCE] = (
        f'failed to pull and unpack image "{REFERENCE}": failed to copy: httpReadSeeker: failed open: unexpected '
        f"status code https://{host}/v2/{name}/manifests/1: 429 Too Many Requests - Server message: toomanyrequests: "
        "You have reached your pull rate limit."
    )


@scenario("registry")
def workspace_image_wrong_architecture(systems: Systems) -> None:
    """The workspaces' image is there for linux/arm64 only; the node is linux/amd64."""
    _change_image(systems, lambda image: replace(image, platforms=("linux/arm64",)))


# --- agents ----------------------------------------------------------------------------------------------


@scenario("coder")
def agent_flapping(systems: Systems) -> None:
    """Agents become ready, and lose their connection a second and a half later."""
    systems.agents.faults.unhealthy_after = 1.5


@scenario("coder")
def agent_outdated(systems: Systems) -> None:
    """Agents are of an older version than the server."""
    systems.agents.faults.version = "v2.35.2+0a1b2c3"


@scenario("coder")
def fallback_image(systems: Systems) -> None:
    """The dev container's file is not found, so the builder takes the fallback image; the agent becomes ready."""
    systems.agents.faults.builder_log = (
        "Failed to locate devcontainer.json: can't find devcontainer.json, is it a correct spec?",
        "Falling back to the default image...",
    )
    _change_image(systems, lambda image: replace(image, unpack=unpack_tools))


@scenario("coder")
def clone_failed(systems: Systems) -> None:
    """The repository cannot be cloned; the builder takes the fallback image, and the agent becomes ready."""
    systems.agents.faults.builder_log = (
        "Failed to clone repository: authentication required: Repository not found.",
        "Falling back to the default image...",
    )
    _change_image(systems, lambda image: replace(image, unpack=unpack_tools))
    change_script(systems, "Clone", lambda _text: "mkdir -p /workspaces/code/repo\n")


@scenario("coder")
def old_clone(systems: Systems) -> None:
    """The image holds a clone of the repository from two commits before, which is not updated."""
    repository = systems.shop.repository
    for number in (1, 2):
        text = f"{number} changes since\n"
        repository.commit_files("main", {"NEWS.md": text}, f"News {number}")
    change_script(
        systems,
        "Clone",
        lambda text: (
            text + "git -C /workspaces/code/repo reset --quiet --hard HEAD~2\n"
            'echo "The repository already exists!"\n'
        ),
    )


@scenario("coder")
def tool_not_authenticated(systems: Systems) -> None:
    """Tools are signed in before they are installed, so the step is passed over."""
    change_script(
        systems,
        "Sign in",
        lambda _text: 'echo "[workspace-bootstrap] gh is not installed: sign-in skipped"\n',
    )


# --- how -------------------------------------------------------------------------------------------------


def _pods(systems: Systems) -> list[dict[str, object]]:
    return [
        each for each in systems.store.select(POD) if each["metadata"]["namespace"].startswith("coder-ws-")
    ]


def _built(systems: Systems) -> bool:
    return any(build.job.status == "succeeded" for _, build in systems.database.builds())


def _change_templates(systems: Systems, change: Callable[[TemplateVersion], None]) -> None:
    for template in systems.database.templates.values():
        change(template.active)


def change_script(systems: Systems, name: str, change: Callable[[str], str]) -> None:
    """Change the start script of this name, in the templates that have one."""

    def in_version(version: TemplateVersion) -> None:
        version.scripts = [
            Script(each.display_name, change(each.text)) if each.display_name == name else each
            for each in version.scripts
        ]

    _change_templates(systems, in_version)


def _change_image(systems: Systems, change: Callable[[Image], Image]) -> None:
    image = systems.registry.withdraw(WORKSPACE_IMAGE, "1")
    systems.registry.push(WORKSPACE_IMAGE, "1", change(image))
