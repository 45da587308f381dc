"""What languages share whose packages are files of a platform: how they are found, and their broken manifests."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from gatehouse.inner.model import Finding, Package


def one_a_folder(
    wanted: Callable[[str, str], bool],
) -> Callable[[Sequence[str]], list[tuple[str, str, tuple[str, ...]]]]:
    """For `Language.find`: each folder that holds wanted files is a package of them, named after its first one.

    `wanted` is asked for every file of the checkout, by folder and name: strings, as there may be very many.
    """

    def find(files: Sequence[str]) -> list[tuple[str, str, tuple[str, ...]]]:
        folders: dict[str, list[str]] = defaultdict(list)
        for file in files:
            folder, _, name = file.rpartition("/")
            if wanted(folder, name):
                folders[folder].append(file)
        return [(folder, min(own), tuple(sorted(own))) for folder, own in folders.items()]

    return find


def names(package: Package) -> tuple[str, ...]:
    """The package's files as a command in its folder names them, never to be taken for an option."""
    return tuple(f"./{file.removeprefix(f'{package.folder}/')}" for file in package.files)


def folders_named(package: Package, paths: Iterable[object]) -> frozenset[str]:
    """The folders below the root that `paths`, relative to the package, name or lie in; for `Links.folders`."""
    root = package.root.resolve()
    local = [(package.path / str(path)).resolve() for path in paths if "://" not in str(path)]
    folders = [path if path.is_dir() else path.parent for path in local]
    inside = [folder.relative_to(root).as_posix() for folder in folders if folder.is_relative_to(root)]
    return frozenset("" if folder == "." else folder for folder in inside)


def checkout_key(package: Package) -> str:
    """A name for the folder of this checkout, for what a tool keeps outside of it and must not share."""
    return hashlib.sha256(os.fsencode(package.root)).hexdigest()[:16]


def read_text(path: Path) -> str:
    """What a file says, whatever its encoding; nothing if it cannot be read, such as a broken link."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def existing(*paths: str | Path | None) -> tuple[str, ...]:
    """Those of `paths` that are files, for `Check.inputs`."""
    return tuple(str(path) for path in paths if path and Path(path).is_file())


def read_yaml(root: Path, path: str) -> dict[str, Any] | Finding:
    """The mapping in a YAML file `path` below `root`, or what is wrong with it and where."""
    text = ""
    try:
        text = (root / path).read_text(encoding="utf-8")
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark, last = error.problem_mark or error.context_mark, len(text.splitlines())
        # What is missed at the end is missed in the last line, not in one that is not there.
        line, column = (min(mark.line + 1, last), mark.column + 1) if mark else (1, 1)
        return Finding(path, f"is no valid YAML: {error.problem or error.context}", line, column, "yaml")
    except (OSError, ValueError, yaml.YAMLError) as error:
        return Finding(path, f"cannot be read: {' '.join(str(error).split())}", rule="yaml")
    if not isinstance(data, dict):
        return Finding(path, f"expected a mapping at the top, found {type(data).__name__}", 1, rule="yaml")
    return data
