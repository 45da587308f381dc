"""The settings with which the harness tests the embedded platform, as users would write them in gatehouse.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatehouse.embedded.coder.workspace_image import MARKER
from gatehouse.embedded.control_plane import TOOL
from gatehouse.embedded.orchestrator import CUSTOM_RESOURCES
from gatehouse.embedded.seed import (
    BASE_NAMESPACE,
    CLIENT,
    E2E_PERSONAS,
    IDENTITY_HOST,
    ORCHESTRATOR_HOST,
    PERSONAS,
    PULL_REQUEST,
    Urls,
)
from gatehouse.embedded.systems import IMAGES, Systems

#: How the product turns those away whom the identity provider knows.
_REFUSED = {
    "INVITED": {"path": "/onboarding", "contains": "You have been invited"},
    "SUSPENDED": {"status": [403], "contains": "Your account is suspended."},
    "NONMEMBER": {"status": [403], "contains": "You are not a member of this shop."},
}


def coder_settings(url: str, token: dict[str, str]) -> dict[str, Any]:
    """The target's coder section."""
    return {
        "url": url,
        "token": token,
        "template": "code",
        "hold_seconds": 0.5,
        "workspace_timeout_seconds": 60,
        "app_timeout_seconds": 20,
        "teardown_timeout_seconds": 30,
        "image_marker": f'test -f "$HOME/{MARKER}"',
        "authenticated_tools": {"gh": '"$HOME/bin/gh" auth status'},
        "persistent_folder": "/workspaces",
    }


def preview_settings(urls: dict[str, str], registry: str, identity: str) -> dict[str, Any]:
    """The target's preview section; `urls` by name, and the addresses of the registry and the identity provider."""
    return {
        "application_selector": "preview/pr={number}",
        "urls": urls,
        "product_images": [f"{IMAGES}/*"],
        "registries": [{"host": IMAGES.split("/")[0], "address": registry}],
        "probe": {"url": "www", "path": "/version.json", "json_field": "commit"},
        "sign_in": {
            "url": "platform",
            "kind": "auth.js",
            "provider": "keycloak",
            "identity_origins": [identity],
            "member_check": {"path": "/api/me", "contains": '"user": "{username}"'},
        },
        "personas": {part.lower(): _persona(part) for part in PERSONAS},
        "correlation": {"send": "preview"},
        "timeout_seconds": 60,
        "settle_seconds": 0.5,
        "failure_grace_seconds": 2,
    }


def _persona(part: str) -> dict[str, Any]:
    def secret(key: str) -> dict[str, Any]:
        return {"secret": {"namespace": BASE_NAMESPACE, "name": E2E_PERSONAS, "key": f"E2E_{part}_{key}"}}

    persona: dict[str, Any] = {"username": secret("USERNAME"), "password": secret("PASSWORD")}
    if refused := _REFUSED.get(part):
        return persona | {"refused": refused}
    return persona | {"roles": [part.lower()]}


def smoke_settings(systems: Systems, urls: Urls, authority: Path) -> dict[str, Any]:
    """The target's smoke section, with the changes that scenarios make."""
    identity = urls.preview.replace("127.0.0.1", IDENTITY_HOST)
    orchestrator = urls.preview.replace("127.0.0.1", ORCHESTRATOR_HOST)
    issuer = systems.identity.issuer
    redirect_uri = f"{urls.preview_url('platform')}/api/auth/callback/keycloak".format(number=PULL_REQUEST)
    settings: dict[str, Any] = {
        "edge": {
            "names": {
                "coder": {
                    "url": f"{urls.coder}/healthz",
                    "status": [200],
                    "contains": "OK",
                    "websocket": "/derp",
                    "subprotocol": "derp",
                },
                "identity provider": {
                    "url": f"{identity}{issuer.removeprefix(identity)}/.well-known/openid-configuration",
                    "status": [200],
                    "contains": '"issuer"',
                    "sign_in": {"issuer": issuer, "client_id": CLIENT, "redirect_uri": redirect_uri},
                },
            },
            "ca_file": str(authority),
            "certificate_days": 3,
            "timeout_seconds": 5,
        },
        "consistency": {"settle_seconds": 0.3, "pending_seconds": 3},
        "egress": {
            "allowed": [_host_and_port(urls.code_host), _host_and_port(urls.coder)],
            "forbidden": [_host_and_port(urls.argocd)],
        },
        "base_image": {
            "tools": {
                "git": {"command": "git --version", "version": ">=2"},
                "python": {"command": "python3 --version", "version": ">=3.11"},
                TOOL: {"command": f"{TOOL} --version", "version": "2026.2"},
            }
        },
        "workspace": {"authenticated": ["git -C /workspaces/code/repo ls-remote --exit-code origin HEAD"]},
        "orchestrator": {
            "url": orchestrator,
            "attach": "/api/v1/sessions/example/attach",
            "custom_resources": list(CUSTOM_RESOURCES),
        },
    }
    for change in systems.smoke_changes:
        change(settings)
    return settings


def _host_and_port(url: str) -> str:
    return url.partition("://")[2]
