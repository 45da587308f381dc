"""The part of a lockfile that one package of a workspace is built from, for the lockfiles that tell.

Understood: package-lock.json (versions 2, 3), pnpm-lock.yaml (from version 6), Cargo.lock, uv.lock. Of others, and of
what cannot be read, the whole file counts.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from gatehouse.inner.graph import Graph


@dataclass(frozen=True)
class Lock:
    """What is locked: for each node its own words and the nodes it needs; and which node a package is.

    Packages are told by their folder below that of the lockfile (`importers`), or by their name (`named`).
    """

    nodes: Mapping[str, tuple[str, tuple[str, ...]]]
    importers: Mapping[str, str]
    named: Mapping[str, str]

    def slice_of(self, folder: str, name: str) -> str | None:
        """A digest of all that a package needs, directly or not; None where the lockfile does not know it."""
        start = self.importers.get(folder) or self.named.get(name)
        if start is None:
            return None
        found = {start}
        waiting = [start]
        while waiting:
            for each in self.nodes.get(waiting.pop(), ("", ()))[1]:
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        text = "\n".join(f"{each} {self.nodes.get(each, ('absent', ()))[0]}" for each in sorted(found))
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


class LockSlices:
    """The slices of a checkout's lockfiles as they are in one version of it, read once each."""

    def __init__(self, graph: Graph, read: Callable[[str], bytes]) -> None:
        """`read` gives the content of a file by its path; it may raise `OSError`."""
        self._graph = graph
        self._read = read
        self._locks: dict[str, Lock | None] = {}

    def of(self, path: str, manifest: str) -> str | None:
        """The slice of a package in the lockfile at `path`; None where the whole file counts."""
        folder, _, name = path.rpartition("/")
        if name not in READERS:
            return None
        if path not in self._locks:
            try:
                self._locks[path] = read_lock(name, self._read(path))
            except OSError:
                self._locks[path] = None
        lock = self._locks[path]
        below = self._graph.packages[manifest].folder.removeprefix(folder).lstrip("/")
        return lock.slice_of(below, self._graph.names.get(manifest, "")) if lock else None


def read_lock(name: str, content: bytes) -> Lock | None:
    """The lockfile of a name; None for one that is not understood."""
    reader = READERS.get(name)
    if reader is None:
        return None
    try:
        return reader(content.decode())
    except (ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError, RecursionError):
        return None


def _npm(text: str) -> Lock:
    packages: dict[str, dict[str, Any]] = json.loads(text)["packages"]
    nodes = {}
    for place, package in packages.items():
        needs = [_npm_place(packages, place, name) for name in _named(package, *_NPM_KINDS)]
        linked = [str(package["resolved"])] if package.get("link") else []
        nodes[f"at {place}"] = (
            _words(package),
            tuple(f"at {each}" for each in [*needs, *linked] if each is not None),
        )
    importers = {place: f"at {place}" for place in packages if "node_modules" not in place.split("/")}
    return Lock(nodes, importers, {})


_NPM_KINDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def _npm_place(packages: Mapping[str, Any], place: str, name: str) -> str | None:
    """Where Node finds a package that one at `place` imports: beside it, else in a folder above."""
    while True:
        candidate = f"{place}/node_modules/{name}" if place else f"node_modules/{name}"
        if candidate in packages:
            return candidate
        if not place:
            return None
        place = (
            place.rpartition("/node_modules/")[0] if "/node_modules/" in place else place.rpartition("/")[0]
        )


def _pnpm(text: str) -> Lock:
    data = yaml.load(text, Loader=yaml.CSafeLoader)
    packages, snapshots = data.get("packages") or {}, data.get("snapshots") or {}
    nodes = {
        key: (
            _words([packages.get(key) or packages.get(key.partition("(")[0]), package]),
            tuple(_pnpm_needs(package)),
        )
        for key, package in (snapshots or packages).items()
    }
    for folder, importer in data["importers"].items():
        nodes[f"importer {folder}"] = (_words(importer), tuple(_pnpm_needs(importer)))
    importers = {"" if folder == "." else folder: f"importer {folder}" for folder in data["importers"]}
    return Lock(nodes, importers, {})


def _pnpm_needs(package: Mapping[str, Any]) -> Iterable[str]:
    """The keys of what is needed: `name@version`, or `/name@version` before version 9."""
    for kind in ("dependencies", "devDependencies", "optionalDependencies"):
        for name, found in (package.get(kind) or {}).items():
            version = str(found["version"] if isinstance(found, dict) else found)
            yield from (f"{name}@{version}", f"/{name}@{version}", version)


def _cargo(text: str) -> Lock:
    """One version of a name is needed by `name`, several by `name version`."""
    packages = tomllib.loads(text)["package"]
    by_name: dict[str, list[str]] = {}
    nodes = {}
    for package in packages:
        by_name.setdefault(package["name"], []).append(f"{package['name']} {package['version']}")
    for package in packages:
        needs = []
        for need in package.get("dependencies", ()):
            name, _, rest = need.partition(" ")
            needs += [f"{name} {rest.split(' ')[0]}"] if rest else by_name.get(name, [])
        nodes[f"{package['name']} {package['version']}"] = (_words(package), tuple(needs))
    own = {
        package["name"]: f"{package['name']} {package['version']}"
        for package in packages
        if "source" not in package
    }
    return Lock(nodes, {}, own)


def _uv(text: str) -> Lock:
    """All versions of a name that is needed count: which one it is depends on the machine."""
    packages = tomllib.loads(text)["package"]
    nodes: dict[str, tuple[str, tuple[str, ...]]] = {}
    importers, named = {}, {}
    for package in packages:
        name, source = package["name"], package.get("source", {})
        groups = [package.get("dependencies", ())]
        for kind in ("optional-dependencies", "dev-dependencies"):
            groups += package.get(kind, {}).values()
        needs = tuple(need["name"] for group in groups for need in group)
        words, before = nodes.get(name, ("", ()))
        nodes[name] = (f"{words}{_words(package)}", (*before, *needs))
        folder = source.get("editable") or source.get("virtual")
        if folder:
            importers["" if folder == "." else folder] = name
            named[name] = name
    return Lock(nodes, importers, named)


def _named(package: Mapping[str, Any], *kinds: str) -> Iterable[str]:
    for kind in kinds:
        yield from package.get(kind) or ()


def _words(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


READERS: Mapping[str, Callable[[str], Lock]] = {
    "package-lock.json": _npm,
    "pnpm-lock.yaml": _pnpm,
    "Cargo.lock": _cargo,
    "uv.lock": _uv,
}
