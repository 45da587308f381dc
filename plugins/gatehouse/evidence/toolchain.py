"""What a run was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from gatehouse import __version__

_PACKAGES = ("pytest", "pytest-xdist", "pytest-playwright", "allure-pytest")


def toolchain() -> dict[str, str]:
    """Versions of the harness, of Python, of the platform and of what the harness builds on."""
    return {
        "gatehouse": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
