"""The checks of each language: one file a language, each with `checks(package, tools)`.

A new language is a module here with that function, and its manifest in `discover.MANIFESTS`.
"""

from __future__ import annotations

from collections.abc import Callable

from gatehouse.inner.checks import go, node, python
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Check, Package

LANGUAGES: dict[str, Callable[[Package, Tools], list[Check]]] = {
    "go": go.checks,
    "node": node.checks,
    "python": python.checks,
}


def checks_for(packages: list[Package], tools: Tools) -> list[Check]:
    """The checks that apply to the packages, in the order of packages and phases."""
    return [check for package in packages for check in LANGUAGES[package.language](package, tools)]
