"""`pytest -m smoke` as a process of its own, with the suite's own files, on a platform of the test's choice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.platform.journeys import Ran

SUITE = Path(__file__).resolve().parents[2] / "suites" / "smoke"


class SmokeSuite:
    """A folder with files of the smoke suite, and pytest on it."""

    def __init__(self, folder, platform, *files, **coder):
        """`coder` are settings in place of the platform's own; None takes one away."""
        self.folder = folder
        place = folder / "suites" / "smoke"
        place.mkdir(parents=True)
        for name in files:
            shutil.copy(SUITE / name, place)
        (folder / "pytest.ini").write_text("[pytest]\n")
        settings = yaml.safe_load(platform.configuration_file.read_text())
        section = settings["targets"]["embedded"]["coder"]
        section |= coder
        for name in [name for name, value in section.items() if value is None]:
            del section[name]
        (folder / "gatehouse.yaml").write_text(yaml.safe_dump(settings))
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("GITHUB_", "GATEHOUSE_", "PYTEST_", "CODER_"))
                or name == "GATEHOUSE_BROWSER"
            },
            "GATEHOUSE_CONFIG": str(folder / "gatehouse.yaml"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }

    def run(self, *arguments):
        """What became of it."""
        command = [sys.executable, "-m", "pytest", "-m", "smoke", "-p", "no:cacheprovider", "-n0", *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr, (self.folder / "reports" / "latest").resolve())


def red(ran):
    """The tests that are red, by name, with all that they say."""
    found = {}
    for test in ran.results.tests.values():
        if test.failure:
            said = (test.failure.summary, test.failure.details, test.failure.next_step, test.failure.where)
            found[test.id.partition("::")[2]] = "\n".join(map(str, said))
    return found


def reasons(ran):
    """Why tests were skipped, by name."""
    return {
        test.id.partition("::")[2]: test.last.reason
        for test in ran.results.tests.values()
        if str(test.status) == "skipped"
    }
