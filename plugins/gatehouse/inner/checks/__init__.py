"""The checks of each language: one file a language, each with a `LANGUAGE`. docs/inner.md says how to add one."""

from __future__ import annotations

from collections.abc import Iterable

from gatehouse.inner.checks import go, node, python, rust
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Check, Language, Package

LANGUAGES: tuple[Language, ...] = (go.LANGUAGE, node.LANGUAGE, python.LANGUAGE, rust.LANGUAGE)


def checks_for(packages: Iterable[Package], tools: Tools) -> list[Check]:
    """The checks that apply to the packages, in the order of packages and phases."""
    by_name = {language.name: language for language in LANGUAGES}
    return [check for package in packages for check in by_name[package.language].checks(package, tools)]
