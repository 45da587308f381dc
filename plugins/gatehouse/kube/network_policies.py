"""What NetworkPolicy objects let a pod connect to (networking.k8s.io/v1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

#: Networks that are the whole of IPv4 or IPv6, or half of it: two halves are the whole.
_EVERYWHERE_PREFIX = 1


@dataclass(frozen=True)
class Rule:
    """One way out: to some peers (none: everywhere), on some ports (none: all)."""

    policy: str
    peers: tuple[Object, ...] = ()
    ports: tuple[Object, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Whether it leads to every address, or to all but a few."""
        return not self.peers or any(_is_everywhere(peer) for peer in self.peers)


@dataclass(frozen=True)
class Egress:
    """What a pod may connect to. `policies` are those that restrict it; without any, everything is allowed."""

    policies: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def restricted(self) -> bool:
        """Whether any policy is about the pod's outbound traffic."""
        return bool(self.policies)

    def openings(self, accepted_ports: Collection[int]) -> list[str]:
        """The rules that lead everywhere on other ports than `accepted_ports`, one sentence each."""
        if not self.restricted:
            return ["no NetworkPolicy is about the pod's outbound traffic, so all of it is allowed"]
        return [
            f"NetworkPolicy {rule.policy} allows every address on {_ports_in_words(rule.ports)}"
            for rule in self.rules
            if rule.everywhere and not _only_on(rule.ports, accepted_ports)
        ]

    def permits(self, address: str, port: int) -> bool:
        """Whether an address outside of the cluster may be connected to. Peers that are pods do not count."""
        if not self.restricted:
            return True
        return any(_reaches(rule, address) and _on_port(rule.ports, port) for rule in self.rules)


def egress_of(pod: Object, policies: Iterable[Object]) -> Egress:
    """What the policies of a pod's namespace let it connect to. Policies add up; one is enough to restrict."""
    labels = pod["metadata"].get("labels") or {}
    chosen = [
        policy
        for policy in policies
        if policy["metadata"].get("namespace") == pod["metadata"].get("namespace")
        and _is_about_egress(policy["spec"])
        and selects(policy["spec"].get("podSelector") or {}, labels)
    ]
    rules = [
        Rule(policy["metadata"]["name"], tuple(rule.get("to") or ()), tuple(rule.get("ports") or ()))
        for policy in chosen
        for rule in policy["spec"].get("egress") or []
    ]
    return Egress(tuple(policy["metadata"]["name"] for policy in chosen), tuple(rules))


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector chooses something with these labels; an empty one chooses everything."""
    if any(labels.get(name) != value for name, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or [])


def _holds(requirement: Object, labels: dict[str, str]) -> bool:
    name, values = requirement["key"], requirement.get("values") or []
    match requirement["operator"]:
        case "In":
            return labels.get(name) in values
        case "NotIn":
            return labels.get(name) not in values
        case "Exists":
            return name in labels
        case "DoesNotExist":
            return name not in labels
    return False


def _is_about_egress(spec: Object) -> bool:
    """Without `policyTypes`, a policy is about outbound traffic only if it has rules for it."""
    types = spec.get("policyTypes")
    return "Egress" in types if types else bool(spec.get("egress"))


def _is_everywhere(peer: Object) -> bool:
    if block := peer.get("ipBlock"):
        return ipaddress.ip_network(block["cidr"], strict=False).prefixlen <= _EVERYWHERE_PREFIX
    return False


def _reaches(rule: Rule, address: str) -> bool:
    return not rule.peers or any(_holds_address(peer.get("ipBlock"), address) for peer in rule.peers)


def _holds_address(block: Object | None, address: str) -> bool:
    if not block:
        return False
    there = ipaddress.ip_address(address)
    networks = [ipaddress.ip_network(each, strict=False) for each in block.get("except") or []]
    return there in ipaddress.ip_network(block["cidr"], strict=False) and not any(
        there in network for network in networks
    )


def _on_port(ports: Sequence[Object], port: int) -> bool:
    """Whether TCP to a port is allowed. A port by name is one of a pod's, so it says nothing of addresses."""
    return not ports or any(
        each.get("protocol", "TCP") == "TCP"
        and (each.get("port") is None or _first(each) <= port <= _last(each))
        for each in ports
    )


def _only_on(ports: Sequence[Object], accepted: Collection[int]) -> bool:
    return bool(ports) and all(
        each.get("port") is not None
        and 0 < _first(each) <= _last(each)
        and set(range(_first(each), _last(each) + 1)) <= set(accepted)
        for each in ports
    )


def _first(port: Object) -> int:
    return port["port"] if isinstance(port["port"], int) else -1


def _last(port: Object) -> int:
    return int(port.get("endPort") or _first(port))


def _ports_in_words(ports: Sequence[Object]) -> str:
    if not ports:
        return "every port"
    return ", ".join(
        f"{each.get('protocol', 'TCP')} {each.get('port', 'every port')}"
        + (f"-{each['endPort']}" if each.get("endPort") else "")
        for each in ports
    )
