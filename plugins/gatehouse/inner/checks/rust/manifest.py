"""What Cargo's manifests and the sources beside them say about a package, without running cargo."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from gatehouse.inner.checks.files import read_text
from gatehouse.inner.checks.tools import TestClasses
from gatehouse.inner.model import Finding, Links, Package

_TEST = re.compile(r"^[^/\n]*(?:#\[\s*(?:\w+::)*\w*test\w*\s*[\](]|\b(?:proptest|quickcheck)!)", re.MULTILINE)
_NIGHTLY = re.compile(r"^#!\[feature\(", re.MULTILINE)
_FENCE = re.compile(r"^\s*//[/!]\s*```(.*)$", re.MULTILINE)
_RUN_IN_DOCUMENTATION = {"", "rust", "should_panic", "no_run", "compile_fail"}


@dataclass(frozen=True)
class Tests:
    """The tests of a package: `--test` targets by class, features that enable integration tests, what else has any."""

    __test__ = False  # not one of pytest's

    unit: tuple[str, ...]
    integration: tuple[str, ...]
    cluster: tuple[str, ...]
    features: tuple[str, ...]
    library: bool
    tested: bool
    documented: bool
    own_main: bool
    nightly_benchmarks: bool


def read_manifest(package: Package) -> dict[str, Any] | Finding:
    """The package's Cargo.toml, or what is wrong with it and where."""
    text = ""
    try:
        text = (package.root / package.manifest).read_text(encoding="utf-8")
        manifest = tomllib.loads(text)
    except (OSError, ValueError) as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (max(1, len(text.splitlines())), None)
        return Finding(package.manifest, f"cannot be read: {error}", line, column, "Cargo.toml")
    expected = _expected(manifest)
    return Finding(package.manifest, f"expected {expected}", 1, rule="Cargo.toml") if expected else manifest


def _expected(manifest: dict[str, Any]) -> str:
    """What a manifest should have where it has something else; of what is read here."""
    own, targets = manifest.get("package", {}), manifest.get("test", [])
    if not isinstance(own, dict) or ("package" in manifest and not isinstance(own.get("name"), str)):
        return "a [package] table with a name"
    if not isinstance(targets, list) or not all(isinstance(each, dict) for each in targets):
        return "[[test]] tables, each of a target"
    return "" if isinstance(manifest.get("features", {}), dict) else "a [features] table"


def workspace(package: Package) -> str:
    """The folder, relative to the root, of the workspace that the package is in; its own one without any."""
    for folder in (PurePosixPath(package.folder), *PurePosixPath(package.folder).parents):
        manifest = package.root / folder / "Cargo.toml"
        if manifest.is_file() and re.search(r"^\[workspace\b", read_text(manifest), re.MULTILINE):
            return "" if folder == PurePosixPath() else str(folder)
    return package.folder


def links(package: Package) -> Links:
    """The names of all dependencies, whose packages in the checkout count; and the folder of the workspace."""
    manifest = read_manifest(package)
    if isinstance(manifest, Finding):
        return Links()
    tables = [manifest, *manifest.get("target", {}).values()]
    needs = frozenset(
        specification.get("package", name) if isinstance(specification, dict) else name
        for table in tables
        for kind in ("dependencies", "dev-dependencies", "build-dependencies")
        for name, specification in table.get(kind, {}).items()
    )
    return Links(manifest.get("package", {}).get("name", ""), needs, frozenset({workspace(package)}))


def find_tests(package: Package, manifest: dict[str, Any], classes: TestClasses) -> Tests:
    """The tests of a package, read out of its manifest, its files' names and the attributes in its sources."""
    files = {file.removeprefix(f"{package.folder}/"): file for file in package.files if file.endswith(".rs")}
    targets = {name: file for file in files if (name := _target(file))}
    declared = [each for each in manifest.get("test", []) if isinstance(each.get("name"), str)]
    targets |= {each["name"]: str(each.get("path", f"tests/{each['name']}.rs")) for each in declared}
    cluster = _of_class(targets, classes.cluster)
    integration = tuple(name for name in _of_class(targets, classes.integration) if name not in cluster)
    apart = {targets[name] for name in (*integration, *cluster)}
    library = "lib" in manifest or "src/lib.rs" in files
    sources = {file: read_text(package.root / path) for file, path in files.items()}
    return Tests(
        tuple(sorted(set(targets) - {*integration, *cluster})),
        integration,
        cluster,
        tuple(each for each in manifest.get("features", {}) if each in classes.integration),
        library,
        any(_TEST.search(text) for file, text in sources.items() if file not in apart),
        library and any(_has_doc_test(text) for text in sources.values()),
        any(each.get("harness") is False for each in declared),
        any(file.startswith("benches/") and _NIGHTLY.search(text) for file, text in sources.items()),
    )


def _target(file: str) -> str:
    """The name of the test target whose main file this is, else an empty string."""
    match PurePosixPath(file).parts:
        case ("tests", name):
            return name.removesuffix(".rs")
        case ("tests", name, "main.rs"):
            return name
    return ""


def _of_class(targets: Iterable[str], classes: tuple[str, ...]) -> tuple[str, ...]:
    """The targets that are named after a class, alone or before an underscore or dash."""
    prefixes = tuple(f"{each}{separator}" for each in classes for separator in "_-")
    return tuple(sorted(name for name in targets if name in classes or name.startswith(prefixes)))


def _has_doc_test(text: str) -> bool:
    """Whether a fenced block of the documentation opens as Rust; every second fence closes one."""
    opening = _FENCE.findall(text)[::2]
    return any(set(re.split(r"[,\s]+", fence.strip())) <= _RUN_IN_DOCUMENTATION for fence in opening)
