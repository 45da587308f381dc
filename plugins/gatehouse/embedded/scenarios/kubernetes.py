"""What goes wrong in the cluster."""

from __future__ import annotations

import asyncio

from gatehouse.embedded import clock
from gatehouse.embedded.kubernetes.kinds import DEPLOYMENT
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import DOMAIN, PULL_REQUEST
from gatehouse.embedded.systems import Systems


@scenario("kubernetes")
def claim_leaks(systems: Systems) -> None:
    """Deleting a workspace succeeds, but leaves its claim, volume and namespace behind."""
    systems.provisioner.faults.leaves_behind = {"PersistentVolumeClaim"}


@scenario("kubernetes")
def unschedulable(systems: Systems) -> None:
    """No node has room, so pods stay Pending."""
    systems.kubelet.unschedulable = "0/1 nodes are available: 1 Insufficient memory."


@scenario("kubernetes")
def redeployed_during_tests(systems: Systems) -> None:
    """The public site is restarted two seconds after both services have answered for their start pages."""
    missing = {f"{service}-pr-{PULL_REQUEST}.{DOMAIN}" for service in ("www", "platform")}
    both_answered = asyncio.Event()

    def on_answer(host: str, path: str) -> None:
        if path == "/":
            missing.discard(host)
        if not missing:
            both_answered.set()

    async def restart() -> None:
        await both_answered.wait()
        await clock.pause(2.0)
        # As `kubectl rollout restart` does.
        deployment = systems.store.get(DEPLOYMENT, f"pr-{PULL_REQUEST}", "www")
        annotations = deployment["spec"]["template"]["metadata"].setdefault("annotations", {})
        annotations["kubectl.kubernetes.io/restartedAt"] = clock.whole_seconds()
        systems.store.update(DEPLOYMENT, deployment)

    systems.ingress.on_answer.append(on_answer)
    systems.background.append(restart())
