"""Kustomizations: each is built, by kustomize or kubectl, and the result thrown away.

A kustomization needs one of the two. A component is only built by what uses it, and one that renders charts would
download them: for these there is only the look at the manifest. Bases from elsewhere are not installed here.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.files import existing, folders_named, read_text, read_yaml
from gatehouse.inner.checks.manifests import broken_manifest
from gatehouse.inner.checks.parsing import relative
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Links, Package, Parsed, Phase

INSTALL = "install kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize) or kubectl"
MANIFESTS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def checks(package: Package, tools: Tools) -> list[Check]:
    """`kustomize build` of the folder."""
    manifest = read_yaml(package.root, package.manifest)
    if isinstance(manifest, Finding):
        return [broken_manifest(package, manifest)]
    if manifest.get("kind") == "Component" or "helmCharts" in manifest:
        return []
    kustomize, kubectl = tools.find("kustomize"), tools.find("kubectl")
    argv = (
        (kubectl, "kustomize", ".") if kubectl and not kustomize else (kustomize or "kustomize", "build", ".")
    )
    program = kustomize or kubectl
    return [
        Check(
            package,
            "kustomize-build",
            Phase.CONTRACT,
            Blame.COMPILE,
            argv,
            _read,
            missing="" if program else "kustomize",
            how_to_install="copy the base into the checkout, or silence the check" if program else INSTALL,
            inputs=existing(program),
        )
    ]


def _read(check: Check, done: Completed) -> Parsed:
    """The error, at the file and line it names, which may be one of a base; else at the kustomization."""
    if done.exit_code == 0:
        return Parsed()
    if re.search(r"dial tcp|Could not resolve host|failed to run '\S*git ", done.stderr):
        return Parsed(missing="a base from outside of the checkout")
    found = re.search(r'err="(.*)"$|err=<\n\s*(.*)$|^[Ee]rror: (.*)$', done.stderr, re.MULTILINE)
    text = next((part for part in found.groups() if part), "") if found else ""
    if not text:
        return Parsed()
    if absent := re.search(r"evalsymlink failure on '([^']+)'", text):
        return Parsed((_absent(check, absent[1]),))
    line = re.search(r"yaml: line (\d+)", text)
    named = re.search(r"in File: ([^\s'\"]+)", text)
    path = relative(check, named[1]) if named else check.package.manifest
    message = (
        text.replace(r"\"", '"')
        .removeprefix("accumulating resources: ")
        .replace(f"{check.package.root}/", "")
    )
    return Parsed((Finding(path, message[:300], int(line[1]) if line else None, rule="kustomize"),))


def _absent(check: Check, path: str) -> Finding:
    """A file or folder that is not there, at the first line of the kustomization that names it."""
    name = PurePosixPath(path).name
    lines = read_text(check.package.root / check.package.manifest).splitlines()
    number = next((number for number, line in enumerate(lines, 1) if name in line), None)
    return Finding(check.package.manifest, f"{name} is named and is not there", number, rule="kustomize")


def _links(package: Package) -> Links:
    """The folders that are named as resources, bases or components, and those of the files that are."""
    manifest = read_yaml(package.root, package.manifest)
    named: list[Any] = []
    for key in ("resources", "bases", "components"):
        named += [] if isinstance(manifest, Finding) else manifest.get(key) or []
    return Links(folders=folders_named(package, named))


LANGUAGE = Language("kustomize", checks, MANIFESTS, _links)
