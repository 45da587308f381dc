"""Which names are canonical: those that are configured, else those that Coder reports of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from gatehouse.core.smoke_settings import EdgeSettings, NameSettings, SignInCheck

#: Coder's relay for workspace connections: open to everybody, and a WebSocket for who names this subprotocol.
RELAY, RELAY_PROTOCOL = "/derp", "derp"

#: A name below a wildcard that no application has.
UNUSED = "gatehouse-probe"


def canonical_names(
    settings: EdgeSettings, access_url: str, app_host: str, configuration: Mapping[str, Any]
) -> dict[str, NameSettings]:
    """Names by what they are called. `app_host` is Coder's wildcard, such as `*.coder.example.com`, or empty.

    `configuration` is Coder's own (`/api/v2/deployment/config`), as far as the token may read it.
    """
    if settings.names:
        return dict(settings.names)
    found = {
        "coder": NameSettings(
            url=f"{access_url}/healthz",
            status=[200],
            contains="OK",
            websocket=RELAY,
            subprotocol=RELAY_PROTOCOL,
        )
    }
    if app_host.startswith("*"):
        parts = urlsplit(access_url)
        port = f":{parts.port}" if parts.port and ":" not in app_host else ""
        # Coder's own answer for an application that is not there is as good as any other.
        found["applications"] = NameSettings(
            url=f"{parts.scheme}://{UNUSED}{app_host[1:]}{port}", status=[200, 303, 307, 400, 401, 404]
        )
    config = configuration.get("config")
    issuer = ((config if isinstance(config, dict) else {}).get("oidc") or {}).get("issuer_url")
    if isinstance(issuer, str) and issuer.startswith(("http://", "https://")):
        found["identity provider"] = NameSettings(
            url=f"{issuer.rstrip('/')}/.well-known/openid-configuration", status=[200], contains='"issuer"'
        )
    return found


def address_of(settings: EdgeSettings, host: str) -> str:
    """Where to connect to for a hostname from outside; empty to ask DNS.

    Names below `.localhost` are always this machine (RFC 6761), which not every resolver knows.
    """
    if host in settings.addresses:
        return settings.addresses[host]
    return "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else ""


def authorise_url(check: SignInCheck, endpoint: str) -> str:
    """The address at which a person's sign-in for a client begins (OpenID Connect Core 3.1.2.1)."""
    query = {
        "client_id": check.client_id,
        "redirect_uri": check.redirect_uri,
        "response_type": "code",
        "scope": check.scope,
        "state": "gatehouse",
        "nonce": "gatehouse",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
