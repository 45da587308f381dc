"""The image with which the smoke suite runs as a Job: this Python environment, and the suite of this checkout."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import gatehouse
from gatehouse.embedded.registry import Image, Registry

REPOSITORY, TAG = "registry.preview.localhost/gatehouse/gatehouse", "1"

_PACKAGE = Path(gatehouse.__file__).parent
_SUITE = Path("suites/smoke")

#: Variables that lead to this machine's browser; a container has another home folder, where none is.
_BROWSER = {
    "GATEHOUSE_BROWSER": "",
    "PLAYWRIGHT_BROWSERS_PATH": str(Path.home() / ".cache" / "ms-playwright"),
}


def push_suite_image(registry: Registry) -> None:
    """Publish the image; an installed package has no suite to put into it, so there is none then."""
    suite = _PACKAGE.parent.parent / _SUITE
    if not suite.is_dir():
        return

    async def unpack(folder: Path) -> None:
        shutil.copytree(suite, folder / _SUITE, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")

    variables = {name: os.environ.get(name, usual) for name, usual in _BROWSER.items()}
    environment = {name: value for name, value in variables.items() if value}
    environment["PYTHONPATH"] = str(_PACKAGE.parent)
    labels = {"org.opencontainers.image.title": REPOSITORY}
    registry.push(REPOSITORY, TAG, Image(environment=environment, unpack=unpack, labels=labels))
