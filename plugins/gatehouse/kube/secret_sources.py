"""Secrets that pods need, and whether those that come from a vault are up to date (external-secrets.io)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gatehouse.kube.posture import containers
from gatehouse.kube.rollout import condition

Object = dict[str, Any]


def referenced_secrets(pod: Object) -> set[str]:
    """Names of the Secrets without which a pod does not start; those marked as optional are left out."""
    return {source["name"] for source in _sources(pod) if source.get("name") and not source.get("optional")}


def _sources(pod: Object) -> Iterator[Object]:
    for container in containers(pod):
        for variable in container.get("env") or []:
            yield (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
        for source in container.get("envFrom") or []:
            yield source.get("secretRef") or {}
    for volume in pod["spec"].get("volumes") or []:
        if secret := volume.get("secret"):
            yield {"name": secret.get("secretName"), "optional": secret.get("optional")}
        for source in (volume.get("projected") or {}).get("sources") or []:
            yield source.get("secret") or {}
    yield from pod["spec"].get("imagePullSecrets") or []


def external_secret_problems(
    names: Iterable[str], external_secrets: Iterable[Object], stores: Iterable[Object]
) -> list[str]:
    """What is wrong with the ExternalSecrets that make the Secrets of these names, all in one namespace.

    A Secret that no ExternalSecret makes is somebody else's, and no problem here.
    """
    wanted, known_stores = set(names), list(stores)
    problems = []
    for external in external_secrets:
        target = (external["spec"].get("target") or {}).get("name") or external["metadata"]["name"]
        if target not in wanted:
            continue
        ready = condition(external, "Ready")
        if ready.get("status") != "True":
            problems.append(
                f"Secret {target}: ExternalSecret {external['metadata']['name']} is not Ready: {_words(ready)}"
                + _store_words(external, known_stores)
            )
    return problems


def _store_words(external: Object, stores: list[Object]) -> str:
    """What the store itself says, which is the cause when it is not ready."""
    reference = external["spec"].get("secretStoreRef") or {}
    for store in stores:
        same_kind = store.get("kind", "SecretStore") == reference.get("kind", "SecretStore")
        ready = condition(store, "Ready")
        if (
            same_kind
            and store["metadata"]["name"] == reference.get("name")
            and ready.get("status") == "False"
        ):
            return f"; {reference.get('kind', 'SecretStore')} {reference['name']}: {_words(ready)}"
    return ""


def _words(ready: Object) -> str:
    return f"{ready.get('reason')}: {ready.get('message')}" if ready else "it has no condition Ready"
