"""Finds a Chromium to drive, and tries whether it starts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from gatehouse.core.errors import NotInstalled

VARIABLE = "GATEHOUSE_BROWSER"

#: Seconds that the browser may take to start.
TRIAL_TIMEOUT = 60

#: Names of Chromium on the PATH, in the order of preference.
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find_browser(environment: Mapping[str, str] = os.environ) -> str | None:
    """The browser named by `GATEHOUSE_BROWSER`, else the first of `NAMES` on the PATH; None if there is none."""
    if named := environment.get(VARIABLE):
        return named
    return next(filter(None, (shutil.which(name, path=environment.get("PATH")) for name in NAMES)), None)


def resolver_arguments(addresses: Mapping[str, str]) -> list[str]:
    """Chromium's arguments that point hostnames at addresses, as the probes do."""
    if not addresses:
        return []
    rules = ",".join(f"MAP {host} {address}" for host, address in addresses.items())
    return [f"--host-resolver-rules={rules}"]


def point_node_at(addresses: Mapping[str, str], environment: MutableMapping[str, str] = os.environ) -> None:
    """Point hostnames at addresses in every Node.js that is started from here, as Playwright's driver is."""
    script = Path(__file__).with_name("addresses.cjs")
    option = f'--require "{script}"'
    environment["GATEHOUSE_ADDRESSES"] = json.dumps(dict(addresses))
    if option not in environment.get("NODE_OPTIONS", ""):
        environment["NODE_OPTIONS"] = f"{environment.get('NODE_OPTIONS', '')} {option}".strip()


def require_browser() -> None:
    """Start and end the browser as the journeys will. Raises `NotInstalled` with the words of what failed.

    In a process of its own, because Playwright's driver writes why it cannot start to the process's output.
    """
    command = [sys.executable, "-m", "gatehouse.preview.browser"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TRIAL_TIMEOUT)
        code, output = done.returncode, done.stderr
    except subprocess.TimeoutExpired:
        code, output = -1, f"it did not start within {TRIAL_TIMEOUT} s"
    if code != 0:
        words = [line.strip() for line in output.splitlines() if line.strip() and line[0] not in "╔║╚"]
        raise NotInstalled(
            "the browser for the preview suite cannot be started",
            expected=find_browser() or "chromium on the PATH, or one installed by Playwright",
            seen="; ".join(words[:2]),
            next_step="run `playwright install --with-deps chromium`, or `apt-get install chromium libatomic1`, "
            f"or set {VARIABLE}",
        )


def main() -> int:
    """Launch the browser once: 0 if it starts, else 1 and the reason on standard error."""
    from playwright.sync_api import sync_playwright

    try:
        with sync_playwright() as playwright:
            playwright.chromium.launch(executable_path=find_browser()).close()
    except Exception as error:  # noqa: BLE001 - Playwright raises a bare Exception when its driver does not start
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
