"""Kills runs that start tasks, at moments of their lives, and sweeps after them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.core.ledger import outstanding

#: A run of its own: a task is started, used and destroyed, as a suite does. It says when it begins.
RUN = """
import sys
from pathlib import Path
from gatehouse.coder.client import CoderClient
from gatehouse.core.ledger import Ledger
from gatehouse.core.settings import load_settings
from gatehouse.kube.client import Cluster
from gatehouse.task.launcher import TaskLauncher

target = load_settings(Path(sys.argv[1])).targets["embedded"]
ledger = Path(sys.argv[2])
cluster = Cluster(target.kubernetes.kubeconfig)
with CoderClient(target.coder.url, target.coder.token.read()) as coder, cluster:
    launcher = TaskLauncher(target.task, coder, cluster, Ledger(ledger), ledger.parent.name)
    print("begun", flush=True)
    task = launcher.start()
    launcher.run(task, ["git", "status"])
    launcher.destroy(task.name).require_clean()
"""


@dataclass
class Kill:
    """What came of one kill: how old the run was, what it had in its ledger, and what the sweep said and left."""

    after: float
    outstanding: list[str]
    exit_code: int
    report: dict[str, object]
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self):
        return not self.problems


def begin(platform, folder):
    """A run that has just begun; its bundle is `folder`."""
    folder.mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, platform.configuration_file, folder / "ledger-main.jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"begun\n", process.communicate()[1].decode()
    return process


def lifetime(platform, folder):
    """Seconds that a run takes which nobody kills."""
    process = begin(platform, folder)
    started = time.monotonic()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    return time.monotonic() - started


def kill(platform, folder, when):
    """Kill a run `when` it is time: seconds of its life, or a condition on its ledger. Seconds it lived are given."""
    process = begin(platform, folder)
    ledger = folder / "ledger-main.jsonl"
    started = time.monotonic()
    if callable(when):
        while not when(ledger) and process.poll() is None:
            time.sleep(0.001)
    else:
        time.sleep(when)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return time.monotonic() - started


def kill_and_sweep(platform, folder, when):
    """Kill a run as `kill` does, sweep in a new process, and tell what came of it."""
    after = kill(platform, folder, when)
    ledger = folder / "ledger-main.jsonl"
    had = [entry.name for entry in outstanding(ledger)] if ledger.exists() else []
    done = sweep(platform, folder)
    report = json.loads(done.stdout or "{}")
    came = Kill(after, had, done.returncode, report)
    came.problems = _problems(platform, ledger, came, done.stderr)
    return came


def begin_sweep(platform, folder):
    """`gatehouse sweep` of a bundle, as a process of its own that has just been started."""
    return subprocess.Popen(
        [sys.executable, "-m", "gatehouse.cli", "sweep", "--json", folder],
        env={**os.environ, "GATEHOUSE_CONFIG": str(platform.configuration_file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sweep(platform, folder):
    """What `gatehouse sweep` of a bundle says in the end."""
    process = begin_sweep(platform, folder)
    output, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def _problems(platform, ledger, came, errors):
    """All that is not as it should be after a sweep, as the platform itself sees it."""
    problems = [] if came.exit_code == 0 else [f"exit code {came.exit_code}: {errors}"]
    rows = came.report.get("rows", [])
    if sorted(row["name"] for row in rows) != sorted(came.outstanding):
        problems.append(f"the sweep reported {rows}, the ledger had {came.outstanding}")
    problems += [f"{row['name']}: {row['outcome']}" for row in rows if row["outcome"] != "clean"]
    if ledger.exists() and outstanding(ledger):
        problems.append("the ledger has entries yet")
    return problems + platform.call(left)


def left(systems):
    """What the platform has of workspaces, whoever made them."""
    live = [each.name for each in systems.database.workspaces.values() if not each.deleted]
    objects = [
        f"{kind.plural} {item['metadata']['name']}"
        for kind, item in systems.store.everything()
        if "coder-ws-" in json.dumps([item["metadata"], item.get("spec", {}).get("claimRef")])
        and kind.name != "Event"
    ]
    return [f"workspace {name} lives" for name in live] + objects


def intended(ledger: Path) -> bool:
    """The task is in the ledger: its create call is about to be sent."""
    return ledger.exists() and b'"event": "intend"' in ledger.read_bytes()


def created(ledger: Path) -> bool:
    """Coder has answered the create call."""
    return ledger.exists() and b'"event": "created"' in ledger.read_bytes()
