"""What goes wrong with the platform's own pods, and between Coder and the cluster."""

from __future__ import annotations

from typing import Any

from gatehouse.embedded import clock
from gatehouse.embedded.control_plane import IMAGE, NAMESPACE, TAG, deployment, push_coder
from gatehouse.embedded.kubernetes import kinds
from gatehouse.embedded.kubernetes.conditions import pod_ready
from gatehouse.embedded.kubernetes.kinds import DEPLOYMENT, POD, SECRET
from gatehouse.embedded.kubernetes.store import owned_by
from gatehouse.embedded.registry import Image
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems

UNKNOWN_WORKSPACE = "5b1e1c55-3f0b-4a51-9f3e-0d6a6d7f2c11"

#: What is beside Coder in its namespace.
HELPER_IMAGE = "registry.preview.localhost/coder/logstream"


@scenario("kubernetes")
def workspace_unknown_to_coder(systems: Systems) -> None:
    """A workspace's namespace is there that Coder knows nothing of, as after its database was restored."""
    labels = {"com.coder.resource": "true", "com.coder.workspace.id": UNKNOWN_WORKSPACE}
    metadata = {"name": f"coder-ws-{UNKNOWN_WORKSPACE}", "labels": labels}
    systems.store.create(kinds.NAMESPACE, {"metadata": metadata})


@scenario("kubernetes")
def coder_logs_forbidden(systems: Systems) -> None:
    """Coder's log is full of refusals by the API server, and all else is well."""
    line = 'pods is forbidden: User "system:serviceaccount:coder:coder" cannot list resource "pods"'
    push_coder(systems, f"for each in 1 2 3; do echo '{line}'; done")


@scenario("kubernetes")
def coder_out_of_memory(systems: Systems) -> None:
    """Coder's container was killed for lack of memory a moment ago, and runs again."""

    async def kill() -> None:
        await steps.until(systems, lambda: any(map(pod_ready, _coder_pods(systems))))
        pod = systems.store.get(POD, NAMESPACE, _coder_pods(systems)[0]["metadata"]["name"])
        ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": clock.whole_seconds()}
        (status,) = pod["status"]["containerStatuses"]
        status |= {"restartCount": 4, "lastState": {"terminated": ended}}
        systems.store.set_status(POD, NAMESPACE, pod["metadata"]["name"], pod["status"])

    systems.background.append(kill())


@scenario("kubernetes")
def old_pods_of_coder_serve(systems: Systems) -> None:
    """A new version of Coder cannot be pulled; the old pods keep its Deployment available."""

    async def upgrade() -> None:
        await steps.until(systems, lambda: any(map(pod_ready, _coder_pods(systems))))
        changed = systems.store.get(DEPLOYMENT, NAMESPACE, "coder")
        changed["spec"] = deployment("v2.37.0")["spec"]
        systems.store.update(DEPLOYMENT, changed)

    systems.background.append(upgrade())


@scenario("kubernetes")
def coder_secret_missing(systems: Systems) -> None:
    """The vault has nothing at the key of Coder's database address, so its pod cannot start."""
    systems.external_secrets.vault.pop("platform/coder")


@scenario("kubernetes")
def vault_sealed_later(systems: Systems) -> None:
    """Coder has its secret, and then the vault refuses to let the SecretStore sign in."""

    async def seal() -> None:
        await steps.until(systems, lambda: systems.store.find(SECRET, NAMESPACE, "coder-db-url"))
        systems.external_secrets.refused = (
            "unable to log in with Kubernetes auth: Code: 503. Errors: * Vault is sealed"
        )
        systems.external_secrets.reconcile()

    systems.background.append(seal())


@scenario("kubernetes")
def helper_image_rate_limited(systems: Systems) -> None:
    """The image of a program beside Coder is refused with 429, as Docker Hub does."""
    systems.registry.push(HELPER_IMAGE, "1", Image(labels={"title": HELPER_IMAGE}))
    systems.registry.refusals[f"{HELPER_IMAGE}:1"] = (
        f'failed to pull and unpack image "{HELPER_IMAGE}:1": failed to copy: httpReadSeeker: failed open: '
        "unexpected status code: 429 Too Many Requests - Server message: toomanyrequests: "
        "You have reached your unauthenticated pull rate limit."
    )
    _add_helper(systems, "logstream", {"image": f"{HELPER_IMAGE}:1"})


@scenario("kubernetes")
def helper_image_wrong_architecture(systems: Systems) -> None:
    """The image of a program beside Coder was mirrored for linux/arm64 only; the node is linux/amd64."""
    image = Image(labels={"title": f"{HELPER_IMAGE} for arm64"}, platforms=("linux/arm64",))
    systems.registry.push(HELPER_IMAGE, "arm64", image)
    _add_helper(systems, "logstream-arm64", {"image": f"{HELPER_IMAGE}:arm64"})


@scenario("kubernetes")
def helper_without_node(systems: Systems) -> None:
    """A program beside Coder asks for a pool of nodes that is not there, and stays Pending."""
    systems.smoke_changes.append(lambda settings: settings["consistency"].update(pending_seconds=0))
    _add_helper(systems, "reconciler", {"image": f"{IMAGE}:{TAG}"}, nodeSelector={"pool": "operators"})


def _add_helper(systems: Systems, name: str, container: dict[str, Any], **spec: Any) -> None:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, **container}], **spec}}
    manifest = {
        "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
    systems.store.create(DEPLOYMENT, manifest, NAMESPACE)


def _coder_pods(systems: Systems) -> list[dict[str, Any]]:
    sets = [
        each
        for each in systems.store.select(kinds.REPLICA_SET, NAMESPACE)
        if any(owner["name"] == "coder" for owner in each["metadata"]["ownerReferences"])
    ]
    return [
        pod
        for each in sets
        for pod in systems.store.select(POD, NAMESPACE)
        if owned_by(pod, each["metadata"]["uid"])
    ]
