"""What the leak proof costs beside thousands of other people's objects: seconds, and list calls.

    python benchmarks/leak_proof.py --objects 5000 --rounds 20

A workspace is made and deleted on the embedded platform; then the proof that nothing of it is left is taken again and
again, first in the cluster as it is, then with so many unrelated objects in it. The platform answers from the same
process, so that its own share is in the figures.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import uuid

from gatehouse.coder.client import CoderClient
from gatehouse.coder.workspaces import delete, wait_for_build
from gatehouse.core.deadline import Deadline
from gatehouse.embedded.kubernetes.kinds import CONFIG_MAP, SECRET, SERVICE_ACCOUNT
from gatehouse.embedded.platform import Platform
from gatehouse.kube.client import Cluster
from gatehouse.kube.inventory import Search, Subject
from gatehouse.task.leaks import prove_gone
from tests.platform.conftest import quick

#: The budget of one proof with 5,000 unrelated objects.
BUDGET = 0.5


def main() -> int:
    """Exit code 0 when the proof is within its budget and its number of calls does not grow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with (
        Platform(timings=quick()) as platform,
        CoderClient(platform.urls.coder, platform.credentials.coder) as coder,
        Cluster(platform.kubeconfig) as cluster,
    ):
        search = Search(cluster, Subject(""))
        search.remember_before()
        workspace = coder.create_workspace(
            f"gate-bench-{uuid.uuid4().hex[:8]}", template_version_id=coder.template("task").active_version_id
        )
        wait_for_build(coder, workspace.id, Deadline.after(30))
        search.subject = Subject(workspace.id, workspace.name, workspace.owner_name)
        delete(coder, workspace.id, Deadline.after(30))
        few = measure(platform, coder, cluster, workspace.id, search, options.rounds)
        platform.call(lambda systems: fill(systems, options.objects))
        many = measure(platform, coder, cluster, workspace.id, search, options.rounds)
    for name, (seconds, busy, calls) in {"as it is": few, f"{options.objects} more objects": many}.items():
        print(
            f"{name:>20}: median {statistics.median(seconds):.3f} s ({statistics.median(busy):.3f} s of the processor, "
            f"the platform's own included), slowest {max(seconds):.3f} s, {calls} list calls"
        )
    return 0 if statistics.median(many[0]) <= BUDGET and few[2] == many[2] else 1


def measure(platform, coder, cluster, workspace_id, search, rounds):
    """Seconds of each proof, those of the processor among them, and the list calls of the last one."""
    seconds, busy = [], []
    for _ in range(rounds):
        platform.call(lambda systems: systems.kubernetes.faults.counted.clear())
        started, processor = time.perf_counter(), time.process_time()
        proof = prove_gone(coder, cluster, workspace_id, Deadline.after(30), search=search)
        seconds.append(time.perf_counter() - started)
        busy.append(time.process_time() - processor)
        assert proof.outcome == "clean", proof
    counted = platform.call(lambda systems: dict(systems.kubernetes.faults.counted))
    return seconds, busy, sum(counted.values())


def fill(systems, count):
    """Objects of other people in one namespace, each as large as such objects are."""
    for number in range(count):
        kind = (CONFIG_MAP, SECRET, SERVICE_ACCOUNT)[number % 3]
        labels = {"app.kubernetes.io/name": f"service-{number % 50}", "app.kubernetes.io/part-of": "shop"}
        item = {"metadata": {"name": f"neighbour-{number}", "labels": labels}, "data": {"a": "eA==" * 500}}
        systems.store.create(kind, item, "coder")


if __name__ == "__main__":
    sys.exit(main())
