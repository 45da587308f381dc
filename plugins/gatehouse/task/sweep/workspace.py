"""Removes one workspace: through Coder, then what Coder left in the cluster; and proves it gone."""

from __future__ import annotations

from gatehouse.coder import workspaces
from gatehouse.coder.models import Workspace
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import GatehouseError
from gatehouse.kube.inventory import Search, Subject
from gatehouse.task.leaks import CoderState, LeakProof, coder_state, prove_gone, prove_never_made
from gatehouse.task.planes import Look, looks
from gatehouse.task.proof import GONE, NEVER_MADE
from gatehouse.task.sweep.identity import AnotherWorkspaceError, absence_unproved, workspace_of
from gatehouse.task.sweep.leftovers import remove_leftovers
from gatehouse.task.sweep.model import Candidate, Context, Outcome, Row, Source


def sweep_workspace(context: Context, candidate: Candidate, why: str) -> Row:
    """Remove one workspace that may be removed, or say what would be. Never raises what Coder or the cluster refuse."""
    entry = candidate.entry
    further = looks(context.planes, context.target, entry)
    deadline = Deadline.after(context.seconds, context.clock)
    try:
        with context.coder.within(deadline):
            found = workspace_of(context, entry)
            state = coder_state(context.coder, found.id) if found else CoderState(NEVER_MADE)
            if not found and (why_not := absence_unproved(context, entry)):
                return Row(candidate, "unknown", "nothing", Outcome.UNVERIFIED, (why_not,))
    except AnotherWorkspaceError as error:
        return Row(candidate, "another's", f"refused: {error}", Outcome.UNVERIFIED)
    except GatehouseError as error:
        return Row(candidate, "unknown", "nothing", Outcome.UNVERIFIED, (_words(error),))
    if candidate.source is Source.CLUSTER and state.status != GONE:
        return _not_gone_in_coder(candidate, state)
    if not context.act:
        return _would_be(context, candidate, found, state, why, further)
    if found is None:
        proof = prove_never_made(context.coder, context.cluster, entry.name, deadline, planes=further)
        return _row(candidate, state, ["nothing: it was never made"], proof)
    return _remove(context, candidate, found, state, deadline, further)


def _remove(
    context: Context,
    candidate: Candidate,
    found: Workspace,
    state: CoderState,
    deadline: Deadline,
    further: list[Look],
) -> Row:
    done = []
    search = _search(context, found)
    if search:
        # What belongs to it by owners or claims must be known before these are gone.
        before = search.look()
        if state.status == "running" and not before.found and not before.unverified:
            return Row(
                candidate,
                state.status,
                "refused: it runs, says Coder, and the cluster has nothing of it; "
                "is this the cluster that Coder uses?",
                Outcome.UNVERIFIED,
            )
    try:
        if state.status != GONE:
            workspaces.delete(context.coder, found.id, deadline)
            done.append("deleted in Coder")
        if search and context.cluster:
            done += remove_leftovers(context.cluster, search.look(), candidate.entry)
        proof = prove_gone(context.coder, context.cluster, found.id, deadline, search=search, planes=further)
    except GatehouseError as error:
        left = f"Coder workspace ({state.status})"
        return Row(candidate, state.status, "could not be removed", Outcome.LEFT, (left, _words(error)))
    return _row(candidate, state, done or ["nothing: it was gone"], proof)


def _would_be(
    context: Context,
    candidate: Candidate,
    found: Workspace | None,
    state: CoderState,
    why: str,
    further: list[Look],
) -> Row:
    """What a sweep that only looks says of what another would remove."""
    if found is None or state.status == GONE:
        name, deadline = candidate.entry.name, Deadline.after(0.0, context.clock)
        proof = (
            prove_gone(
                context.coder,
                context.cluster,
                found.id,
                deadline,
                search=_search(context, found),
                planes=further,
            )
            if found
            else prove_never_made(context.coder, context.cluster, name, deadline, planes=further)
        )
        return _row(candidate, state, [f"nothing yet ({why})"], proof)
    return Row(candidate, state.status, f"nothing yet ({why})", Outcome.LEFT)


def _not_gone_in_coder(candidate: Candidate, state: CoderState) -> Row:
    """Objects in the cluster are only removed once Coder says that their workspace is gone."""
    if state.is_left:
        return Row(candidate, state.status, "nothing: Coder still has its workspace", Outcome.ALONE)
    why = "refused: Coder does not say that its workspace is gone"
    return Row(candidate, state.status, why, Outcome.UNVERIFIED, (state.reason,))


def _search(context: Context, found: Workspace) -> Search | None:
    if context.cluster is None:
        return None
    return Search(context.cluster, Subject(found.id, found.name, found.owner_name))


def _row(candidate: Candidate, state: CoderState, done: list[str], proof: LeakProof) -> Row:
    details = (*(each for each in done[1:]), *proof.left, *proof.unverified)
    return Row(candidate, state.status, done[0], Outcome(proof.outcome.value), details)


def _words(error: GatehouseError) -> str:
    return f"{error.summary}: {error.seen}" if error.seen else error.summary
