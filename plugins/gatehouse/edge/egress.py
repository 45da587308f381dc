"""What connections from inside a workspace tell, held against what NetworkPolicy objects say."""

from __future__ import annotations

from collections.abc import Mapping

from gatehouse.edge.probe import Seen
from gatehouse.kube.network_policies import Egress


def missing_problems(seen: Mapping[str, Seen], egress: Egress) -> list[str]:
    """Places (host:port) that cannot be connected to though they must be, with the likely cause."""
    problems = []
    for place, each in seen.items():
        if each.reached:
            continue
        cause = ""
        if each.stage == "name":
            cause = "; a policy that leaves out DNS (port 53) looks like this, too"
        elif egress.restricted and each.addresses:
            permitted = [address for address in each.addresses if egress.permits(address, _port(place))]
            cause = (
                "; the policies allow it, so look at another hop: they are about the ports of pods, not of Services"
                if permitted
                else f"; no rule of {', '.join(egress.policies)} allows it"
            )
        problems.append(f"{place} cannot be connected to from inside the workspace: {each.words}{cause}")
    return problems


def forbidden_problems(seen: Mapping[str, Seen], egress: Egress) -> list[str]:
    """Places (host:port) that could be connected to though they must not be, and who let it happen."""
    problems = []
    for place, each in seen.items():
        if not each.reached:
            continue
        address = each.address or next(iter(each.addresses), "")
        if egress.restricted and address and not egress.permits(address, _port(place)):
            cause = (
                f"though {', '.join(egress.policies)} forbids it: nothing in this cluster enforces NetworkPolicies; "
                "check that its network plug-in does"
            )
        elif egress.restricted:
            cause = f"and a rule of {', '.join(egress.policies)} allows it"
        else:
            cause = "and no NetworkPolicy is about the workspace's outbound traffic"
        problems.append(f"{place} can be connected to from inside the workspace ({address}), {cause}")
    return problems


def _port(place: str) -> int:
    return int(place.rpartition(":")[2])
