"""The checks of each language: one file a language, each with a `LANGUAGE`. docs/inner.md says how to add one."""

from __future__ import annotations

from collections.abc import Iterable

from gatehouse.inner.checks import buf, dockerfile, helm, kustomize, shell, terraform, workflows
from gatehouse.inner.checks.go import language as go
from gatehouse.inner.checks.java import gradle, maven
from gatehouse.inner.checks.manifests import broken_manifest
from gatehouse.inner.checks.node import language as node
from gatehouse.inner.checks.python import language as python
from gatehouse.inner.checks.rust import language as rust
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Check, Finding, Language, Package

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
    return [check for package in packages for check in _checks(by_name[package.language], package, tools)]


def _checks(language: Language, package: Package, tools: Tools) -> list[Check]:
    """The checks of one package. One that trips over what it reads is red, and takes no other package with it."""
    try:
        return language.checks(package, tools)
    except Exception as error:  # noqa: BLE001 - manifests are anybody's, and a run without a verdict helps nobody
        message = f"cannot be understood: {type(error).__name__}: {error}"
    return [broken_manifest(package, Finding(package.manifest, message, rule=f"{language.name}-manifest"))]
