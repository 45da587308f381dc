"""The environment that a Python package's checks run in, and what of its needs is not in there."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gatehouse.inner.checks.parsing import places
from gatehouse.inner.checks.python.project import Project, normalised
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Parsed

#: Import names that tell nothing about the distribution they come from.
_DISTRIBUTIONS = {
    "attr": "attrs", "bs4": "beautifulsoup4", "cv2": "opencv-python", "dateutil": "python-dateutil",
    "dotenv": "python-dotenv", "fitz": "pymupdf", "git": "gitpython", "grpc": "grpcio", "jose": "python-jose",
    "jwt": "pyjwt", "magic": "python-magic", "pil": "pillow", "pkg-resources": "setuptools", "serial": "pyserial",
    "skimage": "scikit-image", "sklearn": "scikit-learn", "socks": "pysocks", "yaml": "pyyaml", "zmq": "pyzmq",
}  # fmt: skip

#: Options in a project's own configuration that only a plugin understands.
_PLUGINS = {
    "--cov": "pytest-cov", "--no-cov": "pytest-cov", "-n": "pytest-xdist", "--numprocesses": "pytest-xdist",
    "--dist": "pytest-xdist", "--timeout": "pytest-timeout", "--asyncio-mode": "pytest-asyncio",
    "--reruns": "pytest-rerunfailures", "--benchmark": "pytest-benchmark", "--ds": "pytest-django",
    "--randomly": "pytest-randomly", "--html": "pytest-html", "--alluredir": "allure-pytest",
    "--snapshot": "syrupy", "--mypy": "pytest-mypy", "--ruff": "pytest-ruff", "--random-order": "pytest-random-order",
}  # fmt: skip

#: Modules that are programs run by `python -m`.
_TOOLS = frozenset({"pytest", "mypy"})

_NO_MODULE = re.compile(r"No module named '?([\w.]+)'?")
_UNKNOWN_OPTION = re.compile(r"error: unrecognized arguments: (--?[\w-]+)")
_NO_IMPORT = re.compile(
    r"(?:library stub for module named|Import|Cannot resolve imported module) [\"`]([\w.]+)[\"`]"
    r"(?=.*(?:import-not-found|could not be resolved)|$)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Environment:
    """The package's own environment, or the one that holds Gatehouse where there is none."""

    project: Project
    tools: Tools

    @cached_property
    def own_python(self) -> str | None:
        """The interpreter of the environment at the package or above it."""
        return self.tools.beside(self.project.package, ".venv/bin/python", "venv/bin/python")

    @property
    def python(self) -> str:
        """The interpreter to use."""
        return self.own_python or sys.executable

    def tool(self, name: str) -> str | None:
        """A tool: the environment's, else the one on the PATH."""
        package = self.project.package
        return self.tools.beside(package, f".venv/bin/{name}", f"venv/bin/{name}") or self.tools.find(name)

    def owns(self, program: str) -> bool:
        """Whether a program is of the package's own environment."""
        return self.own_python is not None and Path(program).parent == Path(self.own_python).parent

    @cached_property
    def site_packages(self) -> Path | None:
        """Where the environment's distributions are."""
        return next(iter(sorted(Path(self.python).parent.parent.glob("lib/python3*/site-packages"))), None)

    def inputs(self, program: str | None) -> tuple[str, ...]:
        """The program, the interpreter, and what is installed for it."""
        prefix = Path(self.python).parent.parent
        found = [program, self.python, str(prefix / "pyvenv.cfg"), str(self.site_packages or "")]
        return tuple(dict.fromkeys(each for each in found if each))

    @property
    def how_to_install(self) -> str:
        """The command that installs what the package needs."""
        package, tools = self.project.package, self.tools
        where = package.folder or "the checkout"
        for lockfile, command in (
            ("uv.lock", "uv sync --frozen"),
            ("poetry.lock", "poetry install"),
            ("pdm.lock", "pdm sync"),
        ):
            if tools.beside(package, lockfile):
                return f"run `{command}` in {where}"
        wanted = f"-r {Path(package.manifest).name}" if package.manifest.endswith(".txt") else "-e ."
        return f"run `python -m venv .venv && .venv/bin/pip install {wanted}` in {where}"

    def variables(self) -> dict[str, str]:
        """Finds sources where the package is not installed; keeps plugins of another environment out.

        They lie in `src`, or are imported by their path from the root of the checkout, as Bazel has it.
        """
        env = {} if self.own_python else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        package = self.project.package
        places = (
            [package.path / "src"] if (package.path / "src").is_dir() and not self._is_installed() else []
        )
        places += [package.root] if self.imported_from_root else []
        if places:
            env["PYTHONPATH"] = os.pathsep.join(map(str, places))
        return env

    @cached_property
    def imported_from_root(self) -> bool:
        """Whether a test imports a file of the package by the whole path from the root."""
        package = self.project.package
        if not package.folder:
            return False
        inside = re.escape(package.folder.replace("/", "."))
        imports = re.compile(rf"^\s*(?:from|import)\s+{inside}(?:\.|\s+import\s+)(\w+)", re.MULTILINE)
        names = {name for text in self.project.test_texts.values() for name in imports.findall(text)}
        return any(
            file.startswith((f"{package.folder}/{name}/", f"{package.folder}/{name}.py"))
            for file in package.files
            for name in names
        )

    def _is_installed(self) -> bool:
        name = self.project.pyproject.get("project", {}).get("name") or self.project.tool("poetry").get(
            "name"
        )
        if not isinstance(name, str) or self.own_python is None or self.site_packages is None:
            return False
        found = (normalised(path.name.partition("-")[0]) for path in self.site_packages.glob("*.dist-info"))
        return normalised(name) in found


