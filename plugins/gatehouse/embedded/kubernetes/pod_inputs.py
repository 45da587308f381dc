"""What a container is given from the cluster: its variables, and the folders that are mounted into it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gatehouse.embedded.kubernetes.kinds import CLAIM, CONFIG_MAP, SECRET, Kind, Object
from gatehouse.embedded.kubernetes.store import ObjectStore


def variables(store: ObjectStore, namespace: str, spec: Object) -> dict[str, str]:
    """A container's variables. Raises `LookupError`, in the kubelet's words, when a reference leads nowhere."""
    values: dict[str, str] = {}
    for source in spec.get("envFrom", []):
        for field, kind in (("secretRef", SECRET), ("configMapRef", CONFIG_MAP)):
            if reference := source.get(field):
                values |= _content(store, kind, namespace, reference)
    for entry in spec.get("env", []):
        source = entry.get("valueFrom", {})
        values[entry["name"]] = str(entry.get("value", ""))
        for field, kind in (("secretKeyRef", SECRET), ("configMapKeyRef", CONFIG_MAP)):
            if reference := source.get(field):
                content = _content(store, kind, namespace, reference)
                if reference["key"] not in content:
                    raise LookupError(
                        f"couldn't find key {reference['key']} in {kind.name} {namespace}/{reference['name']}"
                    )
                values[entry["name"]] = content[reference["key"]]
    return values


def claims_are_bound(store: ObjectStore, pod: Object) -> bool:
    """Whether every claim that a pod mounts has a volume."""
    return all(
        (store.find(CLAIM, pod["metadata"]["namespace"], name) or {}).get("status", {}).get("phase")
        == "Bound"
        for name in _claims(pod)
    )


def volume_folders(store: ObjectStore, pod: Object, own: Path, volumes: Path) -> dict[str, Path]:
    """The folder of each volume of a pod by its name: below `own` are the pod's own, below `volumes` those of claims.

    Raises `LookupError`, in the kubelet's words, while a ConfigMap or Secret is missing.
    """
    namespace = pod["metadata"]["namespace"]
    found: dict[str, Path] = {}
    for number, volume in enumerate(pod["spec"].get("volumes", [])):
        name = volume["name"]
        if source := volume.get("persistentVolumeClaim"):
            claim = store.get(CLAIM, namespace, source["claimName"])
            found[name] = volumes / claim["spec"]["volumeName"]
            continue
        found[name] = folder = own / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        for field, key, kind in (("configMap", "name", CONFIG_MAP), ("secret", "secretName", SECRET)):
            if source := volume.get(field):
                try:
                    content = _content(store, kind, namespace, {**source, "name": source[key]})
                except LookupError as error:
                    raise LookupError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error
                for file, text in content.items():
                    (folder / file).write_text(text)
    return found


def translate_files(pod: Object, volumes: Mapping[str, Path], real: Callable[[str], str]) -> None:
    """Have files of ConfigMaps name real folders for mounted ones: pods have no root file system of their own here."""
    for volume in pod["spec"].get("volumes", []):
        if "configMap" in volume and volume["name"] in volumes:
            for file in volumes[volume["name"]].iterdir():
                file.write_text(real(file.read_text()))


def _claims(pod: Object) -> Iterator[str]:
    for volume in pod["spec"].get("volumes", []):
        if source := volume.get("persistentVolumeClaim"):
            yield source["claimName"]


def _content(store: ObjectStore, kind: Kind, namespace: str, reference: Object) -> dict[str, str]:
    item = store.find(kind, namespace, reference["name"])
    if item is None:
        if reference.get("optional"):
            return {}
        raise LookupError(f'{kind.name.lower()} "{reference["name"]}" not found')
    data: dict[str, str] = item.get("data", {})
    return {key: base64.b64decode(value).decode() if kind is SECRET else value for key, value in data.items()}
