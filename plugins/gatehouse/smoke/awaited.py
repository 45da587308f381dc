"""What the check of each process awaits, told to the process that shows it: one small file a worker."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from gatehouse.core.waiting import Progress

#: Ids are cut, as a line has no room for them.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class AwaitedByCheck:
    """Listens to the waits of a process, and tells which check awaits what: `tell` is given its id and the words."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._waits: list[Progress] = []
        #: The id of the check under way.
        self.check = ""

    def changed(self, progress: Progress) -> None:
        """A wait has seen another state; the innermost one is told."""
        if not any(each is progress for each in self._waits):
            self._waits.append(progress)
        self._say()

    def ended(self, progress: Progress) -> None:
        """A wait is over; the one around it is told again."""
        self._waits = [each for each in self._waits if each is not progress]
        self._say()

    def _say(self) -> None:
        words = ""
        if self._waits:
            what = self._waits[-1].what.partition(" of workspace ")[0]  # the check says of which
            words = _ID.sub(lambda found: found[0][:8], f"{what}: {self._waits[-1].last}")
        self._tell(self.check, words)


def write_awaited(path: Path, check: str, words: str) -> None:
    """Leave it for the controller. What cannot be written is not shown, and is no reason for a check to fail."""
    with contextlib.suppress(OSError):
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps([check, words]))
        beside.replace(path)


def read_awaited(folder: Path) -> Iterator[tuple[str, str]]:
    """Of each worker the id of its check and what it awaits."""
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            check, words = json.loads(path.read_text())
            yield str(check), str(words)
