"""What the inner suite speaks of: languages, packages, checks, findings, results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from gatehouse.core.processes import Completed

if TYPE_CHECKING:
    from gatehouse.inner.checks.tools import Tools


class Phase(StrEnum):
    """Phases in the order they run; a red one stops the next."""

    CONTRACT = "contract"
    UNIT = "unit"
    INTEGRATION = "integration-local"


class Blame(StrEnum):
    """What a red check tells, in the order in which it is worth looking at."""

    GUARD_RAIL = "guard rail"
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
        return any(predicate(file.rpartition("/")[2]) for file in self.files)


@dataclass(frozen=True)
class Links:
    """How packages of one language refer to each other: by name, or by folder (relative to the root)."""

    name: str = ""
    needs: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()


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


class ChildOutcome(StrEnum):
    """How a test ended that a check ran."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class ChildTest:
    """A test that a check ran. `id` is stable between runs and unique within the check.

    `message` is why it failed or was skipped; `path` is relative to the root of the checkout.
    """

    id: str
    outcome: ChildOutcome
    seconds: float = 0.0
    message: str = ""
    path: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Parsed:
    """What was read out of a tool's output.

    `executed` is how many tests ran, and `listed` how many a listing names; None where none are counted.
    `missing` names what the checkout needs and this machine lacks, when the output says so.
    """

    findings: tuple[Finding, ...] = ()
    executed: int | None = None
    listed: int | None = None
    tests: tuple[ChildTest, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class Check:
    """One command for one package, or one look at it by Gatehouse itself (`look`, without `argv`).

    `parse` reads the command's output. `missing` says what is not installed for it.
    """

    package: Package
    name: str
    phase: Phase
    blame: Blame
    argv: tuple[str, ...] = ()
    parse: Callable[[Check, Completed], Parsed] = lambda _check, _done: Parsed()
    env: dict[str, str] = field(default_factory=dict)
    missing: str = ""
    how_to_install: str = ""
    #: Findings make it red although the command exits with 0 (gofmt -l, go vet -json).
    findings_are_failures: bool = False
    #: Exit codes that mean nothing was found to do although something was expected (pytest's 5).
    nothing_selected: frozenset[int] = frozenset()
    #: Processors that the command keeps busy; 0 means all of them.
    weight: int = 1
    #: Checks of the same resource run one at a time: they share a lock of the whole machine, or of the checkout.
    resource: str = ""
    #: Files outside of git's list that decide about the result as well: installed dependencies, interpreters.
    inputs: tuple[str, ...] = ()
    #: Folders of the package that its tool writes and cannot be told to put elsewhere: `target/`.
    writes: tuple[str, ...] = ()
    #: Looks at the package without running anything; findings make it red.
    look: Callable[[], Parsed] | None = None

    @property
    def id(self) -> str:
        """`<manifest>::<name>`, which pytest accepts to run this check alone."""
        return f"{self.package.manifest}::{self.name}"


@dataclass(frozen=True)
class Language:
    """Everything the suite knows about one ecosystem; one file in `checks/` each.

    `manifests` are file names that make their folder a package, preferred ones first. Where packages are not made
    by manifests, `find` gives them as (folder, manifest, files), from the list of files alone.
    `lockfiles` are names of files that change what every package of this language is built from. `suffixes` are those
    of its source files, by which a package at the root of the checkout is told from files that nobody owns.
    """

    name: str
    checks: Callable[[Package, Tools], list[Check]]
    manifests: tuple[str, ...] = ()
    links: Callable[[Package], Links] = lambda _package: Links()
    lockfiles: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    find: Callable[[Sequence[str]], list[tuple[str, str, tuple[str, ...]]]] | None = None


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    CACHED = "cached"
    UNAFFECTED = "unaffected"
    NOT_INSTALLED = "not installed"
    SILENCED = "silenced"
    STOPPED = "stopped"

    @property
    def red(self) -> bool:
        """Whether it stops the next phase."""
        return self in (Outcome.FAILED, Outcome.NOT_INSTALLED)


@dataclass(frozen=True)
class CheckResult:
    """A check's end; `reason` is why it was not run, or why it is red when no finding says so."""

    check: Check
    outcome: Outcome
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    output: str = ""
    completed: Completed | None = None
    tests: tuple[ChildTest, ...] = ()
    #: When its command was started, in seconds since 1970; None where none was.
    began: float | None = None
