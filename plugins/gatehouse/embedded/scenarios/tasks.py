"""What goes wrong with commands in workspaces, and with the start of a task."""

from __future__ import annotations

from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems


@scenario("kubernetes")
def command_stream_cut(systems: Systems) -> None:
    """The streams of the first two commands in pods are cut as soon as something was printed; the commands go on."""
    systems.kubelet.exec_faults.cuts = 2


@scenario("kubernetes")
def command_without_status(systems: Systems) -> None:
    """Commands in pods end without a status, as behind some proxies, so the API server tells no exit code."""
    systems.kubelet.exec_faults.without_status = 1_000_000


@scenario("kubernetes")
def pod_evicted(systems: Systems) -> None:
    """A second after the first command was started in a pod, the node lacks memory and evicts the pod."""
    systems.kubelet.exec_faults.evicts_after = 1.0


@scenario("coder")
def agent_late(systems: Systems) -> None:
    """Coder has given up on the agent (`timeout`) when it connects after all, half a second later."""
    systems.agents.faults.connects_after = 0.5


@scenario("coder")
def build_hangs(systems: Systems) -> None:
    """Start builds run for ever: Terraform still creates."""
    systems.provisioner.faults.hanging = "start"


@scenario("coder")
def command_script_missing(systems: Systems) -> None:
    """The task's template has the parameter for the command, and no start script that runs it."""
    for template in systems.database.templates.values():
        for version in template.versions:
            version.scripts = [each for each in version.scripts if each.display_name != "Command"]
