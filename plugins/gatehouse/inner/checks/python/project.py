"""What a Python package says about itself: its configuration, its tests, what it needs."""

from __future__ import annotations

import configparser
import posixpath
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from gatehouse.inner.checks.parsing import text_of
from gatehouse.inner.model import Package

MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg")

#: Folders whose requirements are for somebody's convenience, and no package.
_HELPERS = frozenset({"tests", "test", "docs", "doc", "requirements", "ci", ".github", ".devcontainer"})
_NO_SOURCES = frozenset({"conftest.py", "conf.py", "setup.py", "noxfile.py", "tasks.py"})
#: Names of files with requirements.
REQUIREMENTS = re.compile(r"requirements[\w.-]*\.txt")


def normalised(name: str) -> str:
    """A distribution's name as all spellings of it are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_test_file(path: str) -> bool:
    """Whether a file is a test by pytest's and unittest's convention."""
    name = path.rpartition("/")[2]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


@dataclass(frozen=True)
class Project:
    """A package with the contents of its pyproject.toml (empty without one)."""

    package: Package
    pyproject: dict[str, Any]

    def tool(self, name: str) -> dict[str, Any]:
        """The table `[tool.<name>]`; empty without one."""
        return table(self.pyproject, "tool", name)

    def configures(self, tool: str, *files: str, section: str = "") -> bool:
        """Whether the package configures a tool: in pyproject.toml, one of `files`, or a `section` of an ini file."""
        if tool in table(self.pyproject, "tool") or any(
            (self.package.path / file).is_file() for file in files
        ):
            return True
        return any(section and self.ini(file).has_section(section) for file in ("setup.cfg", "tox.ini"))

    def ini(self, file: str) -> configparser.RawConfigParser:
        """A file in the format of setup.cfg; empty when it is not there or cannot be read."""
        parser = configparser.RawConfigParser(strict=False, interpolation=None)
        try:
            parser.read(self.package.path / file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            return configparser.RawConfigParser()
        return parser

    @cached_property
    def configures_pytest(self) -> bool:
        """Whether pytest is configured, with settings or without."""
        files = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
        return self.configures("pytest", *files, section="pytest") or self.ini("setup.cfg").has_section(
            "tool:pytest"
        )

    @cached_property
    def pytest(self) -> dict[str, str]:
        """Pytest's settings, from the first file that has some; lists as lines."""
        options = self.tool("pytest")
        inis = (
            ("pytest.ini", "pytest"),
            (".pytest.ini", "pytest"),
            ("tox.ini", "pytest"),
            ("setup.cfg", "tool:pytest"),
        )
        in_order = [
            self._toml("pytest.toml"),
            self._toml(".pytest.toml"),
            *(self._section(*each) for each in inis[:2]),
        ]
        in_order += [options.get("ini_options", options), *(self._section(*each) for each in inis[2:])]
        found = next((each for each in in_order if each), {})
        return {name: _lines(value) for name, value in found.items()}

    def _section(self, file: str, section: str) -> dict[str, Any]:
        ini = self.ini(file)
        return dict(ini.items(section)) if ini.has_section(section) else {}

    def _toml(self, file: str) -> dict[str, Any]:
        try:
            return table(tomllib.loads(text_of(self.package.path / file)), "pytest")
        except ValueError:  # pytest itself says so
            return {}

    @cached_property
    def tests(self) -> tuple[str, ...]:
        """The package's test files relative to it, without those of packages inside it that have only requirements."""
        folder = f"{self.package.folder}/" if self.package.folder else ""
        inside = [
            f"{each}/"
            for each, _manifest, _own in requirement_packages(self.package.files)
            if each != self.package.folder
        ]
        own = (file for file in self.package.files if not file.startswith(tuple(inside)))
        return tuple(file.removeprefix(folder) for file in own if is_test_file(file))

    @cached_property
    def test_texts(self) -> dict[str, str]:
        """The texts of test files and conftest files, by their names relative to the package."""
        folder = f"{self.package.folder}/" if self.package.folder else ""
        conftests = (file.removeprefix(folder) for file in self.package.files if file.endswith("conftest.py"))
        path = self.package.path
        return {name: text_of(f"{path}/{name}") for name in (*self.tests, *conftests)}

    @cached_property
    def requirements(self) -> str:
        """All texts that name what the package needs, with those of the folders above it."""
        texts = []
        for folder in (self.package.path, *self.package.path.parents):
            names = (*MANIFESTS, "Pipfile", *(path.name for path in folder.glob("requirements*.txt")))
            texts += [text_of(folder / name) for name in names]
            if folder == self.package.root:
                break
        return "\n".join(texts)


def read_project(package: Package) -> Project | str:
    """The package's project, or what is wrong with its pyproject.toml."""
    try:
        text = (package.path / "pyproject.toml").read_text(encoding="utf-8")
        return Project(package, tomllib.loads(text))
    except FileNotFoundError:
        return Project(package, {})
    except (OSError, ValueError) as error:
        return str(error)


def requirement_packages(files: Sequence[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Folders with requirements and sources of their own and without a manifest: (folder, requirements file, files)."""
    python = [file for file in files if file.endswith(".py")]
    lists = [file for file in files if file.endswith(".txt")]
    manifests = {
        posixpath.dirname(file) for file in files if file.endswith(MANIFESTS) and _name(file) in MANIFESTS
    }
    named: dict[str, str] = {}
    for file in sorted(lists, key=lambda each: (_name(each) != "requirements.txt", each)):
        folder, name = posixpath.split(file)
        if REQUIREMENTS.fullmatch(name) and folder not in manifests and _name(folder) not in _HELPERS:
            named.setdefault(folder, file)
    if not named:
        return []
    owners: dict[str, list[str]] = {folder: [] for folder in named}
    for file in python:
        above = next((folder for folder in _above(file) if folder in named or folder in manifests), None)
        if above in owners:
            owners[above].append(file)
    return [
        (folder, manifest, tuple(sorted([manifest, *owners[folder]])))
        for folder, manifest in sorted(named.items())
        if any(_is_source(file.removeprefix(folder).lstrip("/")) for file in owners[folder])
    ]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _is_source(file: str) -> bool:
    path = PurePosixPath(file)
    return not (is_test_file(file) or path.name in _NO_SOURCES or _HELPERS & set(path.parts[:-1]))


def _above(file: str) -> Iterator[str]:
    folder = posixpath.dirname(file)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def table(data: dict[str, Any], *names: str) -> dict[str, Any]:
    """A table in a table; empty where there is none, or something else."""
    for name in names:
        found = data.get(name)
        data = found if isinstance(found, dict) else {}
    return data


def _lines(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
