"""The demonstration: four suites as four pytest runs on the embedded platform, one gate, one page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console

import gatehouse
from gatehouse.core.errors import UsageError
from gatehouse.embedded.platform import PULL_REQUEST, Platform, PlatformError
from gatehouse.embedded.systems import SHOP

SUITES = ("smoke", "inner", "preview", "task")

#: Programs that the sample's checks need, by language.
TOOLCHAINS = {"go": ("go", "gofmt"), "node": ("node",)}


@dataclass(frozen=True)
class Fault:
    """A real fault: the scenario that seeds it on the platform, or what is done to the evidence afterwards."""

    summary: str
    scenario: str = ""
    tamper: Callable[[Path], None] | None = None


def _turn_green(bundle: Path) -> None:
    """Forge a bundle: an error in JUnit becomes a pass, as somebody in a hurry might do."""
    junit = bundle / "junit.xml"
    junit.write_text(junit.read_text().replace('errors="0"', 'errors="0" forged="yes"', 1))


FAULTS = {
    "smoke": Fault("the web editor of every workspace is dead behind Coder's proxy", "editor-dead"),
    "inner": Fault("the pull request breaks one of its own unit tests", "unit-test-fails"),
    "preview": Fault(
        "the pull request breaks the sign-in page, which only a browser notices", "login-broken"
    ),
    "task": Fault("deleting a workspace leaves its claim and volume behind", "claim-leaks"),
    "evidence": Fault("one file of the smoke evidence is changed after the run", tamper=_turn_green),
}


def run_demo(reports: Path, broken: Sequence[str] = ()) -> int:
    """Run everything; returns the gate's exit code. Raises `UsageError` for an unknown fault."""
    for name in broken:
        if name not in FAULTS:
            raise UsageError(
                f"there is no fault {name!r} to seed",
                expected=f"one of: {', '.join(FAULTS)}",
                next_step="see --help",
            )
    faults = [FAULTS[name] for name in broken]
    root = _repository()
    console = Console(highlight=False, markup=False)
    started = time.monotonic()
    try:
        platform = Platform([fault.scenario for fault in faults if fault.scenario] or ["happy"])
        platform.start()
    except PlatformError as error:
        raise UsageError(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="gatehouse-demo-") as scratch:
        try:
            return _Demo(platform, Path(scratch), root, reports.resolve(), faults, console, started).run()
        finally:
            platform.stop()


def _repository() -> Path:
    """The checkout of this project. Raises `UsageError` where only the package is installed."""
    root = Path(gatehouse.__file__).parents[2]
    if not (root / "suites").is_dir():
        raise UsageError(
            "the demonstration runs the suites of Gatehouse's own repository, which an installed package lacks",
            seen=f"no folder {root / 'suites'}",
            next_step="clone the repository and run make demo there; gatehouse up works anywhere",
        )
    return root


