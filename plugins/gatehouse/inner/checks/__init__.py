"""The checks of each language: one file a language, each with a `LANGUAGE`. docs/inner.md says how to add one."""

from __future__ import annotations

from collections.abc import Iterable

from gatehouse.inner.checks import (
    buf,
    dockerfile,
    go,
    gradle,
    helm,
    kustomize,
    maven,
    node,
    python,
    rust,
    shell,
    terraform,
    workflows,
)
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Check, Language, Package

LANGUAGES: tuple[Language, ...] = tuple(
    module.LANGUAGE
    for module in (
        go,
        node,
        python,
        rust,
        maven,
        gradle,
        buf,
        terraform,
        helm,
        kustomize,
        shell,
        dockerfile,
        workflows,
    )
)


def checks_for(packages: Iterable[Package], tools: Tools) -> list[Check]:
    """The checks that apply to the packages, in the order of packages and phases."""
    by_name = {language.name: language for language in LANGUAGES}
    return [check for package in packages for check in by_name[package.language].checks(package, tools)]
