"""A suite, or `gatehouse baseline`, as a process that a test can interrupt."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from gatehouse.core.ledger import outstanding
from tests.platform.conftest import eventually

ROOT = Path(__file__).resolve().parents[2]

#: Variables of the machine that would change what is tested.
AMBIENT = ("GATEHOUSE_", "CODER_", "ARGOCD_", "GITHUB_", "KUBECONFIG", "PYTEST_", "CI")


class Interruptible:
    """A process in a group of its own, as a shell starts it: Ctrl-C goes to the whole group."""

    def __init__(self, platform, folder, *command, cwd=ROOT):
        self.folder = folder
        environment = {name: value for name, value in os.environ.items() if not name.startswith(AMBIENT)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=cwd,
            env={
                **environment,
                "GATEHOUSE_CONFIG": str(platform.configuration_file),
                "XDG_CACHE_HOME": str(folder / "cache"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def press_ctrl_c(self):
        os.killpg(self._process.pid, signal.SIGINT)

    def terminate(self):
        """As `kill`, or a CI that cancels: the one process gets the signal."""
        self._process.send_signal(signal.SIGTERM)

    def end(self, seconds=60):
        """What it printed, once it has ended by itself."""
        try:
            self.output, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self.output, _ = self._process.communicate()
            raise AssertionError(f"it has not ended within {seconds} s:\n{self.output}") from None
        self.exit_code = self._process.returncode
        return self.output

    def outstanding(self):
        """What its ledgers in the folder have as not proved gone."""
        return [entry for path in sorted(self.folder.rglob("ledger-*.jsonl")) for entry in outstanding(path)]

    def made(self, number=1):
        """The names of workspaces that Coder was asked for, once there are so many of which it gave the id."""

        def names():
            assert self._process.poll() is None, self._process.stdout.read()
            return [each.name for each in self.outstanding() if each.id]

        return eventually(lambda: len(names()) >= number and names(), seconds=40)


class InterruptibleSuite(Interruptible):
    """`pytest -m smoke`, or another suite."""

    def __init__(self, platform, folder, *arguments, suite="smoke"):
        self.bundle = folder / "evidence"
        options = ("-m", suite, "-p", "no:cacheprovider", f"--gate-evidence={self.bundle}")
        super().__init__(platform, folder, "pytest", *options, *arguments)

    @property
    def manifest(self):
        return json.loads((self.bundle / "manifest.json").read_text())


def living(platform):
    """The names of the workspaces that Coder has."""
    return platform.call(
        lambda systems: sorted(each.name for each in systems.database.workspaces.values() if not each.deleted)
    )


def stick(platform):
    """From now on no build is taken by a provisioner daemon."""
    platform.call(lambda systems: setattr(systems.provisioner.faults, "stuck", True))
