"""The settings with which the harness tests the embedded platform, as users would write them in gatehouse.yaml."""

from __future__ import annotations

from typing import Any

from gatehouse.embedded.coder.workspace_image import MARKER
from gatehouse.embedded.seed import BASE_NAMESPACE, E2E_PERSONAS, PERSONAS
from gatehouse.embedded.systems import IMAGES

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
