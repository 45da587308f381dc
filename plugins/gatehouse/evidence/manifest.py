"""The manifest: every file of a bundle with its size and digest. Written last; a bundle without one is unfinished."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = 1
FILE_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.dsse.json"

#: Bytes read at a time while hashing.
BLOCK = 1024 * 1024

Manifest = dict[str, Any]


class ManifestError(ValueError):
    """A manifest that cannot be used, or a bundle that does not match it; `problems` lists all of it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def write_manifest(folder: Path, facts: Manifest) -> Manifest:
    """Hash every file of the bundle and write `manifest.json` with `facts`, by a rename, so never in part."""
    manifest = {
        "schema": SCHEMA,
        **facts,
        "files": {name: _described(folder / name) for name in _files(folder)},
    }
    temporary = folder / f".{FILE_NAME}.part"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / FILE_NAME)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle. Raises `ManifestError` when there is none or it is not one of ours."""
    try:
        data = json.loads((folder / FILE_NAME).read_bytes())
    except FileNotFoundError:
        raise ManifestError(["there is no manifest.json: the run did not finish"]) from None
    except (OSError, ValueError) as error:
        raise ManifestError([f"manifest.json cannot be read: {error}"]) from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ManifestError([f"manifest.json is not of schema {SCHEMA}"])
    if not isinstance(data.get("files"), dict):
        raise ManifestError(["manifest.json lists no files"])
    return data


def verify_files(folder: Path, manifest: Manifest) -> list[str]:
    """Every way in which the files differ from the manifest: changed, missing, added, or not a plain file."""
    problems: list[str] = []
    present = set()
    for name in _files(folder, problems):
        present.add(name)
        listed = manifest["files"].get(name)
        if listed is None:
            problems.append(f"{name} was added after the run")
        elif not isinstance(listed, dict) or _described(folder / name) != listed:
            problems.append(f"{name} was changed after the run")
    problems += [f"{name} is missing" for name in manifest["files"] if name not in present]
    return problems


def _files(folder: Path, problems: list[str] | None = None) -> Iterator[str]:
    """Relative names of all files but the manifest itself. Links and special files are problems, not files."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            if problems is None:
                path.unlink()  # nothing of ours makes these; what a test left must not travel
            else:
                problems.append(f"{name} is not a plain file")
        elif path.is_file() and name not in (FILE_NAME, SIGNATURE_NAME, f".{FILE_NAME}.part"):
            yield name


def _described(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return {"size": size, "sha256": digest.hexdigest()}