def missing_plugin(text: str) -> str:
    """The plugin whose option pytest does not know; empty where it complains of no option, or of an unknown one."""
    match = _UNKNOWN_OPTION.search(text)
    plugins = [plugin for option, plugin in _PLUGINS.items() if match and match[1].startswith(option)]
    return f"the Python package {plugins[0]}" if plugins else ""


def missing_distributions(project: Project, text: str) -> tuple[str, ...]:
    """What the environment lacks by the text of failures; nothing where the checkout itself is at fault.

    A module that the package does not ask for, or that it should have itself, is its own mistake.
    """
    found = []
    for match in (*_NO_MODULE.finditer(text), *_NO_IMPORT.finditer(text)):
        inside = [path for path, _line, _column in places(text[: match.start()])][-1:]
        foreign = any("site-packages" in path for path in inside)
        if not _is_own(project, match[1]) and (
            foreign or match[1] in _TOOLS or _is_asked_for(project, match[1])
        ):
            found.append(match[1])
    return tuple(dict.fromkeys(found))


def apart(parsed: Parsed, missing: tuple[str, ...]) -> Parsed:
    """What was read, without findings that only say that `missing` is not there; if no other is left, it is missing."""
    if not missing:
        return parsed
    said = re.compile(r"[\"'` ](?:" + "|".join(map(re.escape, missing)) + r")(?:[\"'`. ]|$)")
    others = tuple(each for each in parsed.findings if not said.search(each.message))
    return (
        replace(parsed, findings=others)
        if others
        else replace(parsed, missing=f"the Python package {missing[0]}")
    )


def _is_own(project: Project, module: str) -> bool:
    """Whether the module's first name is one of the package's, at any place from which tests import."""
    package = project.package
    name = module.partition(".")[0]
    folder = f"{package.folder}/" if package.folder else ""
    roots = {"", "src/", "lib/", *(f"{test.rpartition('/')[0]}/" for test in project.tests if "/" in test)}
    starts = tuple(f"{folder}{root}{name}" for root in roots)
    return any(
        file.endswith(".py")
        and file.startswith(starts)
        and re.search(rf"(^|/){re.escape(name)}(/|\.py$)", file)
        for file in package.files
    )


def _is_asked_for(project: Project, module: str) -> bool:
    """Whether any text about requirements names a distribution that may hold the module."""
    parts = normalised(module).split("-")
    candidates = {"-".join(parts[:length]) for length in range(1, len(parts) + 1)}
    top = normalised(module.partition(".")[0])
    candidates |= {top, f"python-{top}", f"{top}-python", f"py{top}", _DISTRIBUTIONS.get(top, top)}
    words = {normalised(word) for word in re.findall(r"[A-Za-z0-9][\w.-]*", project.requirements)}
    # One name can hold the modules of many distributions: google-cloud-storage, opentelemetry-sdk.
    return bool(candidates & words) or any(word.startswith(f"{top}-") for word in words)
