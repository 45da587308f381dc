"""Seeded faults: projects that pass, and small edits of them, each with what the first error must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Failures whose cause is this machine: something is not installed.
ENVIRONMENT = "environment"

#: Failures of the code.
PRODUCT = "product"


@dataclass(frozen=True)
class Fault:
    """An edit of one file: `old` becomes `new`, or `new` is all of a file that was not there.

    The first error must be of a check that blames one of `blames`, lie in `path` (that file, if empty), on the line
    with the text `at` once the edit is done (the first line of `new`, if empty; no line is expected if None), and have
    `says` in its words. `more` are further files, as a whole.
    """

    kind: str
    file: str
    old: str
    new: str
    blames: str
    at: str | None = ""
    path: str = ""
    says: str = ""
    failure_class: str = PRODUCT
    more: Mapping[str, str] = field(default_factory=dict)

    def files(self, base: Mapping[str, str]) -> dict[str, str]:
        """The files that the edit changes or makes. Raises `ValueError` where `old` is not exactly once in the file."""
        if self.old and base[self.file].count(self.old) != 1:
            raise ValueError(f"{self.old!r} is {base[self.file].count(self.old)} times in {self.file}")
        text = base[self.file].replace(self.old, self.new) if self.old else self.new
        return {self.file: text, **self.more}

    def place(self, base: Mapping[str, str]) -> tuple[str, int | None]:
        """Where the first error must be. Raises `ValueError` where the text is in no line."""
        path = self.path or self.file
        if self.at is None:
            return path, None
        text = self.at or next(line for line in self.new.splitlines() if line.strip())
        lines = {**base, **self.files(base)}[path].splitlines()
        found = [number for number, line in enumerate(lines, 1) if text in line]
        if not found:
            raise ValueError(f"{text!r} is in no line of {path}")
        return path, found[0]


@dataclass(frozen=True)
class Ecosystem:
    """A project that passes, with its faults.

    `prepare` is called with the folder once the files are there, and gives variables that the runs need more; it raises
    `NotInstallableError` where the project cannot be checked on this machine.
    """

    name: str
    files: Mapping[str, str]
    faults: tuple[Fault, ...]
    prepare: Callable[[Path], dict[str, str]] = lambda _folder: {}


def slow(seconds: int = 25) -> dict[str, str]:
    """Settings with a limit for each check that a test which hangs reaches soon."""
    return {"gatehouse.yaml": f"inner:\n  timeout_seconds: {seconds}\n"}
