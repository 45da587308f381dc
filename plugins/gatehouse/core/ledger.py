"""What a run has made or was about to make, on disk before the call is sent.

Cleaning works from this file alone, even after the run was killed between the call and its answer.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gatehouse.core.errors import EnvironmentProblem


@dataclass(frozen=True)
class Entry:
    """One thing that may exist: `id` is None while it is not known whether the create call arrived."""

    kind: str
    name: str
    owner: str
    run: str
    created: str
    expires: str
    id: str | None = None


class Ledger:
    """An append-only file of one process; each line is on the disk before the call returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def intend(self, kind: str, name: str, run: str, ttl_seconds: float) -> Entry:
        """Write that `name` is about to be made. Raises `EnvironmentProblem` if it cannot be written."""
        now = datetime.now(UTC)
        entry = Entry(
            kind=kind,
            name=name,
            owner=owner(),
            run=run,
            created=now.isoformat(timespec="seconds"),
            expires=(now + timedelta(seconds=ttl_seconds)).isoformat(timespec="seconds"),
        )
        self._append({"event": "intend", **entry.__dict__})
        return entry

    def created(self, name: str, identifier: str) -> None:
        """Write that it exists, and under which id."""
        self._append({"event": "created", "name": name, "id": identifier})

    def gone(self, name: str) -> None:
        """Write that it was proved gone."""
        self._append({"event": "gone", "name": name})

    def _append(self, line: dict[str, Any]) -> None:
        data = (json.dumps(line) + "\n").encode()
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise EnvironmentProblem(
                f"the ledger {self.path} cannot be written, so nothing is created",
                seen=f"{type(error).__name__}: {error.strerror}",
                next_step="make room or make the folder writable",
            ) from error


def outstanding(path: Path) -> list[Entry]:
    """Entries that were not proved gone. A last line that is cut short is left out: its call was never sent."""
    entries: dict[str, Entry] = {}
    for line in path.read_text(errors="replace").splitlines():
        try:
            data = json.loads(line)
        except ValueError:
            continue
        name = data.get("name", "")
        match data.pop("event", ""):
            case "intend":
                entries[name] = Entry(**data)
            case "created" if name in entries:
                entries[name] = Entry(**{**entries[name].__dict__, "id": data["id"]})
            case "gone":
                entries.pop(name, None)
    return list(entries.values())


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


def owner() -> str:
    """Who runs this: the CI job, else user and host."""
    if job := os.environ.get("GITHUB_RUN_ID"):
        return f"github-run-{job}"
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{platform.node()}"
