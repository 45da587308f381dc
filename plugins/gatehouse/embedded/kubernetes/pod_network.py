"""The cluster's network as pods see it: its DNS, and NetworkPolicies about outbound traffic."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.embedded.kubernetes.kinds import NETWORK_POLICY, POD, Object
from gatehouse.embedded.kubernetes.store import ObjectStore, label_selector

#: Python started in a pod finds its rules here.
PYTHON_FOLDER = Path(__file__).parent / "pod_python"


@dataclass
class PodNetwork:
    """What commands in pods can reach. Only programs in Python heed it: nothing else is between them and the machine.

    `ports` are those of this machine that stand for the world outside of the pods.
    """

    store: ObjectStore
    ports: list[int] = field(default_factory=list)
    #: Names that the cluster's DNS does not know, and names whose address cannot be reached from inside.
    unresolvable: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    #: Whether anything enforces NetworkPolicies.
    enforcing: bool = True

    def environment(self, namespace: str, pod: str) -> dict[str, str]:
        """The variables that make a command in a pod heed the network's rules."""
        found = self.store.find(POD, namespace, pod)
        rules = self._egress(found) if found and self.enforcing else None
        network = {
            "ports": self.ports,
            "unresolvable": sorted(self.unresolvable),
            "lost": sorted(self.lost),
            "egress": rules,
        }
        return {"PYTHONPATH": str(PYTHON_FOLDER), "GATEHOUSE_POD_NETWORK": json.dumps(network)}

    def _egress(self, pod: Object) -> list[tuple[str, list[int]]] | None:
        """Networks and ports that may be connected to; None when no policy is about the pod."""
        chosen = [
            policy
            for policy in self.store.select(NETWORK_POLICY, pod["metadata"]["namespace"])
            if "Egress" in policy["spec"].get("policyTypes", []) and _selects(policy, pod)
        ]
        if not chosen:
            return None
        return [
            (peer["ipBlock"]["cidr"], [port["port"] for port in rule.get("ports", [])])
            for policy in chosen
            for rule in policy["spec"].get("egress", [])
            for peer in rule.get("to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}])
            if "ipBlock" in peer
        ]


def _selects(policy: Object, pod: Object) -> bool:
    labels = policy["spec"]["podSelector"].get("matchLabels", {})
    return label_selector(",".join(f"{name}={value}" for name, value in labels.items()))(pod)
