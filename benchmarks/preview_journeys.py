"""What the evidence of browser tests costs: the same journeys by pytest-playwright alone and in the preview suite.

    make bench-journeys

Twenty journeys through the embedded platform's preview, in every way in each round, in changing order. A test's time is
that of its set-up, call and teardown; the first test of each run starts the browser and is left out.
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

import httpx
import yaml

from gatehouse.embedded.platform import PULL_REQUEST, Platform

JOURNEYS = """
import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("number", range(21))
def test_journey(page, number):
    page.goto("/")
    expect(page.get_by_role("heading", name="Products")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_count(2)
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("button", name="Sign in with single sign-on").click()
    page.get_by_label("Username or email").fill(f"somebody-{number}")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign In", exact=True).click()
    expect(page.get_by_text("Invalid username or password.")).to_be_visible()
"""

CONFTEST = """
import collections, json, os
import pytest
from gatehouse.preview.browser import find_browser

SECONDS = collections.Counter()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {"executable_path": find_browser(), **browser_type_launch_args}


def pytest_runtest_logreport(report):
    assert report.passed, report.longreprtext
    SECONDS[report.nodeid] += report.duration


def pytest_sessionfinish(session):
    if SECONDS:
        with open(os.environ["SECONDS_FILE"], "w") as file:
            json.dump(list(SECONDS.values()), file)
"""

KEPT = ["--tracing=retain-on-failure", "--screenshot=only-on-failure"]

#: Each way to run the journeys: its options, whether it is the suite, and what its requests carry.
WAYS = {
    "pytest-playwright, nothing kept": ([], False, ""),
    "pytest-playwright, trace and screenshot on failure": (KEPT, False, ""),
    "preview suite, trace and screenshot on failure": (["--video=off"], True, "none"),
    "preview suite, and trace context to the preview": (["--video=off"], True, "preview"),
    "preview suite, and video (the default)": ([], True, "none"),
}


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, Platform() as platform:
        root = Path(folder)
        suite = root / "suites" / "preview"
        suite.mkdir(parents=True)
        (root / "pytest.ini").write_text("[pytest]\n")
        (suite / "test_journeys.py").write_text(JOURNEYS)
        (suite / "conftest.py").write_text(CONFTEST)
        settings = yaml.safe_load(platform.configuration_file.read_text())
        url = settings["targets"]["embedded"]["preview"]["urls"]["www"].format(number=PULL_REQUEST)
        wait_for(url)
        seconds: dict[str, list[float]] = {name: [] for name in WAYS}
        for number in range(rounds):
            for name in random.sample(list(WAYS), len(WAYS)):
                found = run(root, settings, url, *WAYS[name])
                seconds[name] += found
                print(
                    f"round {number + 1}: {name}: {statistics.median(found) * 1000:.0f} ms", file=sys.stderr
                )
    show(seconds)


def wait_for(url: str) -> None:
    """Wait until the preview serves its start page."""
    host = httpx.URL(url)
    for _ in range(300):
        try:
            answer = httpx.get(host.copy_with(host="127.0.0.1"), headers={"Host": host.netloc.decode()})
            if answer.status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    sys.exit("the preview did not come up within a minute")


def run(root: Path, settings: dict, base_url: str, options: list[str], suite: bool, send: str) -> list[float]:
    """Seconds of each test but the first."""
    settings["targets"]["embedded"]["preview"]["correlation"] = {"send": send or "none"}
    (root / "gatehouse.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    chosen = ["-m", "preview"] if suite else ["-p", "no:gatehouse", f"--base-url={base_url}"]
    environment = {**os.environ, "SECONDS_FILE": str(root / "seconds.json")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *chosen, *options, "suites/preview"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    seconds: list[float] = json.loads((root / "seconds.json").read_text())
    return seconds[1:]


def show(seconds: dict[str, list[float]]) -> None:
    """Print medians, and ratios to plain pytest-playwright that keeps nothing, and to that which keeps the same."""
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    plain, same = list(medians.values())[:2]
    print(f"{'':52} {'median':>8} {'95th':>8}   of plain   of the same kept")
    for name, median in medians.items():
        worst = statistics.quantiles(seconds[name], n=20)[-1]
        print(
            f"{name:52} {median * 1000:5.0f} ms {worst * 1000:5.0f} ms   {median / plain:8.3f}   {median / same:8.3f}"
        )


if __name__ == "__main__":
    main()
