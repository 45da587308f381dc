"""How a process of Playwright Test ended, in words."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.preview.playwright_test.results import without_colours

#: Characters kept of what a process printed: half its beginning, half its end.
OUTPUT_LIMIT = 8000


@dataclass(frozen=True)
class Ending:
    """`exit_code` is None where the time was up, negative after a signal. `stopped` by us, with the run."""

    exit_code: int | None
    timeout: float = 0.0
    output: str = ""
    stopped: bool = False
    #: Why there was no process at all: an error as data.
    refused: dict[str, str] | None = None

    @classmethod
    def of(cls, done: Completed, timeout: float, stopped: bool) -> Ending:
        """The ending of a process that has run."""
        output = f"{done.stdout}\n{done.stderr}".strip()
        return cls(
            done.exit_code,
            timeout,
            without_colours(
                output
                if len(output) <= OUTPUT_LIMIT
                else f"{output[: OUTPUT_LIMIT // 2]}\n…\n{output[-OUTPUT_LIMIT // 2 :]}"
            ),
            stopped,
        )

    @property
    def last_words(self) -> str:
        """The end of what it printed."""
        return self.output[-400:]

    @property
    def by_itself(self) -> bool:
        """Whether it ended as programs do; one that was killed, or ran out of time, proves nothing."""
        return self.exit_code is not None and 0 <= self.exit_code < 128

    def __str__(self) -> str:
        if self.stopped:
            return "was stopped with the run"
        if self.exit_code is None:
            return f"was ended after {self.timeout:g} s, its time (playwright_test[].timeout_seconds)"
        if self.exit_code < 0:
            return f"was killed by {_name(-self.exit_code)}"
        if self.exit_code >= 128:
            return f"ended with exit code {self.exit_code}, as after {_name(self.exit_code - 128)}"
        return f"ended with exit code {self.exit_code}"

    def write(self, path: Path) -> None:
        """Write it where the processes that wait for results find it, all at once."""
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> Ending | None:
        """What was written, or None while the process runs."""
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(**data)


def _name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
