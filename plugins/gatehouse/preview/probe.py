"""What a preview's hostnames answer, each time over a fresh connection."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from gatehouse.core.answers import EMBEDDED_SERVER, SHOWN
from gatehouse.core.settings import ServedCommitProbe

#: Seconds one request may take.
TIMEOUT = 15.0


@dataclass(frozen=True)
class Reply:
    """One answer, or why there was none (`status` 0 and the error in `body`)."""

    url: str
    status: int
    body: str
    headers: Mapping[str, str]

    @property
    def reachable(self) -> bool:
        """Whether the application answered, rather than the edge or nobody. Redirects and 401 are answers."""
        return 0 < self.status < 500 and self.status != 404

    @property
    def embedded(self) -> bool:
        """Whether the embedded platform answered."""
        return self.headers.get("server") == EMBEDDED_SERVER

    def __str__(self) -> str:
        text = " ".join(self.body.split())
        return (
            f"{self.url} answered {self.status}: {text[:SHOWN]}"
            if self.status
            else f"{self.url}: {text[:SHOWN]}"
        )


def fetch(url: str, addresses: Mapping[str, str]) -> Reply:
    """GET a URL on a new connection, without following redirects, with TLS verified.

    `addresses` says which IP address a hostname (or pattern) is at instead of asking DNS. Names below
    `.localhost` are always this machine (RFC 6761), which not every resolver knows.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    address = next((ip for pattern, ip in addresses.items() if fnmatch.fnmatchcase(host, pattern)), None)
    if address is None and (host == "localhost" or host.endswith(".localhost")):
        address = "127.0.0.1"
    target = url if address is None else url.replace(host, address, 1)
    try:
        with httpx.Client(timeout=TIMEOUT) as client:
            response = client.get(
                target, headers={"Host": parts.netloc}, extensions={"sni_hostname": host} if address else {}
            )
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Reply(url, 0, f"{type(error).__name__}: {error}", {})
    return Reply(url, response.status_code, response.text, response.headers)


def served_commit(probe: ServedCommitProbe, reply: Reply) -> str | None:
    """The commit that an answer names, or None if it names none."""
    if reply.status != 200:
        return None
    if probe.header:
        return reply.headers.get(probe.header)
    try:
        value = json.loads(reply.body)
    except ValueError:
        return None
    for part in (probe.json_field or "").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
