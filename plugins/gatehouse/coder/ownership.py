"""How a workspace that the harness makes says whose it is: by its name, and by labels its template sets."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

from gatehouse.core.ledger import Entry

PREFIX = "gate"

#: Rich parameters that a template may declare to label what it makes: labels first, then annotations.
LABELS = {"gatehouse_owner": "owner", "gatehouse_run": "run"}
ANNOTATIONS = {"gatehouse_created": "created", "gatehouse_expires": "expires"}


def workspace_name(suite: str, run_id: str) -> str:
    """A name of at most 32 characters, as Coder demands, that leads back to the run."""
    return f"{PREFIX}-{suite}-{run_id.rsplit('-', 1)[-1]}-{secrets.token_hex(3)}"[:32]


def ownership_parameters(entry: Entry, declared: Collection[str]) -> dict[str, str]:
    """Values for those parameters of ours that the template version declares.

    Label values may hold only letters, digits and `._-`, 63 at most; annotations anything.
    """
    labels = {
        name: re.sub(r"[^A-Za-z0-9._-]", "-", getattr(entry, field))[:63].strip("-._")
        for name, field in LABELS.items()
    }
    annotations = {name: getattr(entry, field) for name, field in ANNOTATIONS.items()}
    return {name: value for name, value in {**labels, **annotations}.items() if name in declared}
