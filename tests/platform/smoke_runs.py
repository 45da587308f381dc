"""The real smoke suite, or a part of it, as a process of its own against a platform with faults."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Variables of the machine that would change what is tested.
AMBIENT = ("GATEHOUSE_", "CODER_", "ARGOCD_", "GITHUB_", "KUBECONFIG")


class SmokeRun:
    """What became of each test: `failed` and `skipped` have the words by the test's name."""

    def __init__(self, platform, folder, *tests, cwd=ROOT):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(AMBIENT)}
        evidence = folder / "evidence"
        finished = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-m", "smoke", "-p", "no:cacheprovider", "-p", "no:xdist"),
                f"--gate-evidence={evidence}",
                *tests,
            ],
            cwd=cwd,
            env={
                **environment,
                "GATEHOUSE_CONFIG": str(platform.configuration_file),
                "XDG_CACHE_HOME": str(folder / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )
        self.exit_code, self.bundle = finished.returncode, evidence
        self.output = finished.stdout + finished.stderr
        junit = next(evidence.rglob("junit.xml"), None)
        assert junit, self.output
        self.passed, self.failed, self.skipped = set(), {}, {}
        for case in ET.parse(junit).iter("testcase"):
            name = case.get("name")
            trouble = [*case.iter("failure"), *case.iter("error")]
            skips = list(case.iter("skipped"))
            if trouble:
                self.failed[name] = " ".join(f"{each.get('message')} {each.text}" for each in trouble)
            elif skips:
                self.skipped[name] = skips[0].get("message").removeprefix("Skipped: ")
            else:
                self.passed.add(name)
