"""What an Application wants in the cluster: plain manifests and the part of Kustomize the sample uses."""

from __future__ import annotations

import re
from typing import Any

import yaml

from gatehouse.embedded import yaml_texts
from gatehouse.embedded.code_host.repositories import GitError, Repository
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.kinds import NAMESPACE, Object, kind_of

TRACKING = "argocd.argoproj.io/tracking-id"


class ManifestError(Exception):
    """Manifests that cannot be generated, in the repository server's words."""


def render(
    repository: Repository, revision: str, source: Object, application: str, namespace: str
) -> list[Object]:
    """The objects of one source at a full commit SHA, marked as tracked by `application`.

    Raises `ManifestError`.
    """
    path = source.get("path", ".")
    try:
        files = repository.read_folder(revision, path)
    except GitError as error:
        raise ManifestError(
            f"Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = "
            f"Unknown desc = {path}: app path does not exist ({error})"
        ) from error
    try:
        kustomization = yaml_texts.load(files.pop("kustomization.yaml", "")) or {}
        names = kustomization.get("resources") or [
            name for name in sorted(files) if name.endswith((".yaml", ".yml"))
        ]
        objects = [item for name in names for item in yaml_texts.load_all(files[name]) if item]
    except (yaml.YAMLError, KeyError) as error:
        raise ManifestError(
            "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown "
            f"desc = failed to unmarshal manifest: {error}"
        ) from error
    overrides = source.get("kustomize", {})
    for item in objects:
        for patch in overrides.get("patches", []):
            if patch["target"].get("kind") == item["kind"] and patch["target"].get("name", "") in (
                "",
                item["metadata"]["name"],
            ):
                _patch(item, yaml_texts.load(patch["patch"]))
        _replace_images(
            item, [*kustomization.get("images", []), *map(_image_override, overrides.get("images", []))]
        )
        _track(item, application, namespace)
    return objects


def _image_override(text: str) -> Object:
    """`[name=]repository[:tag|@digest]` as Argo CD writes image overrides."""
    name, _, image = text.rpartition("=")
    match = re.fullmatch(r"(.+?)(?:@(sha256:[0-9a-f]+)|:([^:/]+))?", image)
    if match is None:
        raise ManifestError(f"invalid image override {text!r}")
    return {"name": name or match[1], "newName": match[1], "digest": match[2], "newTag": match[3]}


def _replace_images(item: Object, overrides: list[Object]) -> None:
    spec = item.get("spec", {})
    for container in spec.get("template", spec).get("spec", {}).get("containers", []):
        for override in overrides:
            if container["image"].split(":")[0] == override["name"]:
                suffix = f"@{override['digest']}" if override.get("digest") else f":{override['newTag']}"
                container["image"] = f"{override.get('newName', override['name'])}{suffix}"


def _patch(item: Object, operations: list[Object]) -> None:
    """JSON patch (RFC 6902), the operations `add` and `replace`."""
    for operation in operations:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"][1:].split("/")
        ]
        target: Any = item
        for part in parents:
            target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
        value = copied(operation["value"])
        if isinstance(target, list):
            target[int(last)] = value
        else:
            target[last] = value


def _track(item: Object, application: str, namespace: str) -> None:
    kind = kind_of(item)
    metadata = item["metadata"]
    if kind.namespaced:
        metadata.setdefault("namespace", namespace)
    where = f"{metadata.get('namespace', '')}/{metadata['name']}"
    mark = f"{application}:{kind.group}/{kind.name}:{where}"
    metadata["annotations"] = {**(metadata.get("annotations") or {}), TRACKING: mark}


def annotation(item: Object, name: str) -> str:
    """An annotation of an object, or an empty string."""
    return str((item["metadata"].get("annotations") or {}).get(name, ""))


def tracked_by(item: Object) -> str:
    """The Application that tracks a live object, or an empty string."""
    return annotation(item, TRACKING).split(":")[0]


def differs(target: Any, live: Any) -> bool:
    """Whether anything the manifest says is otherwise in the live object; what it does not say may be anything."""
    if isinstance(target, dict):
        if not isinstance(live, dict):
            return True
        return any(
            differs(value, live.get(key))
            for key, value in target.items()
            if key not in ("status", "stringData")
        )
    if isinstance(target, list):
        return (
            not isinstance(live, list)
            or len(live) != len(target)
            or any(differs(wanted, found) for wanted, found in zip(target, live, strict=True))
        )
    return bool(target != live)


def wave_of(item: Object) -> int:
    """The sync wave that an object asks for."""
    return int(annotation(item, "argocd.argoproj.io/sync-wave") or 0)


def apply_order(item: Object) -> tuple[int, int, str]:
    """Sync wave, then namespaces before all else, then by kind."""
    return wave_of(item), 0 if kind_of(item) is NAMESPACE else 1, item["kind"]
