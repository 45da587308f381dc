"""Python in an emulated pod: its names and connections go through the cluster's DNS and its NetworkPolicies.

Python imports this by its name when it starts. What is allowed stands in a variable; without it nothing changes.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from typing import Any

_network = json.loads(os.environ.get("GATEHOUSE_POD_NETWORK", "null"))

#: Where names lead whose public address cannot be reached from inside (RFC 5737: nobody's address).
_LOST = "203.0.113.10"


def _is_allowed(address: str, port: int) -> bool:
    there = ipaddress.ip_address(address)
    if there.is_loopback and port not in _network["ports"]:
        return True  # the pod talks to itself
    rules = _network["egress"]
    return rules is None or any(
        there in ipaddress.ip_network(network) and (not ports or port in ports) for network, ports in rules
    )


if _network is not None:
    _resolve, _connect = socket.getaddrinfo, socket.socket.connect

    def _getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
        if host in _network["unresolvable"]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host in _network["lost"]:
            host = _LOST
        elif isinstance(host, str) and host.endswith(".localhost"):
            host = "127.0.0.1"
        return _resolve(host, port, *arguments, **named)

    def _connect_if_allowed(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host, port = address[:2]
            # A policy drops packets, so that a real connection would be waited for until the time is over.
            if host == _LOST or not _is_allowed(host, port):
                raise TimeoutError("timed out")
        return _connect(self, address)

    socket.getaddrinfo = _getaddrinfo
    socket.socket.connect = _connect_if_allowed  # type: ignore[method-assign,assignment] # this is what it is for
