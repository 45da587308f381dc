"""What the inner suite speaks of: packages, checks, findings, results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from gatehouse.core.processes import Completed


class Phase(StrEnum):
    """Phases in the order they run; a red one stops the next."""

    CONTRACT = "contract"
    UNIT = "unit"


class Blame(StrEnum):
    """What a red check tells, in the order in which it is worth looking at."""

    SETUP = "setup"
    COMPILE = "compile"
    LINT = "lint"
    FORMAT = "format"
    TEST = "test"


@dataclass(frozen=True)
class Package:
    """A folder with a manifest. `files` are its own, without those of packages inside it, relative to `root`."""

    root: Path
    folder: str
    manifest: str
    language: str
    files: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The absolute folder."""
        return self.root / self.folder

    def has_file(self, predicate: Callable[[str], bool]) -> bool:
        """Whether any of the package's file names satisfies `predicate`."""
        return any(predicate(Path(file).name) for file in self.files)


@dataclass(frozen=True)
class Finding:
    """One thing a tool complained about; `path` is relative to the root of the checkout."""

    path: str
    message: str
    line: int | None = None
    column: int | None = None
    rule: str = ""

    def __str__(self) -> str:
        place = ":".join(str(each) for each in (self.path, self.line, self.column) if each is not None)
        return f"{place}: {self.rule}: {self.message}" if self.rule else f"{place}: {self.message}"


@dataclass(frozen=True)
class Parsed:
    """What was read out of a tool's output. `executed` is how many tests ran, None where none are counted."""

    findings: tuple[Finding, ...] = ()
    executed: int | None = None


@dataclass(frozen=True)
class Check:
    """One command for one package. `parse` reads its output; `missing` says what is not installed for it."""

    package: Package
    name: str
    phase: Phase
    blame: Blame
    argv: tuple[str, ...]
    parse: Callable[[Check, Completed], Parsed]
    env: dict[str, str] = field(default_factory=dict)
    missing: str = ""
    how_to_install: str = ""
    #: Findings make it red although the command exits with 0 (gofmt -l, go vet -json).
    findings_are_failures: bool = False

    @property
    def id(self) -> str:
        """`<manifest>::<name>`, which pytest accepts to run this check alone."""
        return f"{self.package.manifest}::{self.name}"


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_INSTALLED = "not installed"
    SILENCED = "silenced"
    STOPPED = "stopped"


@dataclass(frozen=True)
class CheckResult:
    """A check's end; `reason` is why it was not run, or why it is red when no finding says so."""

    check: Check
    outcome: Outcome
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    output: str = ""
    completed: Completed | None = None