class _Demo:
    """One demonstration under way."""

    def __init__(
        self,
        platform: Platform,
        scratch: Path,
        root: Path,
        reports: Path,
        faults: Sequence[Fault],
        console: Console,
        started: float,
    ) -> None:
        self._platform = platform
        self._scratch = scratch
        self._faults = faults
        self._console = console
        self._started = started
        self._root = root
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        self._folder = reports / f"demo-{stamp}-{os.getpid()}"
        self._commit = platform.call(lambda systems: systems.shop.head(systems.shop.pulls[PULL_REQUEST]))

    def run(self) -> int:
        """The four suites, the gate and the page."""
        self._say("gatehouse demo: four suites on the embedded platform, one verdict")
        for fault in self._faults:
            self._say(f"seeded fault: {fault.summary}")
        self._say(f"subject: {SHOP}, pull request {PULL_REQUEST}, commit {self._commit}")
        try:
            self._folder.mkdir(parents=True)
        except OSError as error:
            raise UsageError(
                f"nothing can be written to {self._folder.parent}",
                seen=str(error),
                next_step="make it writable, or name another folder with --reports",
            ) from error
        checkout = self._clone()
        bundles = {suite: self._folder / suite for suite in SUITES}
        for suite in SUITES:
            self._run_suite(suite, bundles[suite], checkout)
        for fault in self._faults:
            if fault.tamper:
                fault.tamper(bundles["smoke"])
        return self._judge(list(bundles.values()))

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)

    def _clone(self) -> Path:
        """A checkout of the pull request, with a configuration that says which toolchains are missing here."""
        checkout = self._scratch / "shop"
        url = f"{self._platform.urls.code_host}/{SHOP}.git"
        for command in (
            ["git", "clone", "--quiet", url, str(checkout)],
            ["git", "-C", str(checkout), "checkout", "--quiet", self._commit],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise UsageError("the sample repository cannot be cloned", seen=done.stderr.strip())
        return checkout

    def _settings(self) -> Path:
        """The platform's own settings; checks of absent toolchains are silenced, aloud and with the reason."""
        settings = yaml.safe_load(self._platform.configuration_file.read_text())
        silence = []
        for language, programs in TOOLCHAINS.items():
            missing = [program for program in programs if shutil.which(program) is None]
            if missing:
                reason = f"{' and '.join(missing)} not installed on the machine of this demonstration"
                silence.append({"check": f"{language}-*", "reason": reason})
                self._say(f"note: {reason}; the {language} checks are silenced, and the evidence says so")
        settings["inner"] = {"silence": silence}
        path = self._scratch / "gatehouse.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path

    def _run_suite(self, suite: str, bundle: Path, checkout: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-m",
            suite,
            "-q",
            "--no-header",
            f"--gate-evidence={bundle}",
        ]
        command += [f"--gate-repo={checkout}"] if suite == "inner" else []
        environment = {
            **os.environ,
            **self._platform.environment(),
            "GATEHOUSE_CONFIG": str(
                self._settings() if suite == "inner" else self._platform.configuration_file
            ),
            "GATEHOUSE_PR": str(PULL_REQUEST),
            "GATEHOUSE_COMMIT": self._commit,
        }
        log = self._folder / f"{suite}.log"
        begun = time.monotonic()
        with log.open("wb") as output:
            code = subprocess.run(
                command, cwd=self._root, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
            ).returncode
        verdict = "passed" if code == 0 else f"failed, exit code {code}"
        self._say(f"  {suite:<8} {verdict:<24} {time.monotonic() - begun:5.1f} s   {_last_line(bundle)}")

    def _judge(self, bundles: list[Path]) -> int:
        page, verdict = self._folder / "index.html", self._folder / "verdict.json"
        policy = self._root / "fixtures" / "policy.yaml"
        paths = [str(bundle) for bundle in bundles]
        subject = ["--repo", SHOP, "--pr", str(PULL_REQUEST), "--commit", self._commit]
        gate = ["gate", *paths, "--policy", str(policy), *subject, "-o", str(verdict)]
        code = self._command(gate)
        self._command(["report", *paths, "--verdict", str(verdict), "-o", str(page)])
        self._say(f"took {time.monotonic() - self._started:.0f} s")
        if code:
            first = json.loads(verdict.read_text())["reasons"][0]
            self._say(
                f"the gate closed as it should, exit code {code}" if self._faults else f"exit code {code}"
            )
            if scenarios := [f"--scenario {fault.scenario}" for fault in self._faults if fault.scenario]:
                self._say(f"to look at it yourself: gatehouse up {' '.join(scenarios)}")
            self._say(f"first actionable error: {first['message']}")
        return code

    def _command(self, arguments: list[str]) -> int:
        """Run one of our own commands, as CI does."""
        sys.stdout.flush()
        return subprocess.run([sys.executable, "-m", "gatehouse.cli", *arguments], check=False).returncode


def _last_line(bundle: Path) -> str:
    try:
        counts = json.loads((bundle / "digest.json").read_text())["counts"]
    except (OSError, ValueError, KeyError):
        return "left no digest"
    return ", ".join(f"{count} {name}" for name, count in counts.items() if name != "collected")
