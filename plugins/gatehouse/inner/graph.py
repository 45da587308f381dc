"""Which package needs which other one of the same checkout, as far as manifests say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gatehouse.inner.model import Language, Links, Package


@dataclass(frozen=True)
class Graph:
    """Packages by manifest, the manifests of those that each needs directly, and what each is called."""

    packages: Mapping[str, Package]
    needs: Mapping[str, frozenset[str]]
    names: Mapping[str, str] = field(default_factory=dict)

    def all_needs(self, manifest: str) -> frozenset[str]:
        """Everything a package needs, directly or not, without itself."""
        return _reach(self.needs, [manifest]) - {manifest}

    def dependants(self, manifests: Iterable[str]) -> frozenset[str]:
        """The packages that need any of `manifests`, directly or not, and these themselves."""
        return _reach(self._needed_by(), manifests)

    def _needed_by(self) -> Mapping[str, frozenset[str]]:
        result: dict[str, set[str]] = defaultdict(set)
        for manifest, needs in self.needs.items():
            for needed in needs:
                result[needed].add(manifest)
        return {manifest: frozenset(found) for manifest, found in result.items()}

    def upstream_first(self) -> list[str]:
        """All manifests, each after those it needs, else by name; in a cycle, by name."""
        done: dict[str, None] = {}

        def visit(manifest: str, above: frozenset[str]) -> None:
            if manifest in done or manifest in above:
                return
            for needed in sorted(self.needs.get(manifest, ())):
                visit(needed, above | {manifest})
            done[manifest] = None

        for manifest in sorted(self.packages):
            visit(manifest, frozenset())
        return list(done)


def build(packages: Sequence[Package], languages: Iterable[Language]) -> Graph:
    """The graph of the packages. A manifest that cannot be read has no links: its own check says so."""
    by_name = {language.name: language for language in languages}
    links = {package.manifest: _links(package, by_name[package.language]) for package in packages}
    named = {
        (package.language, links[package.manifest].name): package.manifest
        for package in packages
        if links[package.manifest].name
    }
    at: dict[str, set[str]] = defaultdict(set)
    for package in packages:
        at[package.folder].add(package.manifest)
    needs = {}
    for package in packages:
        own = links[package.manifest]
        found = {named[package.language, name] for name in own.needs if (package.language, name) in named}
        for folder in own.folders:
            found |= at.get(folder, set())
        needs[package.manifest] = frozenset(found - {package.manifest})
    names = {manifest: found.name for manifest, found in links.items()}
    return Graph({package.manifest: package for package in packages}, needs, names)


def _links(package: Package, language: Language) -> Links:
    try:
        return language.links(package)
    except (OSError, ValueError, AttributeError, TypeError, KeyError, SyntaxError, RecursionError):
        return Links()


def _reach(edges: Mapping[str, frozenset[str]], start: Iterable[str]) -> frozenset[str]:
    found = set(start)
    waiting = list(found)
    while waiting:
        for each in edges.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return frozenset(found)
