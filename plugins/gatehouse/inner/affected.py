"""Which packages a change touches, and why: a pure decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gatehouse.inner.graph import Graph
from gatehouse.inner.lockfiles import LockSlices
from gatehouse.inner.model import Language
from gatehouse.inner.ownership import Ownership


def affected(
    graph: Graph,
    ownership: Ownership,
    languages: Iterable[Language],
    changed: Iterable[str],
    slices: tuple[LockSlices, LockSlices] | None = None,
) -> Mapping[str, str]:
    """The manifests of the packages that `changed` paths touch, each with the reason.

    Those that need a touched package are touched as well. A manifest that came or went touches all of its language:
    others may have been linked to it. `slices` are those of lockfiles at the base and now: a package whose slice is the
    same is not touched by the rest of the file.
    """
    languages = list(languages)
    reasons: dict[str, str] = {}
    for path in sorted(changed):
        for manifest in ownership.packages_of(path):
            if not _same_slice(slices, path, manifest):
                reasons.setdefault(manifest, f"{path} changed")
        language = _language_of_manifest(path, languages)
        if language and path not in graph.packages:
            for package in graph.packages.values():
                if package.language == language:
                    reasons.setdefault(package.manifest, f"{path} was removed")
    for touched in sorted(reasons):
        for manifest in sorted(graph.dependants([touched])):
            reasons.setdefault(manifest, f"needs {touched}: {reasons[touched]}")
    return reasons


def _same_slice(slices: tuple[LockSlices, LockSlices] | None, path: str, manifest: str) -> bool:
    if slices is None:
        return False
    before, now = (each.of(path, manifest) for each in slices)
    return before is not None and before == now


def _language_of_manifest(path: str, languages: Iterable[Language]) -> str:
    name = path.rpartition("/")[2]
    return next((language.name for language in languages if name in language.manifests), "")
