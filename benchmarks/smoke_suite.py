"""What the smoke suite takes, what it asks of Coder, and which of the known faults it finds.

    make bench-smoke

On the embedded platform, with builds that take no time: the whole suite with two workers, several times; the requests
that the busiest endpoint gets in a minute beside the limit of the server; and the detection matrix: each regression of
an upgrade (baseline, upgrade, suite) and each incident, with the tests that are red. A red test whose words are not
about the fault is counted as unrelated, and one that is likened to another class of regressions as wrongly likened.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from smoke_faults import INCIDENTS, REGRESSIONS, Fault

from gatehouse.embedded.clock import Timings
from gatehouse.embedded.platform import Platform

ROOT = Path(__file__).resolve().parents[1]

#: Steps of the platform that are not the suite's: as short as they can be.
QUICK = Timings(
    pod_schedule=0.01,
    image_pull=0.02,
    image_pull_backoff=0.1,
    readiness_period=0.03,
    pod_termination=0.01,
    namespace_termination=0.01,
    build_queue=0.02,
    build_apply=0.06,
    agent_connect=0.02,
    app_check=0.03,
)


@dataclass(frozen=True)
class Ran:
    """One run: seconds, exit code, and of each red test by its name the words, and the class that it is likened to."""

    seconds: float
    code: int
    red: Mapping[str, str]
    likened: Mapping[str, str]
    output: str


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="faults by name, in place of all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gatehouse-smoke-") as folder:
        if not options.only:
            duration(Path(folder), options.rounds)
        found = [matrix("regressions of an upgrade", REGRESSIONS, Path(folder), options.only)]
        found.append(matrix("incidents", INCIDENTS, Path(folder), options.only))
    detected, unrelated, wrong, number = (sum(each) for each in zip(*found, strict=True))
    print(
        f"\nfound: {detected} of {number}, red for another reason: {unrelated}, likened to a wrong class: {wrong}"
    )
    sys.exit(0 if detected == number and not unrelated and not wrong else 1)


def duration(folder: Path, rounds: int) -> None:
    """The whole suite with two workers, and what it asks."""
    seconds = []
    for number in range(rounds):
        with Platform(timings=QUICK) as platform:
            ran = suite(platform, folder / f"round-{number}", "-n", "2")
            counts = platform.call(lambda systems: systems.coder.rate_limiter.counted)
            limit = platform.call(lambda systems: systems.coder.rate_limiter.limit)
        if ran.code:
            sys.exit(
                f"this is no measurement: the suite is red on a platform that is well\n{ran.output[-3000:]}"
            )
        seconds.append(ran.seconds)
    busiest, most = max(counts.items(), key=lambda each: each[1])
    print(
        f"the whole suite, 2 workers: median {statistics.median(seconds):.1f} s of {rounds}, most {max(seconds):.1f} s"
    )
    print(
        f"requests in a run: {sum(counts.values())}; the busiest endpoint, in a minute: {most} of {limit} ({busiest})"
    )


def matrix(
    title: str, faults: Mapping[str, Fault], folder: Path, only: list[str] | None
) -> tuple[int, int, int, int]:
    """A line for each fault. Returns how many were found, how many tests were red for another reason, and how many
    were likened to a wrong class, of how many faults.
    """
    chosen = {name: fault for name, fault in faults.items() if not only or name in only}
    detected = unrelated = wrong = 0
    print(f"\n{title}")
    for name, fault in chosen.items():
        ran = against(name, fault, folder / name)
        related = [test for test, words in ran.red.items() if re.search(fault.words, words, re.IGNORECASE)]
        others = sorted(ran.red.keys() - set(related))
        found = any(fault.test in test for test in related) and ran.code == 1
        detected += found
        unrelated += len(others)
        about = f"{fault.test}" + (f", and {len(related) - 1} more" if len(related) > 1 else "")
        print(
            f"{'found' if found else 'MISSED':7} {name:36} {fault.source:12} {about if found else sorted(ran.red)}"
        )
        for test, like in ran.likened.items():
            if like not in fault.like:
                wrong += 1
                print(f"{'':7} wrongly likened to {like}: {test}: {ran.red.get(test, '')[:200]!r}")
        for test in others:
            print(f"{'':7} unrelated: {test}: {ran.red[test][:200]!r}")
    return detected, unrelated, wrong, len(chosen)


def against(name: str, fault: Fault, folder: Path) -> Ran:
    """The suite on a platform with a fault: from the start, or after an upgrade."""
    folder.mkdir(parents=True)
    with Platform([name] if not fault.upgrade else ["happy"], timings=QUICK) as platform:
        change_settings(platform, fault.settings)
        arguments = ["-n", "2"]
        if fault.upgrade:
            command = [sys.executable, "-m", "gatehouse.cli", "baseline", str(folder / "baseline")]
            subprocess.run(command, env=environment(platform), check=True, capture_output=True, timeout=120)
            platform.upgrade([name])
            arguments.append(f"--gate-baseline={folder / 'baseline'}")
        time.sleep(fault.settle_seconds)  # until the cluster shows it: restarts, back-off
        return suite(platform, folder / "run", *arguments)


def suite(platform: Platform, folder: Path, *arguments: str) -> Ran:
    """One run of `pytest -m smoke`."""
    evidence = folder / "bundle"
    command = [sys.executable, "-m", "pytest", "-m", "smoke", "-q", "-p", "no:cacheprovider"]
    began = time.monotonic()
    done = subprocess.run(
        [*command, f"--gate-evidence={evidence}", *arguments],
        cwd=ROOT,
        env=environment(platform),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    seconds = time.monotonic() - began
    junit = evidence / "junit.xml"
    if not junit.exists():
        sys.exit(f"the suite left no JUnit:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    red = {}
    for case in ET.parse(junit).iter("testcase"):
        troubles = [*case.iter("failure"), *case.iter("error")]
        if troubles:
            red[str(case.get("name"))] = " ".join(f"{each.get('message')} {each.text}" for each in troubles)
    return Ran(seconds, done.returncode, red, likenesses(evidence), done.stdout + done.stderr)


def likenesses(evidence: Path) -> dict[str, str]:
    """The class of regressions of each red test that was likened to one."""
    table = json.loads((evidence / "attachments" / "smoke.json").read_text())
    red = [each for subsystem in table["subsystems"] for each in subsystem["red"]]
    return {each["test"].partition("::")[2]: each["regression"] for each in red if each["regression"]}


def change_settings(platform: Platform, changes: Mapping[str, object]) -> None:
    """Settings of the target's coder section in place of the platform's own."""
    settings = yaml.safe_load(platform.configuration_file.read_text())
    settings["targets"]["embedded"]["coder"] |= json.loads(json.dumps(changes))
    platform.configuration_file.write_text(yaml.safe_dump(settings))


def environment(platform: Platform) -> dict[str, str]:
    """Where the platform is, and nothing of this machine's own platforms."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODER_", "ARGOCD_"))}
    return {**kept, "GATEHOUSE_CONFIG": str(platform.configuration_file)}


if __name__ == "__main__":
    main()
