"""Which workspace an entry of a ledger is about; none is taken for it only because of its name."""

from __future__ import annotations

from datetime import timedelta

from gatehouse.coder.creation import GRACE
from gatehouse.coder.models import Workspace
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound
from gatehouse.core.ledger import Entry, moment_of
from gatehouse.task.sweep.judge import same_label
from gatehouse.task.sweep.model import Context

#: Seconds between two looks for a workspace whose create call may still be under way.
INTERVAL = 0.5

#: Seconds by which the clocks of a ledger's machine and of Coder may differ.
TOLERANCE = 60.0

#: Seconds after its line in the ledger that a create call may take until the workspace is there.
LATEST = 300.0


class AnotherWorkspaceError(Exception):
    """There is a workspace of that name or id, and it is not the one that the entry is about; the message says why."""


def workspace_of(context: Context, entry: Entry) -> Workspace | None:
    """The workspace of an entry, deleted or not; None where Coder has never had it.

    A create call may have been under way when its process was killed: its workspace is looked for until `GRACE`
    seconds after the entry was written. Raises `AnotherWorkspaceError`, and what Coder refuses with; `NotFound`
    where Coder does not show the workspace whose id is known.
    """
    if entry.id:
        workspace = context.coder.workspace(entry.id, include_deleted=True)
        if workspace.name != entry.name and entry.name != entry.id:
            raise AnotherWorkspaceError(f"the workspace with its id is called {workspace.name}")
        return workspace
    written = moment_of(entry.created)
    age = (context.clock.now() - written).total_seconds() if written else GRACE
    deadline = Deadline.after(min(max(GRACE - age, 0.0), GRACE) if context.act else 0.0, context.clock)
    while True:
        found = context.coder.find_workspace(entry.name, entry.where.get("user", "me"), include_deleted=True)
        if found:
            _require_same(context, found, entry)
            return found
        if deadline.expired:
            return None
        context.clock.sleep(INTERVAL)


def absence_unproved(context: Context, entry: Entry) -> str:
    """Why it proves nothing that Coder has no workspace of the entry's name; empty where it does."""
    if entry.where.get("coder") != context.coder.url:
        return "its ledger does not say on which Coder it was made"
    if entry.where.get("user") != context.coder.my_id():
        return "the token is not that of the user for whom it was made, so that Coder may not show it"
    return ""


def _require_same(context: Context, found: Workspace, entry: Entry) -> None:
    """By its run where the template has a parameter for it, else by the time at which it was made."""
    try:
        said = {each.name: each.value for each in context.coder.build_parameters(found.latest_build.id)}
    except NotFound:
        said = {}
    if run := said.get("gatehouse_run"):
        if not same_label(run, entry.run):
            raise AnotherWorkspaceError(f"the workspace of that name is of the run {run}")
        return
    written = moment_of(entry.created)
    if not written or not found.created_at:
        raise AnotherWorkspaceError("nothing but its name says that the workspace is the one that was meant")
    after = found.created_at - written
    if not timedelta(seconds=-TOLERANCE) <= after <= timedelta(seconds=LATEST):
        raise AnotherWorkspaceError(
            f"the workspace of that name was made at {found.created_at:%Y-%m-%d %H:%M:%S} UTC, the ledger's line at "
            f"{written:%H:%M:%S}"
        )
