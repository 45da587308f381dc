"""The wait as people see it: a live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gatehouse.argocd.judge import State
from gatehouse.core.waiting import Progress
from gatehouse.preview.look import Look, WaitObserver
from gatehouse.preview.stages import in_words

#: Seconds between two plain lines about the same state, when only its reason has changed, and when nothing has.
REASON_INTERVAL = 5.0
SILENCE_LIMIT = 60.0

#: Rows of the live table, of which what is ready is left out first, and characters of its columns.
ROWS = 15
NAME_WIDTH = 40
STATE_WIDTH = max(map(len, State))
FOR_WIDTH = 5

_STYLES = {State.READY: "green", State.FAILED: "red", State.BLOCKED: "red", State.GONE: "red"}


class Display(WaitObserver):
    """What shows a wait."""

    def note(self, line: str) -> None:
        """Say something about the wait itself."""

    def close(self) -> None:
        """The wait is over."""


class PlainDisplay(Display):
    """One line for each change of state, and a sign of life now and then: nothing that a log or an agent must skip."""

    def __init__(
        self, write: Callable[[str], None], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._monotonic = monotonic
        self._pending = ""
        self._shown: tuple[str, str] = ("", "")
        self._shown_at = float("-inf")

    def changed(self, progress: Progress) -> None:
        """Remember the words; `looked` decides whether they are worth a line."""
        self._pending = progress.history[-1][1]
        if not self._shown[0] or self._pending.startswith(("no answer", "resumed")):
            self._line(("", ""), progress.history[-1][0])

    def looked(self, look: Look, stages: Mapping[str, float]) -> None:
        """Write a line if the state is another, or the same for so long that silence would look like a hang."""
        judgement = look.judgement
        key = (f"{judgement.state} {judgement.application}", str(look))
        since = self._monotonic() - self._shown_at
        new_state, new_words = key[0] != self._shown[0], key[1] != self._shown[1]
        if new_state or (new_words and since >= REASON_INTERVAL) or since >= SILENCE_LIMIT:
            self._pending = key[1]
            self._line(key, sum(stages.values()))

    def note(self, line: str) -> None:
        """One line."""
        self._write(line)

    def _line(self, key: tuple[str, str], elapsed: float) -> None:
        self._shown, self._shown_at = key, self._monotonic()
        self._write(f"preview: {self._pending} ({elapsed:.1f} s)")


class LiveDisplay(Display):
    """One line an Application, drawn over again as it changes."""

    def __init__(self, file: TextIO) -> None:
        self._console = Console(file=file, force_terminal=True)
        self._live = Live(console=self._console, refresh_per_second=8, transient=True)
        self._since: dict[str, tuple[State, float]] = {}
        self._live.start()

    def changed(self, progress: Progress) -> None:
        """The table shows it."""

    def looked(self, look: Look, stages: Mapping[str, float]) -> None:
        """Draw the table anew."""
        now = time.monotonic()
        states = look.snapshot.applications
        table = _empty_table(states)
        late_first = sorted(states, key=lambda name: (states[name].state is State.READY, name))
        for name in late_first[:ROWS]:
            judgement = states[name]
            if self._since.get(name, (None, 0.0))[0] is not judgement.state:
                self._since[name] = (judgement.state, now)
            style = _STYLES.get(judgement.state, "yellow")
            waiting = "" if judgement.state is State.READY else judgement.reason
            elapsed = f"{now - self._since[name][1]:.0f} s"
            table.add_row(name, f"[{style}]{judgement.state}[/]", elapsed, escape(waiting))
        if len(states) > ROWS:
            table.add_row(f"and {len(states) - ROWS} more", "", "", "")
        title, spent = Text(str(look), no_wrap=True, overflow="ellipsis"), Text(in_words(stages), style="dim")
        self._live.update(Group(title, table, spent))

    def note(self, line: str) -> None:
        """One line above the table."""
        self._console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        """Take the table away; what it came to is written by others."""
        self._live.stop()


def _empty_table(names: Iterable[str]) -> Table:
    """As wide as the terminal; what the names, states and times leave is for the reasons, which are cut."""
    name_width = min(max(map(len, names), default=0), NAME_WIDTH)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    table.add_column(
        "application", overflow="ellipsis", no_wrap=True, min_width=name_width, max_width=NAME_WIDTH
    )
    table.add_column("state", overflow="ellipsis", no_wrap=True, min_width=STATE_WIDTH)
    table.add_column("for", overflow="ellipsis", no_wrap=True, min_width=FOR_WIDTH, style="dim")
    table.add_column("waiting for", overflow="ellipsis", no_wrap=True, ratio=1)
    return table
