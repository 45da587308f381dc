"""Which files decide about which packages: for what a change touches, and for the keys of the cache alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from gatehouse.inner.model import Language, Package

if TYPE_CHECKING:
    from gatehouse.core.inner_settings import DeclaredInput


@dataclass
class Ownership:
    """Answers for each path which packages (by manifest) it is an input of.

    - A file of a declared input: the packages declared.
    - A lockfile: the packages of its language, beside it and below.
    - A source file: the nearest package of its language above it; one that lies directly in a folder (`conftest.py`,
      `eslint.config.js`) also those of its language below.
    - Any other file: the nearest packages above it, and all below the folder it lies in, for tools look upwards for
      their configuration. One that only a package at the root of the checkout could own, or none: every package.
    """

    packages: Sequence[Package]
    languages: Iterable[Language]
    declared: Sequence[DeclaredInput] = ()
    _at: dict[str, list[Package]] = field(init=False)
    _sources: dict[str, list[str]] = field(init=False)
    _lockfiles: dict[str, list[str]] = field(init=False)
    _listed: dict[str, set[str]] = field(init=False)
    _known: dict[tuple[str, str], frozenset[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._at = defaultdict(list)
        self._sources, self._lockfiles = defaultdict(list), defaultdict(list)
        self._listed = defaultdict(set)
        by_listing = {language.name for language in self.languages if language.find is not None}
        for package in self.packages:
            if package.language in by_listing:
                for file in package.files:
                    self._listed[file].add(package.manifest)
            else:
                self._at[package.folder].append(package)
        present = {package.language for package in self.packages}
        for language in self.languages:
            if language.name in present and language.find is None:
                for suffix in language.suffixes:
                    self._sources[suffix].append(language.name)
                for name in language.lockfiles:
                    self._lockfiles[name].append(language.name)
        self._declared = [(GitIgnoreSpec.from_lines(each.files), each.packages) for each in self.declared]
        self._all = frozenset(package.manifest for package in self.packages)

    def packages_of(self, path: str) -> frozenset[str]:
        """The manifests of the packages that `path` is an input of."""
        for spec, packages in self._declared:
            if spec.match_file(path):
                return self._matching(packages)
        listed = self._listed.get(path, ())
        folder, _, name = path.rpartition("/")
        kind = self._kind(name)
        found = self._known.get((folder, kind))
        if found is None:
            found = self._known[folder, kind] = self._decided(folder, kind)
        if not listed:
            return found
        return frozenset(listed) | (found if found != self._all else frozenset())

    def group_inputs(self, paths: Iterable[str]) -> Mapping[frozenset[str], list[str]]:
        """The paths by the packages they are inputs of."""
        groups: dict[frozenset[str], list[str]] = defaultdict(list)
        for path in paths:
            groups[self.packages_of(path)].append(path)
        return groups

    def _kind(self, name: str) -> str:
        if name in self._lockfiles:
            return f"lock {name}"
        suffix = name[name.rfind(".") :] if "." in name else ""
        return suffix if suffix in self._sources else ""

    def _decided(self, folder: str, kind: str) -> frozenset[str]:
        if kind.startswith("lock "):
            return self._manifests(self._below(folder), self._lockfiles[kind.removeprefix("lock ")])
        if kind:
            languages = self._sources[kind]
            found = self._manifests([*self._nearest(folder), *self._below(folder)], languages)
            if found:
                return found
        nearest = self._nearest(folder)
        if not any(package.folder for package in nearest):
            return self._all
        return self._manifests([*nearest, *self._below(folder)])

    def _nearest(self, folder: str) -> list[Package]:
        """The nearest package above, of each language."""
        found: dict[str, Package] = {}
        while True:
            for package in self._at.get(folder, ()):
                found.setdefault(package.language, package)
            if not folder:
                return list(found.values())
            folder = folder.rpartition("/")[0]

    def _below(self, folder: str) -> list[Package]:
        inside = f"{folder}/" if folder else ""
        return [
            package
            for at, packages in self._at.items()
            if at == folder or at.startswith(inside)
            for package in packages
        ]

    def _matching(self, patterns: Sequence[str]) -> frozenset[str]:
        return frozenset(
            package.manifest
            for package in self.packages
            if any(fnmatchcase(package.folder, each) or package.manifest == each for each in patterns)
        )

    @staticmethod
    def _manifests(packages: Iterable[Package], languages: Iterable[str] | None = None) -> frozenset[str]:
        wanted = None if languages is None else set(languages)
        return frozenset(
            package.manifest for package in packages if wanted is None or package.language in wanted
        )
