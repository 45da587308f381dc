"""What a wait that was cut off has spent and seen, so that the next command goes on where it ended."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

#: Seconds after which a wait that was cut off is another matter.
LIFETIME = 3600.0

#: Seconds between two writes while nothing changes.
INTERVAL = 2.0


@dataclass
class WaitState:
    """Seconds spent (in all, and by stage), and the states passed through with the second of each."""

    spent: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    history: list[tuple[float, str]] = field(default_factory=list)


class WaitMemory:
    """Keeps the state of one wait in a file while it is under way; a wait that ends by itself leaves none.

    Two commands that wait for the same thing at once do not share it: the second starts from nothing.
    """

    def __init__(self, folder: Path, *key: str, now: Callable[[], float] = time.time) -> None:
        name = hashlib.sha256("\0".join(key).encode()).hexdigest()[:24]
        self._path = folder / f"wait-{name}.json"
        self._now = now
        self._owned = True
        self._written_at = 0.0

    def load(self) -> WaitState | None:
        """What a command that was cut off left; None if there is nothing to go on with."""
        try:
            data = json.loads(self._path.read_text())
            state = WaitState(
                float(data["spent"]),
                {str(stage): float(seconds) for stage, seconds in data["stages"].items()},
                [(float(at), str(text)) for at, text in data["history"]],
            )
            process, written = int(data["process"]), float(data["written"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if process != os.getpid() and _is_alive(process):
            self._owned = False
            return None
        return state if 0 <= self._now() - written <= LIFETIME else None

    def save(self, state: WaitState, *, at_once: bool = False) -> None:
        """Write the state, if it is time to; nothing is said if it cannot be written."""
        now = self._now()
        if not self._owned or (not at_once and now - self._written_at < INTERVAL):
            return
        self._written_at = now
        temporary = self._path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({**asdict(state), "process": os.getpid(), "written": now}))
            temporary.replace(self._path)

    def forget(self) -> None:
        """The wait has ended by itself: the next one starts from nothing."""
        if self._owned:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
