"""Lines below the place where pytest writes, drawn over again and taken away before it writes on.

They are drawn while checks run, when whatever the process prints is captured: by a descriptor of their own.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from typing import Any, TextIO

#: Lines at most, so that they never fill a small window.
MOST_LINES = 6

# What terminals since the VT100 know (ECMA-48; ESC D, 7 and 8 are DEC's).
_INDEX, _SAVE, _RESTORE = "\x1bD", "\x1b7", "\x1b8"
_DOWN, _UP, _ERASE_LINE = "\x1b[B", "\x1b[{}A", "\x1b[2K"


class StatusLines:
    """Takes the place of the file that pytest writes to: `write` takes the lines away first, `show` draws them.

    `file` is what it takes the place of, `terminal` another file of the same terminal.
    """

    def __init__(self, file: TextIO, terminal: TextIO) -> None:
        self.file = file
        self._terminal = terminal
        self._shown = 0
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        """Everything else is as it is in the file."""
        return getattr(self.file, name)

    def write(self, text: str) -> int:
        """Write in the place where the cursor is."""
        with self._lock:
            self.clear()
            written = self.file.write(text)
            self.file.flush()  # before anything is drawn below it
            return written

    def show(self, lines: Sequence[str]) -> None:
        """Draw the lines below the cursor, each cut at the width of the window, and leave the cursor where it is."""
        width = shutil.get_terminal_size().columns - 1
        chosen = [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines[:MOST_LINES]]
        with self._lock:
            text = self._erased()  # in one piece with what is drawn, or it would flicker
            if chosen:
                # Scroll first where there is no room below, so that the saved place is still the same afterwards.
                room = _INDEX * len(chosen) + _UP.format(len(chosen))
                drawn = "".join(f"{_DOWN}\r{_ERASE_LINE}{line}" for line in chosen)
                text += room + _SAVE + drawn + _RESTORE
            self._terminal.write(text)
            self._terminal.flush()
            self._shown = len(chosen)

    def clear(self) -> None:
        """Take the lines away."""
        with self._lock:
            if self._shown:
                self._terminal.write(self._erased())
                self._terminal.flush()
            self._shown = 0

    def _erased(self) -> str:
        return _SAVE + f"{_DOWN}{_ERASE_LINE}" * self._shown + _RESTORE if self._shown else ""
