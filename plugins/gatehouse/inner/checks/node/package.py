"""A package.json with what is around it: scripts, dependencies, package manager, installed tools."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gatehouse.inner.checks.parsing import text_of
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Links, Package, Phase

INSTALL = "install Node.js (https://nodejs.org) and put node and npm on the PATH"

#: Which lockfile means which package manager, and how it installs exactly what the lockfile says.
MANAGERS = {
    "pnpm-lock.yaml": ("pnpm", "pnpm install --frozen-lockfile"),
    "yarn.lock": ("yarn", "yarn install --frozen-lockfile"),
    "bun.lock": ("bun", "bun install --frozen-lockfile"),
    "bun.lockb": ("bun", "bun install --frozen-lockfile"),
    "package-lock.json": ("npm", "npm ci"),
    "npm-shrinkwrap.json": ("npm", "npm ci"),
}

#: Files by which one sees that Yarn is of version 2 or later.
BERRY = (".yarnrc.yml", ".pnp.cjs", "node_modules/.yarn-state.yml")

#: What package managers leave behind when they have installed.
MARKERS = (
    *("node_modules/.package-lock.json", "node_modules/.modules.yaml", "node_modules/.yarn-integrity"),
    *("node_modules/.yarn-state.yml", ".pnp.cjs"),
)

#: Programs that run sources without Node.
RUNTIMES = {"bun": "https://bun.com", "deno": "https://deno.com"}

DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")

#: Processors that a test runner may use.
PARALLEL = 2

#: How Yarn says that no installed dependency has a program of that name.
_NO_PROGRAM = re.compile(r"Couldn't find a (?:script|binary) named \"([^\"]+)\"")
#: How Deno says that a module from elsewhere is not on this machine.
_NO_MODULE = re.compile(r"Specifier not found in cache: \"([^\"]+)\"")
_ABSENT = re.compile(
    r"(?:Cannot find (?:module|package)|Could not resolve|Failed to resolve import) ['\"]([^'\"]+)['\"]"
)


def manifest_of(package: Package) -> dict[str, Any] | str:
    """The manifest, or what is wrong with it."""
    return _read(package.root / package.manifest)


def _read(path: Path) -> dict[str, Any] | str:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        return str(error)
    return data if isinstance(data, dict) else f"expected an object, seen {type(data).__name__}"


def dependencies_of(manifest: dict[str, Any]) -> frozenset[str]:
    """The names of everything that the manifest asks for."""
    tables = (manifest.get(name) for name in DEPENDENCIES)
    return frozenset(name for table in tables if isinstance(table, dict) for name in table)


def links(package: Package) -> Links:
    """A package needs those of the checkout whose names are among its dependencies, whatever the version says."""
    manifest = manifest_of(package)
    if isinstance(manifest, str):
        return Links()
    name = manifest.get("name")
    return Links(name if isinstance(name, str) else "", dependencies_of(manifest))


def absent_dependency(check: Check, text: str) -> str:
    """The dependency that a tool cannot find, if the manifest asks for it and it is not installed; else empty."""
    manifest = manifest_of(check.package)
    declared = dependencies_of(manifest) if isinstance(manifest, dict) else frozenset()
    if program := _NO_PROGRAM.search(text):
        return program[1]
    if module := _NO_MODULE.search(text):
        return f"the module {module[1]}"
    for specifier in _ABSENT.findall(text):
        name = "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])
        if name in declared and not _is_installed(check.package, name):
            return f"the dependency {name}"
    return ""


def _is_installed(package: Package, name: str) -> bool:
    folders = [package.path, *package.path.parents]
    inside = folders[: folders.index(package.root) + 1]
    return any((folder / "node_modules" / name).exists() for folder in inside)


@dataclass(frozen=True)
class NodePackage:
    """A package with its manifest, as the checks ask for it."""

    package: Package
    tools: Tools
    manifest: dict[str, Any]

    @cached_property
    def scripts(self) -> dict[str, str]:
        """The scripts that are texts, as npm wants them."""
        scripts = self.manifest.get("scripts")
        found = scripts if isinstance(scripts, dict) else {}
        return {name: text for name, text in found.items() if isinstance(text, str) and text.strip()}

    @cached_property
    def is_workspace_root(self) -> bool:
        """Whether other packages are installed together with this one."""
        return "workspaces" in self.manifest or (self.package.path / "pnpm-workspace.yaml").is_file()

    @cached_property
    def manager(self) -> tuple[str, str]:
        """The package manager and its command for installing, from the nearest lockfile."""
        lockfile = self.tools.beside(self.package, *MANAGERS)
        if lockfile and lockfile.endswith("yarn.lock") and self.tools.beside(self.package, *BERRY):
            return "yarn", "yarn install --immutable"
        if lockfile:
            return MANAGERS[Path(lockfile).name]
        named = str(self.manifest.get("packageManager", "")).partition("@")[0]
        return (named, f"{named} install") if named in ("pnpm", "yarn", "bun") else ("npm", "npm install")

    @cached_property
    def marker(self) -> str | None:
        """The file by which one sees that dependencies are installed."""
        return self.tools.beside(self.package, *MARKERS)

    def program(self, name: str) -> str | None:
        """The installed tool of that name, next to the package first; the PATH's only if no dependency is meant."""
        local = self.tools.beside(self.package, f"node_modules/.bin/{name}")
        return local or (None if name in dependencies_of(self.manifest) else self.tools.find(name))

    def asks_for(self, dependency: str) -> bool:
        """Whether the package, or one above it whose dependencies it shares, asks for the dependency."""
        folder = self.package.path
        while True:
            manifest = _read(folder / "package.json")
            if isinstance(manifest, dict) and dependency in dependencies_of(manifest):
                return True
            if folder in (self.package.root, folder.parent):
                return False
            folder = folder.parent

    def version(self, dependency: str) -> tuple[int, int]:
        """The first two numbers of the installed version, else of what the manifest asks for; zeros without any."""
        found = self.tools.beside(self.package, f"node_modules/{dependency}/package.json")
        installed = _read(Path(found)) if found else {}
        tables = (self.manifest.get(name) for name in DEPENDENCIES)
        asked = next(
            (table[dependency] for table in tables if isinstance(table, dict) and dependency in table), ""
        )
        text = installed.get("version") if isinstance(installed, dict) else ""
        match = re.search(r"(\d+)(?:\.(\d+))?", str(text or asked))
        return (int(match[1]), int(match[2] or 0)) if match else (0, 0)

    def check(self, name: str, phase: Phase, blame: Blame, tool: str, *arguments: str, **more: Any) -> Check:
        """A check that runs an installed tool; `more` are further fields of the check."""
        node = self.tools.find("node")
        if self._has_no_folder and tool != self.manager[0] and tool not in RUNTIMES:
            words = self._through_yarn(tool)
            missing, how = self._missing("yarn", words[0] if words else None)
        else:
            program = self.program(tool) if tool != "node" else node
            words = (program,) if program else ()
            missing, how = self._missing(tool, program)
        inputs = [each for each in (node, *words[:2], self.marker) if each and Path(each).is_absolute()]
        environment = {"COREPACK_ENABLE_NETWORK": "0", **more.pop("env", {})}
        return Check(
            *(self.package, f"node-{name}", phase, blame, (*(words or (tool,)), *arguments)),
            env=environment,
            missing=missing,
            how_to_install=how,
            inputs=tuple(dict.fromkeys(inputs)),
            **more,
        )

    @cached_property
    def _has_no_folder(self) -> bool:
        """Whether Yarn keeps the dependencies elsewhere than in a folder `node_modules`."""
        return self.tools.beside(self.package, ".pnp.cjs") is not None

    def _through_yarn(self, tool: str) -> tuple[str, ...]:
        """How Yarn is told to run a tool that is in no folder; empty where there is no Yarn."""
        settings = self.tools.beside(self.package, ".yarnrc.yml")
        own = (
            re.search(r"^yarnPath: *[\"']?([^\"'\n]+)", text_of(settings), re.MULTILINE) if settings else None
        )
        node, yarn = self.tools.find("node"), self.tools.find("yarn")
        words = (node, str(Path(settings).parent / own[1])) if settings and own and node else (yarn,)
        call = ("node",) if tool == "node" else ("run", "--binaries-only", tool)
        return (*(each for each in words if each), *call) if words[0] else ()

    def script(self, name: str, script: str, phase: Phase, blame: Blame, **more: Any) -> Check:
        """A check that has the package manager run a script."""
        return self.check(name, phase, blame, self.manager[0], "run", "--silent", script, **more)

    def _missing(self, tool: str, program: str | None) -> tuple[str, str]:
        install = f"run `{self.manager[1]}` in {self.package.folder or 'the checkout'}"
        if tool not in RUNTIMES and not self.tools.find("node"):
            return "node", INSTALL
        if dependencies_of(self.manifest) and not self.marker and not self._has_modules():
            return "what package.json asks for", install
        if tool in RUNTIMES:
            own = f"run `{tool} install` in {self.package.folder or 'the checkout'}"
            return ("", own) if program else (tool, f"install {tool} ({RUNTIMES[tool]})")
        if program:
            return "", install
        return tool, f"install {tool}" if tool == self.manager[0] else install

    def _has_modules(self) -> bool:
        """Bun leaves no marker but the folder itself."""
        return self.manager[0] == "bun" and (self.package.path / "node_modules").is_dir()
