"""Workspaces and builds are asked for once. What became of a request whose answer was lost is looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from gatehouse.coder.errors import ForeignWorkspace, LostAnswer, Redirected
from gatehouse.coder.models import Build, Parameter, Workspace
from gatehouse.core.deadline import Clock, Deadline
from gatehouse.core.errors import (
    GatehouseError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerFault,
    Transient,
    UnexpectedAnswer,
    Unreachable,
)

Made = TypeVar("Made")

#: Seconds for which a lost request may still be under way on the server, and between two looks.
GRACE = 10.0
INTERVAL = 1.0

#: Seconds by which the server's times may seem to be before the request: its clock is known to a few seconds.
TIME_TOLERANCE = 10.0

#: After these nobody knows whether the server did what it was asked for.
_UNKNOWN = (LostAnswer, Transient, ServerFault, UnexpectedAnswer)
#: After these it is known that it did not.
_REFUSED = (RateLimited, Redirected)


def nothing_was_made(error: BaseException) -> bool:
    """Whether a request that ended with this error is known to have made nothing, and to make nothing later."""
    if isinstance(error, _REFUSED):
        return True
    return isinstance(error, GatehouseError) and not isinstance(error, _UNKNOWN)


@dataclass(frozen=True)
class WorkspaceRequest:
    """A workspace that is asked for; durations in seconds."""

    name: str
    template_version_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    ttl_seconds: float | None = None
    preset_id: str = ""

    def as_body(self) -> dict[str, object]:
        """`codersdk.CreateWorkspaceRequest`."""
        body: dict[str, object] = {
            "name": self.name,
            "template_version_id": self.template_version_id,
            "rich_parameter_values": [
                {"name": name, "value": value} for name, value in self.parameters.items()
            ],
        }
        if self.ttl_seconds is not None:
            body["ttl_ms"] = int(self.ttl_seconds * 1000)
        if self.preset_id:
            body["template_version_preset_id"] = self.preset_id
        return body


class Server(Protocol):
    """What a look-up needs to ask; the client's own methods say what each of them does."""

    def find_workspace(self, name: str) -> Workspace | None: ...  # noqa: D102 - as in the client
    def builds(self, workspace_id: str) -> list[Build]: ...  # noqa: D102 - as in the client
    def build_parameters(self, build_id: str) -> list[Parameter]: ...  # noqa: D102 - as in the client
    def my_id(self) -> str: ...  # noqa: D102 - as in the client
    def server_time(self) -> datetime: ...  # noqa: D102 - as in the client


def create_workspace(
    server: Server, request: WorkspaceRequest, send: Callable[[], Workspace], clock: Clock
) -> Workspace:
    """Send a request for a workspace once, and give the workspace; if the answer is lost, the one it made.

    Raises the server's refusal; the loss, if nothing was made for `GRACE` seconds; `ForeignWorkspace` if there is
    a workspace of that name that this request cannot have made.
    """
    owner = _asker(server)
    sent_at = server.server_time()

    def made() -> Workspace | None:
        found = server.find_workspace(request.name)
        if found is None:
            return None
        if differences := _differences(server, found, request, owner, sent_at):
            raise ForeignWorkspace(
                f"the answer to the creation of the workspace {request.name} was lost, and the one of that name is "
                "not what was asked for",
                expected=f"version {request.template_version_id}, made after {sent_at:%H:%M:%S} UTC",
                seen="; ".join(differences),
                where=f"workspace {found.id}",
                next_step="leave that workspace alone, and run again: each run has names of its own",
            )
        return found

    return _once(send, made, clock, f"creation of the workspace {request.name}")


def create_build(
    server: Server,
    workspace: Workspace,
    transition: str,
    version_id: str,
    send: Callable[[], Build],
    clock: Clock,
) -> Build:
    """Send a request for a build once, and give the build; if the answer is lost, the one it made.

    `workspace` is as it was before. Its build is that with the next number; another caller's build there means that
    the lost request was refused or never came. Raises as `create_workspace`.
    """
    owner = _asker(server)
    before = workspace.latest_build.build_number

    def made() -> Build | None:
        for build in server.builds(workspace.id):
            if (
                build.build_number > before
                and build.transition == transition
                and (build.initiator_id == owner or (not owner and not build.reason.startswith("auto")))
                and (not version_id or build.template_version_id == version_id)
            ):
                return build
        return None

    return _once(send, made, clock, f"{transition} build of the workspace {workspace.name}")


def _asker(server: Server) -> str:
    """Whose request it is, asked before it is sent: afterwards the server may be gone.

    Empty for a token that may not read its own user. What is found by name is the user's own in any case.
    """
    try:
        return server.my_id()
    except (PermissionDenied, NotFound):
        return ""


def _once(send: Callable[[], Made], made: Callable[[], Made | None], clock: Clock, what: str) -> Made:
    try:
        return send()
    except _UNKNOWN as error:
        if isinstance(error, _REFUSED):
            raise
        lost = error
    deadline = Deadline.after(GRACE, clock)
    while True:
        if found := _look(made, lost):
            return found
        if deadline.remaining <= INTERVAL:
            raise _nothing_made(lost, what)
        clock.sleep(INTERVAL)


def _look(made: Callable[[], Made | None], lost: GatehouseError) -> Made | None:
    """What was made. Raises the loss if nobody can tell, because the server does not answer at all."""
    try:
        return made()
    except NotFound:
        return None
    except (Transient, Unreachable) as error:
        lost.next_step = (
            f"whether it was done is not known, as looking it up failed, too ({error.summary}); "
            "what may be there is in the ledger by name: look for it once the server answers, and delete it"
        )
        raise lost from error


def _nothing_made(lost: GatehouseError, what: str) -> GatehouseError:
    lost.summary = f"{what}: {lost.summary}"
    lost.expected = f"an answer, or the thing itself within {GRACE:.0f} s after the answer was lost"
    lost.next_step = "run again; should it appear later, it is in the ledger by its name, to be deleted"
    return lost


def _differences(
    server: Server, found: Workspace, request: WorkspaceRequest, owner: str, sent_at: datetime
) -> list[str]:
    """Why a workspace cannot be the one that was asked for."""
    first = found.latest_build
    differences = []
    if owner and found.owner_id != owner:
        differences.append(f"it belongs to {found.owner_name or found.owner_id}")
    if first.build_number > 1:
        differences.append(f"it has had {first.build_number} builds")
    if first.template_version_id != request.template_version_id:
        differences.append(f"its template version is {first.template_version_id}")
    if found.created_at and found.created_at < sent_at - timedelta(seconds=TIME_TOLERANCE):
        differences.append(f"it was made at {found.created_at:%Y-%m-%d %H:%M:%S} UTC")
    if not differences and request.parameters:
        values = {each.name: each.value for each in server.build_parameters(first.id)}
        # Values stay out of the message: some are secret.
        differences += [
            f"its parameter {name} has another value"
            for name, value in request.parameters.items()
            if values.get(name) != value
        ]
    return differences
