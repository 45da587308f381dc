"""What running a project of Playwright Test as part of the preview suite costs, beside running it alone.

    make bench-playwright-test

The same twenty journeys by `playwright test` alone and by `pytest -m preview`, one after the other in each round, in
changing order; a third way is twenty such journeys in Python by pytest-playwright. The site is on loopback, and the
proof of the preview is left out: what is measured is listing, starting, following, copying and reporting.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gatehouse.preview.browser import find_browser
from tests.support.journeys import NODE_MODULES, Checkout, Site

SPEC = """
import { expect, test } from '@playwright/test';
for (let number = 0; number < 20; number++) {
  test(`journey ${number}`, async ({ page }) => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'Hello' })).toBeVisible();
    await page.goto('/other');
    await expect(page.getByRole('heading', { name: 'Hello' })).toBeVisible();
  });
}
"""

PYTHON = """
import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("number", range(20))
def test_journey(page, number):
    page.goto("/")
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()
    page.goto("/other")
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()
"""

CONFIG = """
import { defineConfig } from '@playwright/test';
export default defineConfig({
  testDir: 'specs', workers: 1,
  use: {
    baseURL: process.env.BASE_URL, trace: 'retain-on-failure', screenshot: 'only-on-failure', video: 'off',
    launchOptions: { executablePath: process.env.CHROMIUM },
  },
});
"""


#: Hypothesis, which only this project's own tests use, takes most of a second at the end of a run.
PLUGINS = ("-p", "no:hypothesispytest")


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    if not NODE_MODULES.is_dir():
        sys.exit("run scripts/bootstrap first: the journeys' dependencies are not installed")
    with tempfile.TemporaryDirectory() as folder, Site().serving() as site:
        checkout = Checkout(Path(folder), site)
        checkout.add("e2e", {"journeys.spec.ts": SPEC}, config=CONFIG)
        checkout.write({"suites/preview/test_journeys.py": PYTHON})
        checkout.commit()
        ways = {
            "playwright test": lambda: alone(checkout),
            "the same in the preview suite": lambda: suite(checkout, "e2e/playwright.config.ts"),
            "pytest-playwright in the preview suite": lambda: suite(checkout, "suites/preview"),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name in random.sample(list(ways), len(ways)):
                began = time.monotonic()
                ways[name]()
                seconds[name].append(time.monotonic() - began)
                print(f"{name}: {seconds[name][-1]:.2f} s", file=sys.stderr)
    plain = statistics.median(seconds["playwright test"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:40} {median:6.2f} s   {median - plain:+.2f} s   of it alone {median / plain:.2f}")


def alone(checkout: Checkout) -> None:
    """`playwright test`, as its users run it."""
    environment = {**os.environ, "BASE_URL": checkout.site.url, "CHROMIUM": find_browser() or "", "CI": "1"}
    command = ["npx", "--no-install", "playwright", "test", "--reporter=list"]
    run(command, checkout.folder / "e2e", environment)


def suite(checkout: Checkout, path: str) -> None:
    """`pytest -m preview` on a path."""
    environment = {
        **os.environ,
        "CHROMIUM": find_browser() or "",
        "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
        "PROVED_PREVIEW": json.dumps({"urls": {"www": checkout.site.url}, "number": 7, "commit": "c" * 40}),
        "ARGOCD_AUTH_TOKEN": "none-is-needed",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-m", "preview", path, "--video=off", *PLUGINS]
    run(command, checkout.folder, environment)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
