"""What the harness adds to the platform's own time for one task, beside clients that poll; and fifty tasks at once.

    python benchmarks/task_overhead.py [--rounds N] [--parallel N]

Each round runs the same task (sleep 0.3) on one embedded platform three ways: by the launcher over `exec`, and by a
client that does no more than create, poll, run, delete, poll, every second and every five. The platform's own time
is by its records: from the create call to the ready agent, the command, and the delete build.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

import httpx

from gatehouse.coder.client import CoderClient
from gatehouse.coder.ownership import workspace_name
from gatehouse.core.ledger import Ledger
from gatehouse.core.task_settings import TaskSettings
from gatehouse.embedded.clock import Timings
from gatehouse.embedded.platform import Platform
from gatehouse.kube.client import Cluster
from gatehouse.task.launcher import TaskLauncher
from gatehouse.task.life import perform

COMMAND_SECONDS = 0.3
TASK = TaskSettings(
    template="task", profile="code", command=f"sleep {COMMAND_SECONDS}", channel="exec", budgets={"start": 60}
)
RUN = "20261122T000000Z-bench1"


def launched(platform, folder):
    """Seconds of one task by the launcher, and its workspace's id."""
    with (
        CoderClient(platform.urls.coder, platform.credentials.coder) as coder,
        Cluster(platform.kubeconfig) as cluster,
    ):
        coder.my_id()
        cluster.version()  # connections and imports are not the task's
        launcher = TaskLauncher(
            TASK, coder, cluster, Ledger(folder / "ledger.jsonl"), RUN, on_change=lambda _: None
        )
        began = time.perf_counter()
        report = perform(launcher, coder, TASK)
        seconds = time.perf_counter() - began
        assert report.outcome == "passed", report.error
        return seconds, report.proof.workspace, report.phases, sum(coder.requests.values())


def polled(platform, interval):
    """Seconds of one task by a client that polls, and its workspace's id."""
    headers = {"Coder-Session-Token": platform.credentials.coder}
    with httpx.Client(base_url=f"{platform.urls.coder}/api/v2", headers=headers) as http:
        template = next(each for each in http.get("/templates").json() if each["name"] == "task")
        began = time.perf_counter()
        body = {"name": workspace_name("poll", RUN), "template_version_id": template["active_version_id"]}
        workspace = http.post("/users/me/workspaces", json=body).json()["id"]

        def agent_ready():
            build = http.get(f"/workspaces/{workspace}").json()["latest_build"]
            return any(
                agent["lifecycle_state"] == "ready"
                for resource_ in build["resources"] or []
                for agent in resource_.get("agents") or []
            )

        while not agent_ready():
            time.sleep(interval)
        time.sleep(COMMAND_SECONDS)
        http.post(f"/workspaces/{workspace}/builds", json={"transition": "delete"})
        while http.get(f"/workspaces/{workspace}").status_code != 410:
            time.sleep(interval)
        return time.perf_counter() - began, workspace


def platform_seconds(platform, workspace_id):
    """What the platform itself took, by its records."""

    def read(systems):
        workspace = systems.database.workspaces[workspace_id]
        start, delete = workspace.builds[0], workspace.builds[-1]
        return _between(start.created_at, start.agent.ready_at) + _between(
            delete.created_at, delete.job.completed_at
        )

    return platform.call(read) + COMMAND_SECONDS


def _between(first, last):
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def parallel(platform, folder, number):
    """Seconds, requests to Coder and megabytes for `number` tasks at once, each in a thread of its own."""
    requests, problems = [], []

    def one(place):
        place.mkdir()
        try:
            requests.append(launched(platform, place)[3])
        except Exception as error:  # noqa: BLE001 - counted, not hidden
            problems.append(repr(error))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    threads = [threading.Thread(target=one, args=(folder / str(index),)) for index in range(number)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return time.perf_counter() - began, requests, grown / 1024, problems


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--parallel", type=int, default=50)
    options = parser.parse_args()
    added = {"launcher": [], "polling, 1 s": [], "polling, 5 s": []}
    phases = {}
    with tempfile.TemporaryDirectory() as folder, Platform(timings=Timings()) as platform:
        for _ in range(options.rounds):
            seconds, workspace, seen, _ = launched(platform, Path(folder))
            added["launcher"].append(seconds - platform_seconds(platform, workspace))
            for name, phase in seen.items():
                phases.setdefault(name, []).append(phase.seconds or 0.0)
            for interval in (1, 5):
                seconds, workspace = polled(platform, interval)
                added[f"polling, {interval} s"].append(seconds - platform_seconds(platform, workspace))
        base = statistics.median(added["launcher"])
        print("seconds added to the platform's own".ljust(40), "median      max   of the launcher's")
        for name, values in added.items():
            print(
                name.ljust(40),
                f"{statistics.median(values):6.3f} {max(values):8.3f} {statistics.median(values) / base:8.1f}",
            )
        print("phases:", ", ".join(f"{name} {statistics.median(each):.3f}" for name, each in phases.items()))
        if options.parallel:
            seconds, requests, grown, problems = parallel(platform, Path(folder), options.parallel)
            print(
                f"{options.parallel} tasks at once: {seconds:.1f} s, {sum(requests)} requests to Coder "
                f"({statistics.median(requests) if requests else 0:.0f} each), {grown:.0f} MB more (platform and "
                f"launchers in one process), {len(problems)} failed {problems[:2]}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
