"""One entry of a ledger: what may exist, whose it is, and until when."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from gatehouse.core.lease import Lease


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
    #: Where it was made: `coder` (address), `user` (id), `namespace`, as far as the kind has them.
    where: Mapping[str, str] = field(default_factory=dict)
    #: What there may be of it, in words, besides what every look for its kind covers.
    may_exist: tuple[str, ...] = ()
    #: It is meant to be there after its run, so that only its expiry says when it may go.
    outlives_run: bool = False
    #: The lock that the process which wrote the entry holds; None where there was none to hold.
    lease: Lease | None = None

    def expired(self, now: datetime) -> bool:
        """Whether its time is over. A time that cannot be read is never over."""
        moment = moment_of(self.expires)
        return moment is not None and moment <= now


def owner() -> str:
    """Who runs this: the CI job, else user and host."""
    if job := os.environ.get("GITHUB_RUN_ID"):
        return f"github-run-{job}"
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{platform.node()}"


def moment_of(text: str) -> datetime | None:
    """The moment that a time in RFC 3339 names; None for anything else, and for a time without its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def entry_data(entry: Entry) -> dict[str, Any]:
    """An entry as JSON-like data, from which `entry_of` makes it again."""
    data = {each.name: getattr(entry, each.name) for each in fields(entry)}
    return {**data, "lease": vars(entry.lease) if entry.lease else None}


def entry_of(data: Mapping[str, Any]) -> Entry | None:
    """The entry of a line, whatever else a newer version says in it; None if what is needed is missing."""
    known = {each.name: data[each.name] for each in fields(Entry) if each.name in data}
    try:
        held = known.pop("lease", None)
        known["may_exist"] = tuple(known.get("may_exist") or ())
        return Entry(**known, lease=Lease(str(held["host"]), int(held["inode"])) if held else None)
    except (TypeError, KeyError, ValueError):
        return None
