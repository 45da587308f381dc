"""How a workspace that the harness makes says whose it is: by its name, and by labels its template sets."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

from gatehouse.coder.client import CoderClient
from gatehouse.core.errors import PermissionDenied, UsageError
from gatehouse.core.ledger import Entry

PREFIX = "gate"

#: Rich parameters that a template may declare to label what it makes: labels first, then annotations.
LABELS = {"gatehouse_owner": "owner", "gatehouse_run": "run"}
ANNOTATIONS = {"gatehouse_created": "created", "gatehouse_expires": "expires"}

#: The labels and annotations that such a template puts on what it makes in the cluster.
OWNER_LABEL, RUN_LABEL = "gatehouse/owner", "gatehouse/run"
CREATED_ANNOTATION, EXPIRES_ANNOTATION = "gatehouse/created", "gatehouse/expires"


def workspace_name(suite: str, run_id: str) -> str:
    """A name of at most 32 characters, as Coder demands, that leads back to the run."""
    return f"{PREFIX}-{suite}-{run_id.rsplit('-', 1)[-1]}-{secrets.token_hex(3)}"[:32]


def place_of(coder: CoderClient) -> dict[str, str]:
    """Where a workspace is made, for the ledger: the deployment, and the user where the token may see its own."""
    try:
        return {"coder": coder.url, "user": coder.my_id()}
    except (PermissionDenied, UsageError):
        return {"coder": coder.url}


def label_value(text: str) -> str:
    """A text as the value of a label: letters, digits and `._-`, 63 at most."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:63].strip("-._")


def ownership_parameters(entry: Entry, declared: Collection[str]) -> dict[str, str]:
    """Values for those parameters of ours that the template version declares; annotations may hold anything."""
    labels = {name: label_value(getattr(entry, field)) for name, field in LABELS.items()}
    annotations = {name: getattr(entry, field) for name, field in ANNOTATIONS.items()}
    return {name: value for name, value in {**labels, **annotations}.items() if name in declared}
