"""Keys of the cache of passes: everything that can change the answer of a check."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from gatehouse import __version__
from gatehouse.inner.graph import Graph
from gatehouse.inner.identities import Identities, digest
from gatehouse.inner.lockfiles import READERS, LockSlices
from gatehouse.inner.model import Check
from gatehouse.inner.ownership import Ownership

#: Changes whenever keys or entries mean something else.
SCHEMA = 2


def package_keys(
    graph: Graph, ownership: Ownership, contents: Mapping[str, str], slices: LockSlices | None = None
) -> Mapping[str, str]:
    """A digest for each package of the files that decide about it: its own, shared ones, those of what it needs.

    `contents` is the content id of each file of the checkout by its path; of lockfiles only the slices count, where
    there are such.
    """
    digests: dict[str, list[str]] = {manifest: [] for manifest in graph.packages}
    locks = [path for path in contents if slices and path.rpartition("/")[2] in READERS]
    for path in sorted(locks):
        for manifest in ownership.packages_of(path):
            found = slices.of(path, manifest) if slices else None
            digests[manifest].append(f"{path} {found or contents[path]}")
    whole = contents.keys() - set(locks)
    for manifests, paths in sorted(ownership.group_inputs(whole).items(), key=lambda group: sorted(group[0])):
        group = digest(f"{path}\0{contents[path]}" for path in sorted(paths))
        for manifest in manifests:
            digests[manifest].append(group)
    own = {manifest: digest(found) for manifest, found in digests.items()}
    return {
        manifest: digest(
            [own[manifest], *(f"{need} {own[need]}" for need in sorted(graph.all_needs(manifest)))]
        )
        for manifest in own
    }


def check_key(
    check: Check,
    package_key: str,
    identities: Identities,
    environment: Mapping[str, str],
    cache: Path,
    timeout: float,
    network: bool,
) -> str:
    """The key of a check. Where the checkout and the cache are does not matter: work trees share their passes."""
    places = {str(identities.root): "<checkout>", str(cache): "<cache>"}
    facts = {
        "schema": SCHEMA,
        "gatehouse": __version__,
        "platform": [platform.system(), platform.machine()],
        "check": check.id,
        "package": package_key,
        "command": [_placeless(each, places) for each in check.argv],
        "environment": {
            name: _placeless(value, places) for name, value in sorted({**environment, **check.env}.items())
        },
        "inputs": {_placeless(path, places): identities.of(path) for path in sorted(decisive_files(check))},
        "timeout": timeout,
        "network": network,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode(errors="surrogateescape")).hexdigest()


def decisive_files(check: Check) -> set[str]:
    """The files outside of git's list that decide about a check: its own program, and those it names."""
    return {*check.inputs, *(each for each in check.argv[:1] if Path(each).is_absolute())}


def _placeless(text: str, places: Mapping[str, str]) -> str:
    """A text without the names of folders that are others elsewhere, and of what is kept in the cache."""
    for place, name in sorted(places.items(), key=lambda each: -len(each[0])):  # one may lie in the other
        text = text.replace(place, name)
    return re.sub(r"<cache>[^\s:;,'\"]*", "<cache>", text)
