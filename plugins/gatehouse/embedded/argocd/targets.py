"""What an Application was last compared with, and how its objects and conditions are listed in its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gatehouse.embedded import clock
from gatehouse.embedded.argocd.manifests import annotation, tracked_by
from gatehouse.embedded.kubernetes.kinds import Kind, Object, kind_of
from gatehouse.embedded.kubernetes.store import ObjectStore

HOOK = "argocd.argoproj.io/hook"

#: The phases of a sync in their order; a hook belongs to one of them or to several.
PHASES = ("PreSync", "Sync", "PostSync")


@dataclass
class Target:
    """The spec and commit asked for, and the objects and hooks they stand for.

    `invalid` says why the spec cannot be compared at all, `error` why its manifests cannot be had.
    """

    spec: Object
    revision: str
    objects: list[Object] = field(default_factory=list)
    hooks: list[Object] = field(default_factory=list)
    error: str = ""
    invalid: str = ""


def hook_types(item: Object) -> list[str]:
    """The phases that an object is a hook of; none for an ordinary object."""
    return [each.strip() for each in annotation(item, HOOK).split(",") if each.strip()]


def live_object(store: ObjectStore, wanted: Object) -> Object | None:
    """The object in the cluster that a manifest is about."""
    metadata = wanted["metadata"]
    return store.find(kind_of(wanted), metadata.get("namespace", ""), metadata["name"])


def surplus(store: ObjectStore, target: Target, name: str) -> list[tuple[Kind, Object]]:
    """Live objects that an Application tracks and no longer wants; hooks that have run are among them."""
    if target.error:
        return []
    wanted = {
        (kind_of(item), item["metadata"].get("namespace", ""), item["metadata"]["name"])
        for item in target.objects
    }
    return [
        (kind, item)
        for kind, item in store.everything()
        if tracked_by(item) == name
        and not item["metadata"].get("ownerReferences")
        and (kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]) not in wanted
    ]


def resource_entry(kind: Kind, item: Object) -> Object:
    """How an object is named in `status.resources` and in the results of a sync."""
    entry = {"version": kind.version, "kind": kind.name, "name": item["metadata"]["name"]}
    if kind.group:
        entry["group"] = kind.group
    if kind.namespaced:
        entry["namespace"] = item["metadata"]["namespace"]
    return entry


def conditions(status: Object, messages: Mapping[str, str]) -> list[Any]:
    """The conditions of a status with those of the given types replaced, or removed if there is no message."""
    before = {each["type"]: each for each in status.get("conditions", [])}
    others = [each for type_, each in before.items() if type_ not in messages]
    for type_, message in messages.items():
        if message and before.get(type_, {}).get("message") == message:
            others.append(before[type_])
        elif message:
            others.append({"type": type_, "message": message, "lastTransitionTime": clock.whole_seconds()})
    return others
