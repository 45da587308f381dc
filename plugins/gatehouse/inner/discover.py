"""Packages of a checkout, found from git's list of files alone; nothing of it is imported or run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from gatehouse.inner.model import Package

#: Manifests by language, in the order of preference where a folder has several of one language.
MANIFESTS = {
    "go.mod": "go",
    "package.json": "node",
    "pyproject.toml": "python",
    "setup.py": "python",
    "setup.cfg": "python",
}

#: Folders whose contents belong to somebody else, even when they are in git.
VENDORED = frozenset({"node_modules", "vendor", "third_party", ".venv", "site-packages"})


def discover(root: Path, files: Iterable[str]) -> list[Package]:
    """The packages among `files` (paths below `root` with `/`), sorted by manifest.

    A file belongs to the deepest package above it, in every language that has a package there.
    """
    manifests: dict[tuple[str, str], str] = {}
    listed = [file for file in files if not VENDORED & set(PurePosixPath(file).parts[:-1])]
    for file in listed:
        path = PurePosixPath(file)
        language = MANIFESTS.get(path.name)
        if language is None:
            continue
        key = (_folder(path), language)
        known = manifests.get(key)
        if known is None or _preference(path.name) < _preference(PurePosixPath(known).name):
            manifests[key] = file
    owned: dict[tuple[str, str], list[str]] = defaultdict(list)
    languages = {language for _, language in manifests}
    for file in listed:
        for language in languages:
            if (owner := _owner(file, language, manifests)) is not None:
                owned[owner, language].append(file)
    return [
        Package(root, folder, manifest, language, tuple(owned[folder, language]))
        for (folder, language), manifest in sorted(manifests.items(), key=lambda entry: entry[1])
    ]


def _folder(path: PurePosixPath) -> str:
    return "" if str(path.parent) == "." else str(path.parent)


def _preference(name: str) -> int:
    return list(MANIFESTS).index(name)


def _owner(file: str, language: str, manifests: dict[tuple[str, str], str]) -> str | None:
    for parent in PurePosixPath(file).parents:
        folder = "" if str(parent) == "." else str(parent)
        if (folder, language) in manifests:
            return folder
    return None
