"""What the rules look at, and what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache

import pathspec

from gatehouse.core.changes import Change, Status
from gatehouse.core.guardrail_settings import GuardrailSettings, ProfileSettings


class Weight(StrEnum):
    """Whom a violation makes red. The others are shown it as a note."""

    EVERYBODY = "everybody"
    #: Runs whose profile was named: by the option, the marker, the environment or the policy.
    PROFILES = "profiles"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Violation:
    """One thing that a rule found. `line` counts from 1; 0 means the whole file. Never holds a secret."""

    rule: str
    path: str
    line: int
    message: str
    next_step: str
    weight: Weight = Weight.PROFILES

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.rule}: {self.message}" if place else f"{self.rule}: {self.message}"


@dataclass(frozen=True)
class Profile:
    """Which profile applies. `binding` is false when it is only a guess."""

    name: str
    source: str
    binding: bool
    settings: ProfileSettings


@dataclass(frozen=True)
class Diff:
    """A change with what is in its file. Texts are None where there is none, or where it was not read.

    `new` is what is on disk; `staged` another version that is staged. Of a symbolic link the text is its target.
    """

    change: Change
    old: str | None = None
    new: str | None = None
    staged: str | None = None
    #: Why a version was not read.
    unread: str = ""

    @property
    def path(self) -> str:
        """The path below the root."""
        return self.change.path

    @property
    def is_new(self) -> bool:
        """Whether there was no such file, under another name neither."""
        return self.change.status is Status.ADDED and self.change.renamed_from is None

    @cached_property
    def added(self) -> tuple[tuple[int, str], ...]:
        """Lines of the new version, with their numbers, that the old one does not hold as often."""
        return _surplus(self.new, self.old)

    @cached_property
    def added_when_staged(self) -> tuple[tuple[int, str], ...]:
        """Lines of the staged version that neither the old one nor the one on disk holds as often."""
        return _surplus(self.staged, f"{self.old or ''}\n{self.new or ''}") if self.staged else ()

    @cached_property
    def removed(self) -> tuple[tuple[int, str], ...]:
        """Lines of the old version, with their numbers there, that the new one does not hold as often."""
        return _surplus(self.old, self.new)


def _surplus(text: str | None, other: str | None) -> tuple[tuple[int, str], ...]:
    """Lines in `text` beyond those in `other`. A line that only moved is in both, however far it moved."""
    if not text or text == other:
        return ()
    lines, others = text.splitlines(), (other or "").splitlines()
    start = 0
    shorter = min(len(lines), len(others))
    while start < shorter and lines[start] == others[start]:
        start += 1
    end = 0
    while end < shorter - start and lines[-1 - end] == others[-1 - end]:
        end += 1
    left = Counter(others[start : len(others) - end])
    found = []
    for number, line in enumerate(lines[start : len(lines) - end], start + 1):
        if left[line] > 0:
            left[line] -= 1
        elif line.strip():
            found.append((number, line))
    return tuple(found)


@dataclass(frozen=True)
class Case:
    """All that the rules look at."""

    settings: GuardrailSettings
    profile: Profile
    diffs: tuple[Diff, ...]
    #: Files of the checkout that the repository contract is about, by path; None for one that is not there.
    contract_files: Mapping[str, str | None] = field(default_factory=dict)
    #: The checkout's own folder.
    root: str = ""
    config_file: str = "gatehouse.yaml"


@lru_cache(256)
def _spec(patterns: tuple[str, ...]) -> pathspec.GitIgnoreSpec:
    return pathspec.GitIgnoreSpec.from_lines(patterns)


def matches(path: str, patterns: list[str]) -> bool:
    """Whether a path matches any of the patterns, in the syntax of .gitignore."""
    return bool(patterns) and _spec(tuple(patterns)).match_file(path)
