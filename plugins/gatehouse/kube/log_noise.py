"""Lines of logs that must not be there though everything else is green."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: Characters of a line that are shown.
SHOWN = 300


@dataclass(frozen=True)
class Noise:
    """Lines that match one pattern: how many, and the last of them."""

    pattern: str
    count: int
    last: str

    def __str__(self) -> str:
        times = "once" if self.count == 1 else f"{self.count} times"
        return f"{times} {self.pattern!r}, last: {self.last}"


def noise_in(text: str, patterns: Iterable[str], accepted: Iterable[str]) -> list[Noise]:
    """What is found of each pattern in a log, each line once, without lines that match one that is accepted."""
    left_out = [re.compile(each) for each in accepted]
    lines = [line for line in text.splitlines() if not any(each.search(line) for each in left_out)]
    found = []
    for pattern in patterns:
        matching = [line for line in lines if re.search(pattern, line)]
        if matching:
            found.append(Noise(pattern, len(matching), " ".join(matching[-1].split())[:SHOWN]))
            lines = [line for line in lines if line not in set(matching)]
    return found
