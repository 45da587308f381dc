"""Manifests that cannot be read: a check that only says so, with the place where the reader says it."""

from __future__ import annotations

import re

from gatehouse.inner.model import Blame, Check, Finding, Package, Parsed, Phase

_PLACE = re.compile(r"line (?P<line>\d+),? column (?P<column>\d+)")


def broken_manifest(package: Package, finding: Finding) -> Check:
    """The one check of a package whose manifest cannot be read: red, at the place, without running anything."""
    name = f"{package.language}-manifest"
    return Check(package, name, Phase.CONTRACT, Blame.SETUP, look=lambda: Parsed((finding,)))


def unreadable(path: str, problem: str) -> Finding:
    """The finding for a file that cannot be read; a place that `problem` names is taken over."""
    place = _PLACE.search(problem)
    return Finding(
        path,
        f"cannot be read: {problem}",
        int(place["line"]) if place else None,
        int(place["column"]) if place else None,
        path.rpartition("/")[2],
    )
