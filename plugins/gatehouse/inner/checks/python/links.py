"""What a Python package needs of the same checkout, by names and by folders."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from gatehouse.inner.checks.parsing import text_of
from gatehouse.inner.checks.python.project import (
    REQUIREMENTS,
    Project,
    normalised,
    read_project,
    table,
)
from gatehouse.inner.model import Links, Package

_NAME = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)")
_LOCAL = re.compile(
    r"^(?:-e\s+|--editable[ =])?(?:[\w.-]+(?:\[[^\]]*\])?\s*@\s*)?(?:file:(?://)?)?(\.{1,2}(?:/[^\s;#\[]*)?)"
)


def links(package: Package) -> Links:
    """What a package needs by name, and by folder: paths of uv and poetry, editable and relative requirements."""
    project = read_project(package)
    if isinstance(project, str):
        return Links()
    poetry = project.tool("poetry")
    name = table(project.pyproject, "project").get("name") or poetry.get("name") or _setup_name(project)
    needs = {match[1] for line in _declared(project) if (match := _NAME.match(line))}
    folders = {match[1] for line in _declared(project) if (match := _LOCAL.match(line.strip()))}
    sources = table(project.pyproject, "tool", "uv", "sources").values()
    tables = [each for value in sources for each in (value if isinstance(value, list) else [value])]
    tables += [value for each in _poetry_tables(poetry) for value in each.values()]
    folders |= {
        each["path"] for each in tables if isinstance(each, dict) and isinstance(each.get("path"), str)
    }
    return Links(
        normalised(str(name)) if name else "",
        frozenset(map(normalised, needs)),
        frozenset(
            posixpath.normpath(posixpath.join(package.folder, folder)).removeprefix("./")
            for folder in folders
        ),
    )


def _declared(project: Project) -> Iterator[str]:
    """Every requirement, one a line, as PEP 508 or pip write it."""
    about = table(project.pyproject, "project")
    groups = [about.get("dependencies"), project.tool("uv").get("dev-dependencies")]
    groups += [
        *table(about, "optional-dependencies").values(),
        *table(project.pyproject, "dependency-groups").values(),
    ]
    for group in groups:
        yield from (each for each in group or () if isinstance(each, str))
    for dependencies in _poetry_tables(project.tool("poetry")):
        yield from dependencies
    ini = project.ini("setup.cfg")
    yield from ini.get("options", "install_requires", fallback="").splitlines()
    for file in project.package.files:
        if (
            REQUIREMENTS.fullmatch(posixpath.basename(file))
            and posixpath.dirname(file) == project.package.folder
        ):
            yield from text_of(project.package.root / file).splitlines()


def _poetry_tables(poetry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield table(poetry, "dependencies")
    yield table(poetry, "dev-dependencies")
    for group in table(poetry, "group").values():
        yield table(group, "dependencies") if isinstance(group, dict) else {}


def _setup_name(project: Project) -> str:
    found = project.ini("setup.cfg").get("metadata", "name", fallback="")
    match = re.search(r"\bname\s*=\s*['\"]([\w.-]+)['\"]", text_of(project.package.path / "setup.py"))
    return found or (match[1] if match else "")
