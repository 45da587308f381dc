"""What a project of Playwright Test consists of: its configuration, its own Playwright, and a node that runs it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from gatehouse.core.errors import EnvironmentProblem, NotInstalled

#: Names of configuration files, as Playwright Test looks for them.
CONFIG_NAMES = tuple(f"playwright.config.{suffix}" for suffix in ("ts", "js", "mts", "mjs", "cts", "cjs"))

#: The oldest version whose options and reporter interface are relied upon.
OLDEST = (1, 40)

#: How the dependencies of a checkout are installed, by lockfile.
INSTALL_COMMANDS = {
    "package-lock.json": "npm ci",
    "npm-shrinkwrap.json": "npm ci",
    "pnpm-lock.yaml": "pnpm install --frozen-lockfile",
    "yarn.lock": "yarn install --frozen-lockfile",
    "bun.lock": "bun install --frozen-lockfile",
    "bun.lockb": "bun install --frozen-lockfile",
}

#: Seconds that `node --version` may take.
NODE_TIMEOUT = 30


@dataclass(frozen=True)
class Installation:
    """The project's own `@playwright/test`; `folder` is the package's, `module` whether the configuration is ESM."""

    config: Path
    folder: Path
    version: str
    node: str
    module: bool

    @property
    def command(self) -> list[str]:
        """What `npx playwright` would start, without npx."""
        return [self.node, str(self.folder / "cli.js")]


def find_config(folder: Path, name: str | None = None) -> Path:
    """The configuration file in `folder`. Raises `EnvironmentProblem` for none, or several and no `name`."""
    if not folder.is_dir():
        raise EnvironmentProblem(
            f"the folder {folder} of a Playwright Test project does not exist",
            next_step="correct playwright_test[].folder in gatehouse.yaml; it is relative to that file",
        )
    if name is not None:
        if (folder / name).is_file():
            return folder / name
        raise EnvironmentProblem(
            f"{folder} has no {name}",
            seen=", ".join(each for each in CONFIG_NAMES if (folder / each).is_file()),
            next_step="correct playwright_test[].config in gatehouse.yaml",
        )
    found = [each for each in CONFIG_NAMES if (folder / each).is_file()]
    if len(found) > 1:
        raise EnvironmentProblem(
            f"{folder} has several configurations of Playwright Test",
            seen=", ".join(found),
            next_step="name one with playwright_test[].config in gatehouse.yaml",
        )
    if not found:
        raise EnvironmentProblem(
            f"{folder} has no configuration of Playwright Test",
            expected=", ".join(CONFIG_NAMES[:2]) + " or the like",
            next_step="correct playwright_test[].folder in gatehouse.yaml, or name the file with config",
        )
    return folder / found[0]


def installation(config: Path, nodes: Iterable[str] | None = None) -> Installation:
    """What runs the project of `config`. Raises `NotInstalled` for what is missing, and how to install it."""
    package = _find_package(config.parent)
    described = _read_json(package / "package.json")
    version = str(described.get("version", ""))
    if _numbers(version)[:2] < OLDEST:
        raise NotInstalled(
            f"Playwright Test {version} of {config.parent} is too old",
            expected=".".join(map(str, OLDEST)) + " or newer",
            where=str(package),
            next_step=f"raise it in package.json and run {install_command(config.parent)}",
        )
    needed = _numbers(str(described.get("engines", {}).get("node", "")))
    node = _find_node(needed, nodes if nodes is not None else known_nodes(), f"Playwright Test {version}")
    return Installation(config, package.resolve(), version, node, is_module(config))


def is_module(config: Path) -> bool:
    """Whether node takes a file for an ES module: by its suffix, else by the nearest package.json."""
    if config.suffix in (".mjs", ".mts"):
        return True
    if config.suffix in (".cjs", ".cts"):
        return False
    for folder in config.parents:
        if (folder / "package.json").is_file():
            return _read_json(folder / "package.json").get("type") == "module"
    return False


def install_command(folder: Path) -> str:
    """How the project's dependencies are installed, and where, told by the nearest lockfile."""
    for parent in (folder, *folder.parents):
        for name, command in INSTALL_COMMANDS.items():
            if (parent / name).is_file():
                if name == "yarn.lock" and (parent / ".yarnrc.yml").is_file():
                    command = "yarn install --immutable"
                return f"`{command}` in {parent}"
        if (parent / ".git").exists():
            break
    return f"`npm install` in {folder}"


def known_nodes() -> list[str]:
    """The node on the PATH, then the one that Python's Playwright brings."""
    import playwright

    bundled = Path(playwright.__file__).parent / "driver" / "node"
    return [each for each in (shutil.which("node"), str(bundled) if bundled.is_file() else None) if each]


def _find_package(folder: Path) -> Path:
    """The package that `import '@playwright/test'` means in `folder`, found as node does: here, then upwards."""
    for parent in (folder, *folder.parents):
        package = parent / "node_modules" / "@playwright" / "test"
        if (package / "package.json").is_file():
            return package
    plug_and_play = any((parent / ".pnp.cjs").is_file() for parent in (folder, *folder.parents))
    raise NotInstalled(
        f"the dependencies of {folder} are not installed: there is no @playwright/test",
        expected=f"{folder}/node_modules/@playwright/test, or the same in a folder above",
        seen="Yarn's Plug'n'Play, which keeps no node_modules" if plug_and_play else "",
        next_step="set `nodeLinker: node-modules` in .yarnrc.yml and run `yarn install`"
        if plug_and_play
        else f"run {install_command(folder)}",
    )


def _find_node(needed: tuple[int, ...], nodes: Iterable[str], what: str) -> str:
    seen = []
    for node in nodes:
        version = _node_version(node)
        if version and _numbers(version) >= needed:
            return node
        seen.append(f"{node} is {version or 'not to be started'}")
    raise NotInstalled(
        f"there is no node that runs {what}",
        expected=f"node {'.'.join(map(str, needed)) or 'of any version'} or newer",
        seen="; ".join(seen) or "none on the PATH",
        next_step="install Node.js (Debian and Ubuntu: apt-get install nodejs), or a newer one",
    )


@lru_cache
def _node_version(node: str) -> str:
    """What a node says of itself; asked once, though a project is listed and run."""
    try:
        done = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=False, timeout=NODE_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version or of a range such as >=18.2."""
    match = re.search(r"\d+(\.\d+)*", version)
    return tuple(int(each) for each in match[0].split(".")) if match else ()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"{path} cannot be read as JSON", seen=str(error)) from error
    return data if isinstance(data, dict) else {}
