"""How a preview's hostnames are reached, with or without DNS."""

from __future__ import annotations

import fnmatch
import json as json_format
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gatehouse.core.answers import EMBEDDED_SERVER, SHOWN
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.preview_settings import TlsSettings

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

    def json(self) -> Any:
        """The body as data. Raises `ValueError` where it is no JSON."""
        return json_format.loads(self.body)

    @property
    def words(self) -> str:
        """The start of the body, on one line."""
        return " ".join(self.body.split())[:SHOWN]

    def __str__(self) -> str:
        return (
            f"{self.url} answered {self.status}: {self.words}" if self.status else f"{self.url}: {self.words}"
        )


class Route:
    """How preview hostnames are reached: always on a new connection, and without following redirects.

    `addresses` says which IP address a hostname (or pattern) is at instead of asking DNS. Names below
    `.localhost` are always this machine (RFC 6761), which not every resolver knows.
    """

    def __init__(self, addresses: Mapping[str, str] | None = None, tls: TlsSettings | None = None) -> None:
        """Raises `EnvironmentProblem` for authorities that cannot be read."""
        self._addresses = addresses or {}
        certificates = httpx.create_ssl_context(verify=_certificates(tls or TlsSettings()))
        # Clients for all: to read the authorities takes longer than most answers.
        never_kept = httpx.Limits(max_keepalive_connections=0)
        self._by_name = httpx.Client(timeout=TIMEOUT, limits=never_kept, verify=certificates)
        # Not through a proxy of the environment's: that is for hostnames, and sees other addresses.
        direct = httpx.HTTPTransport(limits=never_kept, verify=certificates)
        self._by_address = httpx.Client(timeout=TIMEOUT, transport=direct)

    def address(self, host: str) -> str | None:
        """The IP address to connect to for a hostname; None to ask DNS."""
        patterns = self._addresses.items()
        found = next((ip for pattern, ip in patterns if fnmatch.fnmatchcase(host, pattern)), None)
        if found is None and (host == "localhost" or host.endswith(".localhost")):
            return "127.0.0.1"
        return found

    def fetch(self, url: str) -> Reply:
        """GET a URL; TLS is verified unless the settings forbid it."""
        return self.request("GET", url)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        storage_state: Path | None = None,
        json: object = None,
    ) -> Reply:
        """Likewise by any method; with the cookies of a storage state and with a JSON body, if they are given."""
        try:
            request = httpx.Request(method, url, headers=headers, json=json)
            if storage_state:
                cookies_of(storage_state).set_cookie_header(request)
            response = self.send(request)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            OSError,
            ValueError,
        ) as error:  # ValueError: no name for DNS
            return Reply(url, 0, f"{type(error).__name__}: {error}", {})
        return Reply(url, response.status_code, response.text, response.headers)

    def send(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, whose cookies are its own. Raises `httpx.HTTPError` and `ValueError`."""
        url = request.url
        address = self.address(url.host)
        client = self._by_name if address is None else self._by_address
        sent = client.build_request(
            request.method,
            url if address is None else url.copy_with(host=address),
            headers=request.headers,  # with the Host of the URL as it was asked for
            content=request.content,
            extensions=None if address is None else {"sni_hostname": url.raw_host.decode()},
        )
        response = client.send(sent)
        client.cookies.clear()
        response.request = request
        return response


def cookies_of(storage_state: Path) -> httpx.Cookies:
    """The cookies of Playwright's storage state."""
    cookies = httpx.Cookies()
    for each in json_format.loads(storage_state.read_text())["cookies"]:
        # Python calls hosts without a dot so.
        domain = each["domain"] if "." in each["domain"] else f"{each['domain']}.local"
        cookies.set(each["name"], each["value"], domain, each["path"])
    return cookies


def _certificates(tls: TlsSettings) -> ssl.SSLContext | bool:
    if not tls.verify:
        return False
    if tls.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(tls.ca_file.expanduser()))
    except (OSError, ssl.SSLError) as error:
        raise EnvironmentProblem(
            f"preview.tls.ca_file cannot be used: {tls.ca_file}", seen=str(error)
        ) from error
