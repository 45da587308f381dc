"""The exact version of a tool that a checkout pins, and the version of the one that is installed."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gatehouse.inner.checks.parsing import text_of
from gatehouse.inner.checks.python.project import REQUIREMENTS, Project, normalised

#: Lockfiles that list packages as tables `[[package]]`.
_LOCKFILES = ("uv.lock", "poetry.lock", "pdm.lock")

#: The repositories of pre-commit's hooks by the tool that they install: their tags are the tool's versions.
_HOOKS = {
    "ruff": ("astral-sh/ruff-pre-commit", "charliermarsh/ruff-pre-commit"),
    "black": ("psf/black", "psf/black-pre-commit-mirror"),
    "mypy": ("pre-commit/mirrors-mypy",),
    "flake8": ("pycqa/flake8",),
}

#: A tag, or a commit with the tag behind it, as `pre-commit autoupdate --freeze` writes it.
_REVISION = r"rev:\s*['\"]?(?:[0-9a-f]{40}['\"]?\s*#\s*frozen:\s*)?v?(\d[\w.]*)"


@dataclass(frozen=True)
class Pin:
    """A version, and the file that names it, relative to the checkout."""

    version: str
    file: str


def pinned(project: Project, tool: str) -> Pin | None:
    """The exact version that the files at the package, or the next ones above it, name for a tool."""
    package = project.package
    for folder in (package.path, *package.path.parents):
        for file, version in _named(folder, tool):
            return Pin(version, str(file.relative_to(package.root)))
        if folder == package.root:
            break
    return None


def installed(program: str, tool: str) -> str | None:
    """The version of a program that lies in a Python environment; None of others."""
    environment = Path(os.path.realpath(program)).parent.parent
    for found in environment.glob(f"lib/python3*/site-packages/{tool}-*.dist-info"):
        return found.name.removesuffix(".dist-info").rpartition("-")[2]
    return None


def _named(folder: Path, tool: str) -> Iterator[tuple[Path, str]]:
    for name in _LOCKFILES:
        yield from ((folder / name, version) for version in _locked(folder / name, tool))
    exact = re.compile(rf"(?<![\w.-]){re.escape(tool)}\s*==\s*(\d[\w.]*)(?![\w.]*\*)", re.IGNORECASE)
    lists = sorted(path for path in folder.glob("*requirements*.txt") if REQUIREMENTS.search(path.name))
    for file in (folder / "pyproject.toml", *lists):
        yield from ((file, match[1]) for match in exact.finditer(text_of(file)))
    file = folder / ".pre-commit-config.yaml"
    for repository in _HOOKS.get(tool, ()):
        hook = re.compile(
            rf"repo:\s*\S*/{re.escape(repository)}(?:\.git)?['\"]?\s+{_REVISION}", re.IGNORECASE
        )
        yield from ((file, match[1]) for match in hook.finditer(text_of(file)))


def _locked(file: Path, tool: str) -> list[str]:
    try:
        packages = tomllib.loads(text_of(file)).get("package", [])
    except ValueError:
        return []  # the tool that reads it says what is wrong
    found = {
        each["version"]
        for each in packages
        if isinstance(each, dict) and "version" in each and normalised(str(each.get("name", ""))) == tool
    }
    return list(found) if len(found) == 1 else []
