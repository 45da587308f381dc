"""What goes wrong in the cluster."""

from __future__ import annotations

from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems


@scenario("kubernetes")
def claim_leaks(systems: Systems) -> None:
    """Deleting a workspace succeeds, but leaves its claim, volume and namespace behind."""
    systems.provisioner.faults.leaves_behind = {"PersistentVolumeClaim"}


@scenario("kubernetes")
def unschedulable(systems: Systems) -> None:
    """No node has room, so pods stay Pending."""
    systems.kubelet.unschedulable = "0/1 nodes are available: 1 Insufficient memory."
