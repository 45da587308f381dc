"""Packages of a checkout, found from git's list of files alone; nothing of it is imported or run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from gatehouse.inner.model import Language, Package

#: Folders whose contents belong to somebody else, even when they are in git.
VENDORED = frozenset({"node_modules", "vendor", "third_party", ".venv", "site-packages"})


def discover(root: Path, files: Iterable[str], languages: Iterable[Language]) -> list[Package]:
    """The packages among `files` (paths below `root` with `/`), sorted by manifest.

    A file belongs to the deepest package above it, in every language that has a package there.
    """
    languages = list(languages)
    folders = _own_folders(files)
    listed = [file for names in folders.values() for file in names]
    by_name = _places(listed, {name for language in languages for name in language.manifests})
    found = []
    for language in languages:
        if language.find is not None:
            found += [
                Package(root, folder, manifest, language.name, own)
                for folder, manifest, own in language.find(listed)
            ]
        if manifests := _manifests(by_name, language.manifests):
            owned = _owned(folders, manifests)
            found += [
                Package(root, folder, manifest, language.name, tuple(owned[folder]))
                for folder, manifest in manifests.items()
            ]
    return sorted(found, key=lambda package: package.manifest)


def _own_folders(files: Iterable[str]) -> dict[str, list[str]]:
    """The files by their folder, without those in vendored folders."""
    folders: dict[str, list[str]] = defaultdict(list)
    for file in files:
        folders[file.rpartition("/")[0]].append(file)
    return {folder: names for folder, names in folders.items() if not VENDORED & set(folder.split("/"))}


def _places(files: Iterable[str], names: Collection[str]) -> dict[str, list[str]]:
    """The files of each of `names`."""
    places: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if (name := file[file.rfind("/") + 1 :]) in names:
            places[name].append(file)
    return places


def _manifests(places: Mapping[str, list[str]], preferred: tuple[str, ...]) -> dict[str, str]:
    """The manifest of each folder that has one; where it has several, the first of `preferred`."""
    found: dict[str, str] = {}
    for name in preferred:
        for file in places.get(name, ()):
            found.setdefault(file.rpartition("/")[0], file)
    return found


def _owned(folders: Mapping[str, list[str]], packages: Mapping[str, str]) -> dict[str, list[str]]:
    """The files of each of `packages`: those of its folder and of all below that hold no other."""
    owners: dict[str, str | None] = {}

    def owner(folder: str) -> str | None:
        if folder not in owners:
            above = owner(folder.rpartition("/")[0]) if folder else None
            owners[folder] = folder if folder in packages else above
        return owners[folder]

    owned: dict[str, list[str]] = defaultdict(list)
    for folder, files in folders.items():
        if (found := owner(folder)) is not None:
            owned[found] += files
    return {folder: sorted(owned[folder]) for folder in packages}
