"""Packages made of texts, the checks for them, and what these find; for tests of the inner suite's languages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from gatehouse.core.processes import Completed, ProcessOwner
from gatehouse.inner.checks import LANGUAGES, checks_for
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.discover import discover
from gatehouse.inner.environment import check_environment
from gatehouse.inner.judge import judge
from gatehouse.inner.model import Check, CheckResult, Links, Outcome, Package


class Checkout:
    """Files below a folder; `tools` are the programs on the PATH (empty files), or all of this machine's."""

    def __init__(self, folder: Path, files: Mapping[str, str], tools: Iterable[str] | None = ()) -> None:
        self.root = folder / "checkout"
        self.cache = folder / "cache"
        path = folder / "bin"
        path.mkdir(parents=True)
        for tool in tools or ():
            (path / tool).touch(0o755)
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        search = (
            str(path)
            if tools is not None
            else os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
        )
        self.tools = Tools(search, self.cache)
        self.files = list(files)

    @property
    def packages(self) -> list[Package]:
        return discover(self.root, self.files, LANGUAGES)

    @property
    def all_checks(self) -> list[Check]:
        return checks_for(self.packages, self.tools)

    @property
    def checks(self) -> dict[str, Check]:
        """By name, where there is one package."""
        return {check.name: check for check in self.all_checks}

    def links(self, manifest: str) -> Links:
        package = next(each for each in self.packages if each.manifest == manifest)
        return next(each for each in LANGUAGES if each.name == package.language).links(package)

    def run(self, name: str, timeout: float = 60.0) -> CheckResult:
        """The check, really run, with what came out of it."""
        check = self.checks[name]
        if check.look is not None:
            findings = check.look().findings
            return CheckResult(check, Outcome.FAILED if findings else Outcome.PASSED, findings=findings)
        with ProcessOwner() as owner:
            done = owner.run(
                check.argv,
                timeout=timeout,
                cwd=check.package.path,
                env={**check_environment(os.environ, self.cache), **check.env},
            )
        parsed = check.parse(check, done)
        result = judge(replace(check, parse=lambda *_: parsed), done, timeout)
        return replace(result, findings=parsed.findings, tests=parsed.tests)


def done(check: Check, stdout: str = "", stderr: str = "", code: int | None = 0, **more: object) -> Completed:
    """How a check's command ended, as recorded."""
    return Completed(check.argv, code, stdout, stderr, 0.1, **more)


def result(
    check: Check, stdout: str = "", stderr: str = "", code: int | None = 0, **more: object
) -> CheckResult:
    """What a check's recorded output means."""
    return judge(check, done(check, stdout, stderr, code, **more), timeout=60)


def places(outcome: CheckResult) -> list[str]:
    """The findings as they are shown."""
    return [str(finding) for finding in outcome.findings]
