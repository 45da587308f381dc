"""Finds a Chromium to drive."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "GATEHOUSE_BROWSER"

#: Names of Chromium on the PATH, in the order of preference.
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find_browser(environment: Mapping[str, str] = os.environ) -> str | None:
    """The browser named by `GATEHOUSE_BROWSER`, else the first of `NAMES` on the PATH; None if there is none."""
    if named := environment.get(VARIABLE):
        return named
    return next(filter(None, (shutil.which(name, path=environment.get("PATH")) for name in NAMES)), None)


def has_playwright_browser(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `playwright install chromium` has been run for this user."""
    folder = environment.get("PLAYWRIGHT_BROWSERS_PATH")
    roots = (
        [Path(folder)]
        if folder
        else [Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright"]
    )
    return any(any(root.glob("chromium*-*/")) for root in roots)


def resolver_arguments(addresses: Mapping[str, str]) -> list[str]:
    """Chromium's arguments that point hostnames at addresses, as the probes do."""
    if not addresses:
        return []
    rules = ",".join(f"MAP {host} {address}" for host, address in addresses.items())
    return [f"--host-resolver-rules={rules}"]


if __name__ == "__main__":
    # For scripts/bootstrap: exit code 0 if there is a browser.
    sys.exit(0 if find_browser() or has_playwright_browser() else 1)
