"""Finds a Chromium to drive, and tries whether it starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from gatehouse.core.errors import NotInstalled
from gatehouse.core.processes import ProcessOwner

VARIABLE = "GATEHOUSE_BROWSER"

#: Seconds that a browser may take to start, and Playwright's driver besides.
LAUNCH_TIMEOUT = 30
DRIVER_TIMEOUT = 30

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


def launch_options(engine: str, channel: str | None = None) -> dict[str, Any]:
    """What an engine is launched with here: Chromium with the browser that was found, unless a channel is named."""
    if channel:
        return {"channel": channel}
    found = find_browser() if engine == "chromium" else None
    return {"executable_path": found} if found else {}


def require_browser(
    engines: Sequence[str] = ("chromium",), *, channel: str | None = None, headed: bool = False
) -> None:
    """Start and end each browser as the journeys will. Raises `NotInstalled` with the words of what failed.

    In a process of its own, because Playwright's driver writes why it cannot start to the process's output.
    """
    for engine in engines or ("chromium",):
        options = {
            **launch_options(engine, channel),
            "headless": not headed,
            "timeout": LAUNCH_TIMEOUT * 1000,
        }
        command = [sys.executable, "-m", "gatehouse.preview.browser", engine, json.dumps(options)]
        with ProcessOwner() as owner:  # also of a browser that does not end
            done = owner.run(command, timeout=LAUNCH_TIMEOUT + DRIVER_TIMEOUT)
        if done.exit_code != 0:
            words = f"it did not start within {LAUNCH_TIMEOUT} s" if done.timed_out else done.stderr
            raise _not_started(engine, options, words)


def _not_started(engine: str, options: Mapping[str, Any], output: str) -> NotInstalled:
    channel, path = options.get("channel"), options.get("executable_path")
    missing = re.search(r"xecutable doesn't exist|is not found at", output)
    default = "chromium on the PATH, or one installed by Playwright"
    install = f"run `playwright install --with-deps {channel or engine}`"
    if engine == "chromium" and not channel:
        install += f", or `apt-get install chromium libatomic1`, or set {VARIABLE}"
    return NotInstalled(
        f"the browser for the preview suite {'is not installed' if missing else 'cannot be started'}",
        expected=channel
        or path
        or (default if engine == "chromium" else f"{engine}, installed by Playwright"),
        seen=_words(output),
        next_step=next((step for pattern, step in _NEXT_STEPS if re.search(pattern, output)), install),
    )


#: What helps against what a browser, or Playwright about it, says; the first that is found.
_NEXT_STEPS = (
    (
        r"sandboxing failed|No usable sandbox",
        "let this machine have user namespaces (sysctl kernel.unprivileged_userns_clone=1, or a container's seccomp "
        "profile that allows them), or start the browser without its sandbox",
    ),
    (
        r"error while loading shared libraries|missing dependencies",
        "run `playwright install-deps`, or install the library",
    ),
    (r"X ?[Ss]erver|\$DISPLAY", "run it without --headed, or under `xvfb-run`"),
    (
        r"Timeout \d+ms exceeded",
        "see whether it is a Chromium, and not much older than this Playwright; name another one by "
        + VARIABLE,
    ),
)


def _words(output: str) -> str:
    """Why it did not start: Playwright's first line, what the program itself printed, and how it ended."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and line.strip()[0] not in "╔║╚"]
    printed = [found[1] for line in lines if (found := re.search(r"\[pid=\d+\]\[(?:err|out)\] (.+)", line))]
    ended = re.search(r"exitCode=(\S+), signal=(\S+?)>", output)
    first = [line.removeprefix("BrowserType.launch: ") for line in lines[:1]]
    how = [f"it ended with {ended[1] if ended[2] == 'null' else ended[2]}"] if ended else []
    return "; ".join(each[:300] for each in [*first, *dict.fromkeys(printed[:3]), *how])


def main(engine: str = "chromium", options: str = "") -> int:
    """Launch a browser once: 0 if it starts, else 1 and the reason on standard error. `options` are JSON."""
    from playwright.sync_api import sync_playwright

    given = json.loads(options) if options else launch_options(engine)
    try:
        with sync_playwright() as playwright:
            getattr(playwright, engine).launch(**given).close()
    except Exception as error:  # noqa: BLE001 - Playwright raises a bare Exception when its driver does not start
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
