"""How the deployed system is at one moment, for the report of a journey that failed then."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gatehouse.argocd.source import ApplicationSource, Scope, existing_tree
from gatehouse.preview.proof import READERS, check_pods, fingerprint, what_changed

Object = dict[str, Any]


def deployed_now(
    source: ApplicationSource, applications: Mapping[str, Object], deployment: Mapping[str, Any]
) -> list[str]:
    """One read of the Applications that were proved: what is not well, and what is otherwise than at the proof.

    A single line says that all is as it was. Raises the errors of the server that is asked.
    """
    scope = Scope(projects=tuple(sorted({each["spec"]["project"] for each in applications.values()})))
    found = {each["metadata"]["name"]: each for each in source.applications(scope)}
    now = {name: found[name] for name in applications if name in found}
    with ThreadPoolExecutor(READERS) as readers:
        read = readers.map(lambda entry: existing_tree(source, *entry), now.items())
        trees = dict(zip(now, read, strict=True))
    lines = [line for each in now.values() if (line := _unwell(each))]
    lines += [f"Application {name} is {problem}" for name, problem in check_pods(trees).problems.items()]
    lines += what_changed(
        deployment, {name: fingerprint(now[name], tree or []) for name, tree in trees.items()}
    )
    return lines or [
        f"{len(now)} Applications Synced and Healthy, their pods well, nothing deployed since the proof"
    ]


def _unwell(application: Object) -> str:
    status = application.get("status") or {}
    sync, health = (str((status.get(each) or {}).get("status", "Unknown")) for each in ("sync", "health"))
    if (sync, health) == ("Synced", "Healthy"):
        return ""
    message = str((status.get("health") or {}).get("message") or "")
    return f"Application {application['metadata']['name']} is {sync} and {health}" + (
        f": {message}" if message else ""
    )
