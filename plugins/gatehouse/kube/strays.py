"""What the cluster has of workspaces that Coder does not know, and what it lacks of those that run."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.kube.inventory import WORKSPACE_LABEL

Object = dict[str, Any]

#: Coder's states of a workspace that has everything it needs in the cluster; in the others it may come or go.
RUNNING = "running"


@dataclass(frozen=True)
class Look:
    """One look at both sides. `known` has the state of each workspace of Coder's by id."""

    known: Mapping[str, str]
    objects: Mapping[str, tuple[str, ...]]

    def without_workspace(self) -> set[str]:
        """Ids that objects of the cluster name, and that no workspace has."""
        return set(self.objects) - set(self.known)

    def without_objects(self) -> set[str]:
        """Ids of running workspaces that no object of the cluster names."""
        return {id_ for id_, state in self.known.items() if state == RUNNING and id_ not in self.objects}


def objects_by_workspace(
    items: Iterable[Object], namespace_pattern: str | None
) -> dict[str, tuple[str, ...]]:
    """What belongs to a workspace by its label, or by its namespace's name; what is being deleted is left out."""
    found: dict[str, list[str]] = {}
    for item in items:
        metadata = item["metadata"]
        if metadata.get("deletionTimestamp"):
            continue
        if id_ := _workspace_of(metadata, namespace_pattern):
            where = f"{metadata['namespace']}/" if metadata.get("namespace") else "namespace "
            found.setdefault(id_, []).append(f"{where}{metadata['name']}")
    return {id_: tuple(names) for id_, names in found.items()}


def _workspace_of(metadata: Object, pattern: str | None) -> str:
    if label := (metadata.get("labels") or {}).get(WORKSPACE_LABEL):
        return str(label)
    match = re.fullmatch(pattern, metadata.get("namespace") or metadata["name"]) if pattern else None
    return match["id"] if match and "id" in match.groupdict() else ""


def stray_problems(first: Look, second: Look) -> list[str]:
    """What both looks found, one sentence each; what only one found was coming or going."""
    problems = [
        f"{', '.join(second.objects[id_])}: Coder has no workspace {id_}"
        for id_ in sorted(first.without_workspace() & second.without_workspace())
    ]
    return problems + [
        f"workspace {id_} runs, says Coder, and the cluster has nothing of it"
        for id_ in sorted(first.without_objects() & second.without_objects())
    ]


def differs(look: Look, leave_out: Collection[str] = ()) -> bool:
    """Whether a second look is needed."""
    return bool((look.without_workspace() | look.without_objects()) - set(leave_out))
