"""What Gradle's settings and build files say about a project, without running Gradle."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from gatehouse.inner.checks.files import read_text
from gatehouse.inner.model import Links, Package

SETTINGS = ("settings.gradle.kts", "settings.gradle")


def build_file(package: Package) -> str:
    """The text of the project's build file; empty without one."""
    paths = [package.path / name for name in ("build.gradle.kts", "build.gradle")]
    return next((read_text(path) for path in paths if path.is_file()), "")


def settings_folder(package: Package) -> str:
    """The nearest folder above, or the package's own, that has settings, relative to the root; else its own."""
    for folder in (PurePosixPath(package.folder), *PurePosixPath(package.folder).parents):
        if any((package.root / folder / name).is_file() for name in SETTINGS):
            return "" if folder == PurePosixPath() else str(folder)
    return package.folder


def project_prefix(package: Package) -> str:
    """What a task's name begins with to be of this project only; settings may give a project another folder."""
    settings = settings_folder(package)
    below = package.folder.removeprefix(settings).strip("/")
    for name in SETTINGS:
        path = package.root / settings / name
        text = read_text(path) if path.is_file() else ""
        moved = re.findall(r"project\(\s*[\"']([^\"']+)[\"']\s*\)\.projectDir\s*=.*[\"']([^\"']+)[\"']", text)
        for project, folder in moved:
            if folder.removeprefix("./").strip("/") == below:
                return f"{project}:"
    return f":{below.replace('/', ':')}:" if below else ":"


def links(package: Package) -> Links:
    """The folders of the projects that the build file names, of `buildSrc`, and of the settings."""
    text = build_file(package)
    named = re.findall(r"project\(\s*(?:path\s*[=:]\s*)?[\"']:([^\"']*)[\"']", text)
    named += [
        # projects.someModule.api is the project :some-module:api
        re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", each).lower().replace(".", ":")
        for each in re.findall(r"\bprojects\.([\w.]+)", text)
    ]
    settings = settings_folder(package)
    folders = {f"{settings}/{each.replace(':', '/')}".strip("/") for each in [*named, "buildSrc"]}
    return Links(folders=frozenset(folders | {settings}))
