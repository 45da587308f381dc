"""The run record: one JSON object a line, appended and flushed as things happen.

It is the truth; JUnit, Allure's additions, the digest and the page are made from it. Schema version 1.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gatehouse.core.redaction import Redactor
from gatehouse.evidence.withheld import found_in

SCHEMA = 1
FILE_NAME = "record.jsonl"

#: Characters kept of a text such as a traceback or captured output: half its beginning, half its end.
TEXT_LIMIT = 32 * 1024

#: Bytes read at a time when the record is searched.
BLOCK = 1024 * 1024

Event = dict[str, Any]


class RunRecord:
    """Appends events to a file. Every string is redacted before it is written."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self._file = path.open("x+b", buffering=0)
        self._redactor = redactor
        self._lock = threading.Lock()
        self._sequence = 0
        self._end = 0

    def append(self, event: str, **data: Any) -> None:
        """Write one event; on return it is with the operating system.

        `data` must be JSON-like; anything else is written as its `str()`. Ctrl-C can end this anywhere; what is
        written next is still in order.
        """
        redacted = self._redactor.data(data)
        with self._lock:
            if self._file.tell() != self._end:
                self._recount()
            line = {
                "event": event,
                "sequence": self._sequence + 1,
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                **redacted,
            }
            text = json.dumps(line, ensure_ascii=False, default=str)
            # A lone surrogate cannot be written as UTF-8; it is kept as an escape.
            raw = text.encode("utf-8", "backslashreplace") + b"\n"
            rest = memoryview(raw)
            while rest:
                rest = rest[self._file.write(rest) :]
            self._sequence += 1
            self._end += len(raw)

    def _recount(self) -> None:
        """Take up where an append was interrupted: a whole line counts, the beginning of one is taken away."""
        self._file.seek(0)
        written = self._file.readall()
        self._end = written.rfind(b"\n") + 1
        self._sequence = written.count(b"\n")
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def mask_again(self) -> None:
        """Mask what was written before a secret was known. The file is replaced as a whole."""
        with self._lock:
            self._file.seek(0)
            if not found_in(iter(lambda: self._file.read(BLOCK), b""), self._redactor):
                return
            path = Path(self._file.name)
            temporary = path.with_name(f".{path.name}.part")
            with path.open("rb") as old, temporary.open("wb") as new:
                for raw in old:
                    text = json.dumps(self._redactor.data(json.loads(raw)), ensure_ascii=False)
                    new.write(text.encode("utf-8", "backslashreplace") + b"\n")
            temporary.replace(path)
            self._file.close()
            self._file = path.open("r+b", buffering=0)
            self._recount()

    def close(self) -> None:
        """Close the file; nothing can be appended any more."""
        self._file.close()


class RecordError(ValueError):
    """A record that cannot be read: cut short, not JSON, out of order, or of another version."""


def read_record(path: Path) -> Iterator[Event]:
    """The events of a record, in order. Raises `RecordError`, `OSError`."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.endswith(b"\n"):
                raise RecordError(f"{path.name}:{number}: the line is cut short")
            try:
                event = json.loads(raw)
            except ValueError as error:
                raise RecordError(f"{path.name}:{number}: not JSON: {error}") from error
            if not isinstance(event, dict) or event.get("sequence") != number:
                raise RecordError(f"{path.name}:{number}: events are missing or out of order")
            if number == 1 and (event.get("event"), event.get("schema")) != ("run_started", SCHEMA):
                raise RecordError(f"{path.name}:1: not a run record of schema {SCHEMA}")
            yield event


def shortened(text: str, limit: int = TEXT_LIMIT) -> str:
    """`text`, or its beginning and end with a note of how much is left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def last_words(text: str) -> str:
    """The line of a collection error that says what went wrong: pytest marks those of the exception with E."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (errors or lines or ["collection failed"])[-1]
