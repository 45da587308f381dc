"""What a pom.xml and those above it say about a module, without running Maven."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gatehouse.inner.model import Finding, Links, Package


@dataclass(frozen=True)
class Pom:
    """A module. `reactor` is the folder of the outermost pom that lists it, relative to the root of the checkout.

    `configured` are the plugins with a configuration that also holds for goals called by name. `failsafe` is whether
    that plugin is named at all, and `names_tests` whether surefire is told other names of tests than its own.
    """

    packaging: str
    reactor: str
    configured: frozenset[str]
    failsafe: bool
    names_tests: bool


def read_pom(package: Package) -> Pom | Finding:
    """The package's pom.xml together with those above it, or what is wrong with it and where."""
    path = package.root / package.manifest
    try:
        own = _parse(path)
    except ET.ParseError as error:
        line, column = error.position
        return Finding(package.manifest, f"is no valid XML: {error}", line, column + 1, "pom.xml")
    except OSError as error:
        return Finding(package.manifest, f"cannot be read: {error}", rule="pom.xml")
    above = _above(package)
    poms = [own, *above.values()]
    plugins = [plugin for pom in poms for plugin in pom.iter("plugin")]
    return Pom(
        own.findtext("packaging", "jar").strip(),
        next(reversed(above), package.folder),
        frozenset(
            _text(plugin, "artifactId") for plugin in plugins if plugin.find("configuration") is not None
        ),
        any(_text(plugin, "artifactId") == "maven-failsafe-plugin" for plugin in plugins),
        any(
            plugin.find(".//includes") is not None
            for plugin in plugins
            if _text(plugin, "artifactId") == "maven-surefire-plugin"
        ),
    )


def links(package: Package) -> Links:
    """Group and artifact of the module, of its parent, dependencies and plugins; and the folder of its reactor."""
    try:
        own = _parse(package.root / package.manifest)
    except ET.ParseError:
        return Links()
    parent = own.find("parent")
    group = _text(own, "groupId") or (_text(parent, "groupId") if parent is not None else "")

    def name(element: ET.Element) -> str:
        named = _text(element, "groupId") or group
        # Almost always ${project.groupId}; every other property would have to be evaluated as Maven does.
        return f"{group if named.startswith('${') else named}:{_text(element, 'artifactId')}"

    needs = [*own.iter("dependency"), *own.iter("plugin"), *([parent] if parent is not None else [])]
    return Links(name(own), frozenset(map(name, needs)), frozenset(list(_above(package))[-1:]))


def _above(package: Package) -> dict[str, ET.Element]:
    """The poms, by folder, that list this module or the one that does, innermost first."""
    found: dict[str, ET.Element] = {}
    below = package.path
    for folder in PurePosixPath(package.folder).parents if package.folder else ():
        path = package.root / folder
        try:
            pom = _parse(path / "pom.xml")
        except (OSError, ET.ParseError):
            continue
        modules = {_module(path, each.text or "") for each in pom.iter("module")}
        if below.resolve() in modules:
            found["" if folder == PurePosixPath() else str(folder)] = pom
            below = path
    return found


def _module(folder: Path, name: str) -> Path:
    named = (folder / name.strip()).resolve()
    return named.parent if named.suffix == ".xml" else named


def _parse(path: Path) -> ET.Element:
    """A pom's elements without their namespace."""
    root = ET.fromstring(path.read_bytes())  # noqa: S314 - of the checkout, whose builds run as well
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = re.sub(r"^\{.*\}", "", element.tag)
    return root


def _text(element: ET.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()
