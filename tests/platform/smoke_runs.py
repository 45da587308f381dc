"""The real smoke suite, or a part of it, as a process of its own against a platform with faults."""

import os
from pathlib import Path

import yaml

from tests.platform.journeys import Ran
from tests.support.forked import run_pytest

ROOT = Path(__file__).resolve().parents[2]

#: Variables of the machine that would change what is tested.
AMBIENT = ("GATEHOUSE_", "CODER_", "ARGOCD_", "GITHUB_", "KUBECONFIG", "PYTEST_")


class SmokeRun(Ran):
    """What became of each test: `failed` and `skipped` have the words by the test's name."""

    def __init__(self, platform, folder, *arguments, cwd=ROOT, environment=None, without=(), **coder):
        """`without` are sections that the target has not; `coder` are settings of Coder in place of its own.

        None takes a setting away.
        """
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(AMBIENT) or name == "GATEHOUSE_BROWSER"
        }
        evidence = folder / "evidence"
        options = ("-m", "smoke", "-p", "no:cacheprovider", "-n0", f"--gate-evidence={evidence}")
        done = run_pytest(
            [*options, *arguments],
            cwd,
            {
                **kept,
                "GATEHOUSE_CONFIG": str(_configuration(platform, folder, without, coder)),
                "XDG_CACHE_HOME": str(folder / "cache"),
                **(environment or {}),
            },
        )
        super().__init__(done.returncode, done.stdout + done.stderr, evidence)
        self.passed, self.failed, self.skipped = set(), {}, {}
        for test in self.results.tests.values():
            name = test.id.partition("::")[2]
            if test.failure:
                said = (
                    test.failure.summary,
                    test.failure.details,
                    test.failure.next_step,
                    test.failure.where,
                )
                self.failed[name] = "\n".join(map(str, said))
            elif str(test.status) == "skipped":
                self.skipped[name] = test.last.reason.removeprefix("Skipped: ")
            elif str(test.status) == "passed":
                self.passed.add(name)


def _configuration(platform, folder, without, coder):
    """The platform's own configuration, or one like it with what is different here."""
    if not without and not coder:
        return platform.configuration_file
    settings = yaml.safe_load(platform.configuration_file.read_text())
    target = settings["targets"]["embedded"]
    for section in without:
        del target[section]
    target["coder"] = {k: v for k, v in {**target["coder"], **coder}.items() if v is not None}
    file = folder / "gatehouse.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file
