"""What a run has made or was about to make, on disk before the call is sent.

Cleaning works from this file alone, even after the run was killed between the call and its answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gatehouse.core import lease
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.lease import Holder, Lease
from gatehouse.core.ledger_entry import Entry, entry_data, entry_of, moment_of, owner

__all__ = ["Entry", "Ledger", "Reading", "moment_of", "outstanding", "owner", "read_ledger"]

#: Of the lines that are written here; what is of a later one is read as far as it can be understood.
SCHEMA = 1

#: How each line begins.
BEGINNING = '{"event": "'

#: A folder with this file is sealed: every file in it is listed there by its digest.
SEAL = "manifest.json"


class Ledger:
    """An append-only file; each line is on the disk before the call returns.

    Whoever writes one holds a lease on it as long as the process lives, or until `close`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def intend(
        self,
        kind: str,
        name: str,
        run: str,
        ttl_seconds: float,
        *,
        where: Mapping[str, str] | None = None,
        may_exist: Sequence[str] = (),
        outlives_run: bool = False,
    ) -> Entry:
        """Write that `name` is about to be made. Raises `EnvironmentProblem` if it cannot be written."""
        now = datetime.now(UTC)
        entry = Entry(
            kind=kind,
            name=name,
            owner=owner(),
            run=run,
            created=now.isoformat(timespec="seconds"),
            expires=(now + timedelta(seconds=ttl_seconds)).isoformat(timespec="seconds"),
            where=dict(where or {}),
            may_exist=tuple(may_exist),
            outlives_run=outlives_run,
            lease=self._lease(),
        )
        self._append({"event": "intend", "schema": SCHEMA, **entry_data(entry)})
        return entry

    def created(self, name: str, identifier: str) -> None:
        """Write that it exists, and under which id. Raises `EnvironmentProblem`."""
        self._append({"event": "created", "name": name, "id": identifier})

    def gone(self, name: str) -> None:
        """Write that it was proved gone, beside the folder where that is sealed. Raises `EnvironmentProblem`."""
        line = {"event": "gone", "name": name}
        if (self.path.parent / SEAL).exists():
            _append(_beside(self.path), {**line, "ledger": self.path.name})
        else:
            self._append(line)

    def close(self) -> None:
        """Give up the lease: what is outstanding may be removed by anyone."""
        lease.release(self.path)

    def _lease(self) -> Lease | None:
        try:
            self.path.touch(mode=0o600)
            return lease.hold(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _append(self, line: dict[str, Any]) -> None:
        _append(self.path, line)


@dataclass(frozen=True)
class Reading:
    """What a ledger says: the entries not proved gone, and what of it could not be read."""

    path: Path
    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()

    def holder(self, entry: Entry) -> Holder:
        """Whether the process that wrote the entry still lives."""
        return lease.holder(self.path, entry.lease)


def read_ledger(path: Path) -> Reading:
    """Read a ledger. Raises `EnvironmentProblem` when there is none, or it cannot be read."""
    entries: dict[str, Entry] = {}
    problems: list[str] = []
    for number, text in _lines(path):
        data = _parsed(text)
        if data is None:
            if not _cut_short(text):  # then its call was never sent
                problems.append(f"{path}:{number} cannot be read: {text[:80]!r}")
            continue
        name = str(data.get("name", ""))
        match data.get("event"):
            case "intend":
                if entry := entry_of(data):
                    entries[name] = entry
                else:
                    problems.append(f"{path}:{number} lacks what an entry needs; is it of a newer version?")
            case "created" if name in entries:
                entries[name] = replace(entries[name], id=str(data.get("id") or "") or None)
            case "gone":
                entries.pop(name, None)
            case "created":
                problems.append(f"{path}:{number} is about {name!r}, of which nothing was written before")
            case event:
                problems.append(
                    f"{path}:{number} is an event {event!r} that this version does not know; was it "
                    "written by a newer one?"
                )
    for name in _gone_since(path):
        entries.pop(name, None)
    return Reading(path, tuple(entries.values()), tuple(problems))


def outstanding(path: Path) -> list[Entry]:
    """Entries of a ledger that were not proved gone. Raises as `read_ledger`."""
    return list(read_ledger(path).entries)


def _lines(path: Path) -> list[tuple[int, str]]:
    """Number and text of each line that is not empty."""
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise EnvironmentProblem(
            f"the ledger {path} cannot be read",
            seen=f"{type(error).__name__}: {error.strerror}",
            next_step="name a bundle of a run, or a ledger in one",
        ) from error
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _parsed(text: str) -> dict[str, Any] | None:
    """The data of a line; of one that was written behind another that was cut short, its own."""
    for start in (0, max(text.rfind(BEGINNING), 0)):
        try:
            data = json.loads(text[start:])
        except ValueError:
            continue
        return data if isinstance(data, dict) else None
    return None


def outstanding_in(folder: Path) -> list[Entry]:
    """The entries of all ledgers in a folder that were not proved gone."""
    return [entry for path in sorted(folder.glob("ledger-*.jsonl")) for entry in outstanding(path)]


def left_behind(entries: Iterable[Entry]) -> list[str]:
    """A line for each entry that may still be there, with the command that removes it."""
    return [
        f"left behind: the {each.kind} {each.name}"
        + ("" if each.id else ", if it was made at all: the request for it was not answered")
        + f"; to remove it: coder delete {each.name} --yes"
        for each in entries
    ]


def _cut_short(text: str) -> bool:
    """Whether this is the beginning of a line of ours: the disk was full, or the process was killed."""
    begins = text.startswith(BEGINNING) or BEGINNING.startswith(text)
    return begins and (not text.endswith("}") or _parsed(text + "}") is not None)


def _gone_since(path: Path) -> list[str]:
    """Names that were proved gone after the folder was sealed."""
    beside = _beside(path)
    if not beside.exists():
        return []
    lines = [_parsed(text) or {} for _, text in _lines(beside)]
    return [str(line["name"]) for line in lines if line.get("ledger") == path.name and "name" in line]


def _beside(path: Path) -> Path:
    folder = path.parent.resolve()
    return folder.with_name(f"{folder.name}.swept.jsonl")


def _append(path: Path, line: Mapping[str, Any]) -> None:
    data = (json.dumps(line) + "\n").encode()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data  # what was cut short before must not spoil this line
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"the ledger {path} cannot be written, so nothing is created",
        seen=f"{type(error).__name__}: {error.strerror}",
        next_step="make room or make the folder writable",
    )
