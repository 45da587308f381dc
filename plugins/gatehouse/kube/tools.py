"""Several commands as one in a pod, and whether tools have the versions that are wanted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatehouse.core.smoke_settings import ToolSettings

_MARK = "--gatehouse-tool--"
_NUMBERS = re.compile(r"(?<![\d.])\d+(?:\.\d+)*")

#: Characters of a command's output that are shown.
SHOWN = 200


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and how it ended; None when that is unknown."""

    output: str
    exit_code: int | None

    @property
    def words(self) -> str:
        """The start of the output on one line."""
        return " ".join(self.output.split())[:SHOWN] or "nothing printed"


def script(commands: Sequence[str]) -> str:
    """A shell script that runs each command by itself, each followed by a line with its exit code."""
    return "\n".join(
        f"sh -c {shlex.quote(command)} < /dev/null 2>&1; code=$?; echo; echo '{_MARK}' $code"
        for command in commands
    )


def outcomes(output: str, count: int) -> list[Outcome]:
    """What each of `count` commands did; one that was not reached has no exit code."""
    parts = re.split(rf"^{_MARK} (\d+)$", output, flags=re.MULTILINE)
    found = [Outcome(text.strip(), int(code)) for text, code in zip(parts[::2], parts[1::2], strict=False)]
    return [*found, *[Outcome("", None)] * count][:count]


def tool_problems(tools: Mapping[str, ToolSettings], found: Mapping[str, Outcome]) -> list[str]:
    """Tools that are not there or have other versions, one line each."""
    problems = []
    for name, tool in tools.items():
        outcome = found[name]
        if outcome.exit_code is None:
            problems.append(f"{name}: nobody knows: `{tool.command}` was not reached in time")
        elif outcome.exit_code != 0:
            absent = "not there" if outcome.exit_code == 127 else f"failed with {outcome.exit_code}"
            problems.append(f"{name}: {absent}: `{tool.command}`: {outcome.words}")
        elif missing := [wanted for wanted in tool.version if not has_version(outcome.output, wanted)]:
            problems.append(f"{name}: no version {' and '.join(missing)}: `{tool.command}`: {outcome.words}")
    return problems


def has_version(text: str, wanted: str) -> bool:
    """Whether a version is printed: `3.14` also stands for 3.14.2, `>=2.40` for it and later ones.

    Of `>=`, the first number that has as many parts counts: it is the tool's own, and not a library's.
    """
    numbers = [tuple(map(int, each.split("."))) for each in _NUMBERS.findall(text)]
    parts = tuple(map(int, wanted.removeprefix(">=").split(".")))
    if not wanted.startswith(">="):
        return any(number[: len(parts)] == parts for number in numbers)
    own = next((number for number in numbers if len(number) >= max(2, len(parts))), None)
    return own is not None and own[: len(parts)] >= parts
