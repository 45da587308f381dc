"""Coder's own objects in the cluster, and those of the orchestrator: Deployment, Service, secrets, custom resources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatehouse.embedded.coder.deployment_api import VERSION
from gatehouse.embedded.coder.workspace_image import unpack_image
from gatehouse.embedded.kubernetes.kinds import (
    CUSTOM_RESOURCE_DEFINITION,
    DEPLOYMENT,
    EXTERNAL_SECRET,
    SECRET_STORE,
    SERVICE,
    SERVICE_ACCOUNT,
)
from gatehouse.embedded.orchestrator import CUSTOM_RESOURCES
from gatehouse.embedded.registry import Image
from gatehouse.embedded.systems import Systems

NAMESPACE = "coder"
IMAGE = "registry.preview.localhost/coder/coder"
TAG = VERSION.replace("+", "_")

#: Labels that the chart of Coder puts on its Deployment and selects its pods by.
LABELS = {"app.kubernetes.io/name": "coder", "app.kubernetes.io/instance": "coder"}

#: The image of workspaces, with a tool of its own; it says who it is as the real one does.
WORKSPACE_IMAGE = "registry.preview.localhost/devcontainers/base"
TOOL, TOOL_VERSION = "mise", "2026.2.11"


def add_control_plane(systems: Systems) -> None:
    """Add Coder's Deployment with its ExternalSecret, and the orchestrator's custom resources."""
    systems.external_secrets.vault["platform/coder"] = {"url": "postgres://coder@database/coder"}
    store = systems.store
    spec: dict[str, Any] = {
        "provider": {"vault": {"server": "https://vault.shop.example", "path": "kv", "auth": {}}}
    }
    store.create(SECRET_STORE, {"metadata": {"name": "vault"}, "spec": spec}, NAMESPACE)
    spec = {
        "secretStoreRef": {"name": "vault", "kind": "SecretStore"},
        "target": {"name": "coder-db-url"},
        "data": [{"secretKey": "url", "remoteRef": {"key": "platform/coder", "property": "url"}}],
    }
    store.create(EXTERNAL_SECRET, {"metadata": {"name": "coder-db-url"}, "spec": spec}, NAMESPACE)
    store.create(SERVICE_ACCOUNT, {"metadata": {"name": "coder"}}, NAMESPACE)
    store.create(
        SERVICE,
        {
            "metadata": {"name": "coder"},
            "spec": {"selector": LABELS, "ports": [{"name": "http", "port": 80}]},
        },
        NAMESPACE,
    )
    push_coder(systems, "")
    store.create(DEPLOYMENT, deployment(), NAMESPACE)
    for name, kind in CUSTOM_RESOURCES.items():
        store.create(CUSTOM_RESOURCE_DEFINITION, _definition(name, kind))


def push_coder(systems: Systems, log: str, tag: str = TAG) -> None:
    """Publish an image of Coder that prints `log` when it starts: the process that answers is the platform's own."""
    script = f"echo 'Started HTTP listener at http://0.0.0.0:8080'\n{log}\nexec sleep infinity"
    labels = {"org.opencontainers.image.title": IMAGE, "log": log}
    systems.registry.push(IMAGE, tag, Image(("sh", "-c", script), labels=labels))


def push_workspace_image(systems: Systems, *, tools: bool = True) -> None:
    """Publish the image of workspaces, with or without its own tool."""

    async def unpack(folder: Path) -> None:
        await unpack_image(folder)
        if tools:
            (folder / "bin" / TOOL).write_text(f"#!/bin/sh\necho '{TOOL_VERSION} linux-x64 (2026-02-19)'\n")
            (folder / "bin" / TOOL).chmod(0o755)

    labels = {"org.opencontainers.image.title": WORKSPACE_IMAGE, "tools": TOOL if tools else ""}
    systems.registry.push(WORKSPACE_IMAGE, "1", Image(labels=labels, unpack=unpack))


def deployment(tag: str = TAG) -> dict[str, Any]:
    """Coder's Deployment as its chart makes it."""
    container = {
        "name": "coder",
        "image": f"{IMAGE}:{tag}",
        "args": [],
        "env": [
            {
                "name": "CODER_PG_CONNECTION_URL",
                "valueFrom": {"secretKeyRef": {"name": "coder-db-url", "key": "url"}},
            }
        ],
        "resources": {"limits": {"cpu": "2000m", "memory": "4096Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 1000},
    }
    return {
        "metadata": {"name": "coder", "labels": {**LABELS, "app.kubernetes.io/part-of": "coder"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {"serviceAccountName": "coder", "containers": [container]},
            },
        },
    }


def _definition(name: str, kind: str) -> dict[str, Any]:
    plural, _, group = name.partition(".")
    conditions = [
        {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"},
        {
            "type": "Established",
            "status": "True",
            "reason": "InitialNamesAccepted",
            "message": "the initial names have been accepted",
        },
    ]
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    return {
        "metadata": {"name": name},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        "status": {"conditions": conditions},
    }
