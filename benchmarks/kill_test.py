"""Kills runs that start tasks at random moments of their lives; after each, a sweep must find and remove everything.

    python benchmarks/kill_test.py --kills 100 --seed 1

Each run is a process of its own that makes a task, runs a command in it and destroys it, on the embedded platform. It
is killed (SIGKILL) at a moment between its beginning and the end that it would have had, and a little more. Then
`gatehouse sweep` runs in another process, and the platform itself is asked what it still has: no workspace, no object
in the cluster, no volume may be left, the sweep's report must name just what the ledger had, and its exit code be 0.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from gatehouse.embedded.platform import Platform
from tests.platform.conftest import quick
from tests.support.kills import Kill, kill_and_sweep, lifetime


def main() -> int:
    """Exit code 0 when every kill was clean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    moments, kills = random.Random(options.seed), []
    # Builds take their time, so that sweeps come while some of them are under way.
    with tempfile.TemporaryDirectory() as scratch, Platform(timings=quick(build_apply=2.0)) as platform:
        folder = Path(scratch)
        lifetime(platform, folder / "20260101T000000Z-first")  # the first one of a new platform is slower
        whole = lifetime(platform, folder / "20260101T000000Z-whole")
        print(f"seed {options.seed}; a run that nobody kills takes {whole:.2f} s")
        for number in range(options.kills):
            started = time.monotonic()
            bundle = folder / f"20260101T000000Z-{number:06x}"
            kill = kill_and_sweep(platform, bundle, moments.uniform(0, 1.05 * whole))
            kills.append(kill)
            print(f"{number + 1:3} {_told(kill)} ({time.monotonic() - started:.1f} s)", flush=True)
    clean = sum(kill.clean for kill in kills)
    print(
        f"\n{clean} of {len(kills)} clean; {sum(bool(kill.outstanding) for kill in kills)} had left something"
    )
    states = Counter(row["state"] for kill in kills for row in kill.report.get("rows", []))
    print(f"Coder's state when the sweep came: {dict(states)}")
    print(f"median moment of the kill: {statistics.median(kill.after for kill in kills):.2f} s")
    return 0 if clean == len(kills) else 1


def _told(kill: Kill) -> str:
    rows = kill.report.get("rows", [])
    seen = ", ".join(f"{row['state']}: {row['done']}, {row['outcome']}" for row in rows) or "nothing was left"
    return f"killed after {kill.after:.2f} s; {seen}{''.join(f'; {each}' for each in kill.problems)}"


if __name__ == "__main__":
    sys.exit(main())
