"""Small suites of journeys, run by `pytest -m preview` as a process of their own on a preview."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import yaml

from gatehouse.evidence.record import read_record
from gatehouse.evidence.results import read_results
from tests.platform.conftest import eventually
from tests.support.forked import run_pytest
from tests.support.journeys import OPTIONS

FILE = "suites/preview/test_journeys.py"


#: Steps that many journeys have, for the tests of a suite.
HELPERS = """
import os, re, signal, threading, time
import pytest
from playwright.sync_api import expect


def sign_in(page, preview, persona):
    page.goto(preview.urls["platform"] + "/login")
    page.get_by_role("button", name="Sign in with single sign-on").click()
    page.get_by_label("Username or email").fill(persona.username)
    page.get_by_label("Password").fill(persona.password)
    page.get_by_role("button", name="Sign In", exact=True).click()
"""


class Ran:
    """A suite that was run: its exit code, what was printed, and its bundle."""

    def __init__(self, exit_code, output, bundle):
        self.exit_code, self.output, self.bundle = exit_code, output, bundle
        self.events = list(read_record(bundle / "record.jsonl"))
        self.results = read_results(self.events)

    def test(self, name):
        """The result of a test by its function's name."""
        (found,) = [each for each in self.results.tests.values() if _name(each.id) == name]
        return found

    def journeys(self, name):
        """What was found out about each attempt of a test."""
        return [each for each in self.events if each["event"] == "journey" and _name(each["test"]) == name]

    @property
    def classes(self):
        """Whose fault each test's failure was, or what became of it otherwise."""
        return {
            _name(test.id): test.failure.failure_class if test.failure else str(test.status)
            for test in self.results.tests.values()
        }

    def artifacts(self, name, kind):
        """Paths of what was kept of a test."""
        return [self.bundle / each["path"] for each in self.test(name).attachments if each["name"] == kind]

    def texts(self):
        """Every file of the bundle that is text, by its path."""
        found = {}
        for path in self.bundle.rglob("*"):
            if path.is_file():
                try:
                    found[path.relative_to(self.bundle).as_posix()] = path.read_text()
                except UnicodeDecodeError:
                    continue
        return found


class Journeys:
    """A folder with a suite of journeys, and pytest on it."""

    def __init__(self, folder, platform, tests, **preview):
        """`preview` are settings to use in place of the platform's own; None takes one away."""
        self.folder, self.platform = folder, platform
        file = folder / FILE
        file.parent.mkdir(parents=True)
        file.write_text(HELPERS + tests)
        (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    flaky: pytest-rerunfailures\n")
        settings = yaml.safe_load(platform.configuration_file.read_text())
        section = settings["targets"]["embedded"]["preview"]
        section |= {"settle_seconds": 0.1, "answers_in_a_row": 1, **preview}
        for name in [name for name, value in section.items() if value is None]:
            del section[name]
        (folder / "gatehouse.yaml").write_text(yaml.safe_dump(settings))
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("GITHUB_", "GATEHOUSE_", "PYTEST_", "NODE_"))
            },
            "GATEHOUSE_CONFIG": str(folder / "gatehouse.yaml"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }

    def change(self, change):
        """Change the preview's settings."""
        file = self.folder / "gatehouse.yaml"
        settings = yaml.safe_load(file.read_text())
        change(settings["targets"]["embedded"]["preview"])
        file.write_text(yaml.safe_dump(settings))

    def begin(self, *arguments):
        """The run as a process."""
        command = [sys.executable, "-m", "pytest", *OPTIONS, *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def ended(self, process):
        """What became of it."""
        try:
            output, _ = process.communicate(timeout=100)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return self._ran(process.returncode, output)

    def run(self, *arguments):
        """What became of it, from beginning to end."""
        done = run_pytest([*OPTIONS, *arguments], self.folder, self.environment)
        return self._ran(done.returncode, done.stdout + done.stderr)

    def _ran(self, exit_code, output):
        eventually(lambda: not self.processes())  # none of its processes is left
        return Ran(exit_code, output, (self.folder / "reports" / "latest").resolve())

    def processes(self):
        """What still runs of it, by command line."""
        return list(command_lines(f"XDG_CACHE_HOME={self.folder / 'cache'}\0"))


def command_lines(environment=""):
    """The command lines of all processes whose environment holds this."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            wanted = environment.encode() in (entry / "environ").read_bytes()
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
        if wanted and line:
            yield line


@contextmanager
def requests_to(platform):
    """Keeps the requests that the preview's pods are sent: hostname, path and headers."""
    forwarder, seen = platform.call(lambda systems: systems.ingress._forwarder), []
    forward = forwarder.forward

    async def keeping(request, *arguments):
        host = request.headers["host"].split(":")[0]
        seen.append((host, request.url.path, dict(request.headers)))
        return await forward(request, *arguments)

    forwarder.forward = keeping
    try:
        yield seen
    finally:
        del forwarder.forward


def program(path, text):
    """A program with this text."""
    path.write_text(text)
    path.chmod(0o755)
    return path


def allure_results(bundle):
    """Every result that Allure has, newest last."""
    paths = sorted(
        (bundle / "allure-results").glob("*-result.json"), key=lambda each: each.stat().st_mtime_ns
    )
    return [json.loads(path.read_text()) for path in paths]


def _name(test_id):
    return test_id.partition("::")[2].partition("[")[0]
