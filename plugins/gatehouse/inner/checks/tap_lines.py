"""The lines of TAP: a result for each test or assertion, and below it a block of YAML; plans; groups inside groups."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

_LINE = re.compile(
    r"(?P<indent> *)(?P<not>not )?ok \d+(?: -)?(?: (?P<name>.*?))?"
    r"(?: # (?P<directive>SKIP|TODO)\b *(?P<reason>.*)| # time=[\d.]+m?s)?$"
)
_SUBTEST = re.compile(r"(?P<indent> *)# Subtest: (?P<name>.*)$")
_PLAN = re.compile(r"1\.\.(\d+)(?: *#.*)?$")
_BAIL_OUT = re.compile(r"Bail out!(.*)$")


@dataclass
class Result:
    """A line of TAP with the names of the groups around it, and its block."""

    path: tuple[str, ...]
    line: re.Match[str]
    #: Whether other results came before it that it stands for, and whether one of them failed.
    holds_others: bool
    holds_failed: bool
    block: list[str] = field(default_factory=list)
    #: What was printed since the result before: of a whole file that failed, it says why.
    printed: list[str] = field(default_factory=list)

    @cached_property
    def data(self) -> dict[str, Any]:
        """What the block says; empty where there is none, or where it is no YAML."""
        try:
            data = yaml.safe_load(textwrap.dedent("\n".join(self.block)))
        except yaml.YAMLError:
            data = None
        return data if isinstance(data, dict) else {}

    @property
    def is_test(self) -> bool:
        """Whether it is a test by itself, not one assertion of a test around it."""
        return len(self.path) == 1 or self.holds_others or "duration_ms" in self.data


@dataclass
class Outline:
    """The results of one program in the order of its output; a group's own line comes after those inside it.

    `planned` is how many it announces at the outermost level, `ended` how many of these have a result. One that is not
    whole has no line of its version: it is what node-tap saves, which leaves its plan out.
    """

    is_whole: bool

    results: list[Result] = field(default_factory=list)
    planned: int | None = None
    ended: int = 0
    bail_out: str = ""


def outlines(text: str) -> Iterator[Outline]:
    """What each program printed: the output of several begins with a line of its version each."""
    parts = re.split(r"^TAP version \d+$", text, flags=re.MULTILINE)
    for part in parts[1:] if len(parts) > 1 else parts:
        yield _outline(part, is_whole=len(parts) > 1)


def _outline(text: str, *, is_whole: bool) -> Outline:
    outline = Outline(is_whole)
    names: dict[int, str] = {}
    group = ""
    open_results: list[tuple[int, bool]] = []
    block_ends = ""
    printed: list[str] = []
    before = ""
    for line in text.split("\n"):
        if block_ends and line.rstrip() == block_ends:
            block_ends = ""
        elif block_ends:
            outline.results[-1].block.append(line)
        elif line.strip() == "---" and _LINE.match(before):
            block_ends = line.rstrip().replace("---", "...")
        elif match := _SUBTEST.match(line):
            names = {depth: name for depth, name in names.items() if depth < len(match["indent"])}
            names[len(match["indent"])] = match["name"]
        elif match := _LINE.match(line):
            depth = len(match["indent"])
            held = [failed for level, failed in open_results if level > depth]
            open_results = [each for each in open_results if each[0] <= depth]
            open_results.append((depth, bool(match["not"])))
            outline.ended += depth == 0
            above = [name for level, name in sorted(names.items()) if level < depth]
            around = above or ([group] if group and not names else [])
            path = (*around, (match["name"] or "unnamed").strip())
            outline.results.append(Result(path, match, bool(held), any(held), printed=printed))
            printed = []
        elif match := _PLAN.match(line):
            outline.planned = (outline.planned or 0) + int(match[1])
        elif match := _BAIL_OUT.match(line):
            outline.bail_out = match[1].strip() or "without a reason"
        elif line.startswith("# "):
            printed.append(line[2:])
            group = line[2:].strip()  # tape names its tests so
        before = line
    return outline
