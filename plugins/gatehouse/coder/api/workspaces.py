"""Calls about workspaces and their builds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gatehouse.coder import calls, creation
from gatehouse.coder.api.base import Calls
from gatehouse.coder.api.rights import hidden_if_missing
from gatehouse.coder.creation import WorkspaceRequest
from gatehouse.coder.errors import NoSuchCall
from gatehouse.coder.models import (
    Build,
    LogLine,
    Parameter,
    ScriptTiming,
    Timings,
    Workspace,
    WorkspacePage,
)
from gatehouse.core.errors import NotFound


class WorkspaceCalls(Calls):
    """Workspaces: made, found, built, kept alive."""

    def create_workspace(
        self,
        name: str,
        *,
        template_version_id: str,
        parameters: Mapping[str, str] | None = None,
        ttl_seconds: float | None = None,
        preset_id: str = "",
    ) -> Workspace:
        """POST /api/v2/users/me/workspaces, once; a lost answer is looked up by name (see `creation`).

        Raises `UsageError` with the fields that are wrong, `Conflict` for a name that is taken, `PermissionDenied`
        also for a token whose scopes leave out its own user, as `coder:workspaces.create` alone does in v2.30
        (coder issue 22537).
        """
        request = WorkspaceRequest(name, template_version_id, dict(parameters or {}), ttl_seconds, preset_id)

        def send() -> Workspace:
            with hidden_if_missing("its own user"):
                return self._transport.write(calls.CREATE_WORKSPACE, Workspace, request.as_body(), user="me")

        return creation.create_workspace(self, request, send, self._transport.clock)

    def create_build(
        self,
        workspace_id: str,
        transition: str,
        *,
        template_version_id: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> Build:
        """POST /api/v2/workspaces/{workspace}/builds with `start`, `stop` or `delete`, once; never orphans.

        A lost answer is looked up by the number of the build (see `creation`). Raises `ActiveBuild` while another
        one is under way.
        """
        body: dict[str, object] = {"transition": transition}
        if template_version_id:
            body["template_version_id"] = template_version_id
        if parameters:
            body["rich_parameter_values"] = [
                {"name": name, "value": value} for name, value in parameters.items()
            ]

        def send() -> Build:
            return self._transport.write(calls.CREATE_BUILD, Build, body, workspace=workspace_id)

        before = self.workspace(workspace_id)
        return creation.create_build(
            self, before, transition, template_version_id, send, self._transport.clock
        )

    def cancel_build(self, build_id: str, *, expect_status: str = "") -> None:
        """PATCH /api/v2/workspacebuilds/{build}/cancel, only while it is `pending` or `running` if so expected.

        In the middle of an apply this leaves parts behind: wait and delete instead. Raises `Conflict` (412) for
        another status, `PermissionDenied` where the template does not let users cancel.
        """
        query = {"expect_status": expect_status} if expect_status else None
        self._transport.change(calls.CANCEL_BUILD, None, query, build=build_id)

    def workspace(self, workspace_id: str, *, include_deleted: bool = False) -> Workspace:
        """GET /api/v2/workspaces/{workspace}. A deleted one is `Gone` unless asked for."""
        query = {"include_deleted": "true"} if include_deleted else None
        return self._transport.read(calls.WORKSPACE, Workspace, query, workspace=workspace_id)

    def find_workspace(
        self, name: str, owner: str = "me", *, include_deleted: bool = False
    ) -> Workspace | None:
        """GET /api/v2/users/{owner}/workspace/{name}; None for one that does not exist, or is deleted unless wanted."""
        query = {"include_deleted": "true"} if include_deleted else None
        try:
            return self._transport.read(calls.WORKSPACE_BY_NAME, Workspace, query, user=owner, name=name)
        except NoSuchCall:
            raise
        except NotFound:
            return None

    def workspaces(self, query: str = "") -> list[Workspace]:
        """GET /api/v2/workspaces: all that the token may see, or those that a query such as `owner:me` finds.

        The server also takes parts of names for matches: whoever asks for names looks at them again.
        """
        wanted = {"q": query} if query else {}
        found = calls.all_pages(
            lambda page: self._transport.read(calls.WORKSPACES, WorkspacePage, {**page, **wanted}).workspaces
        )
        return list({each.id: each for each in found}.values())

    def own_workspaces(self, name_prefix: str) -> list[Workspace]:
        """The token's own workspaces whose names begin like this."""
        query = f"owner:me name:{name_prefix}" if name_prefix else "owner:me"
        return [each for each in self.workspaces(query) if each.name.startswith(name_prefix)]

    def builds(self, workspace_id: str) -> list[Build]:
        """GET /api/v2/workspaces/{workspace}/builds, the newest first."""
        return calls.all_pages(
            lambda page: self._transport.read_list(calls.BUILDS, Build, page, workspace=workspace_id)
        )

    def build(self, build_id: str) -> Build:
        """GET /api/v2/workspacebuilds/{build}."""
        return self._transport.read(calls.BUILD, Build, build=build_id)

    def build_parameters(self, build_id: str) -> list[Parameter]:
        """GET /api/v2/workspacebuilds/{build}/parameters."""
        return self._transport.read_list(calls.BUILD_PARAMETERS, Parameter, build=build_id)

    def build_log(self, build_id: str, *, after: int = 0) -> list[LogLine]:
        """GET /api/v2/workspacebuilds/{build}/logs, those after the line with id `after`."""
        return self._transport.read_list(
            calls.BUILD_LOGS, LogLine, {"after": after} if after else None, build=build_id
        )

    def timings(self, workspace_id: str) -> Timings:
        """GET /api/v2/workspaces/{workspace}/timings of the latest build."""
        return self._transport.read(calls.WORKSPACE_TIMINGS, Timings, workspace=workspace_id)

    def script_timings(self, workspace_id: str) -> list[ScriptTiming]:
        """How the start scripts ended, with exit codes, which arrive a little late."""
        return self.timings(workspace_id).agent_script_timings

    def extend(self, workspace_id: str, until: datetime) -> None:
        """PUT /api/v2/workspaces/{workspace}/extend: not to be stopped before `until`, at least 30 min ahead."""
        body = {"deadline": until.isoformat()}
        self._transport.change(calls.EXTEND, body, workspace=workspace_id)

    def set_ttl(self, workspace_id: str, seconds: float | None) -> None:
        """PUT /api/v2/workspaces/{workspace}/ttl for the next start: a minute to 30 days, or None for no limit."""
        body = {"ttl_ms": int(seconds * 1000) if seconds is not None else None}
        self._transport.change(calls.TTL, body, workspace=workspace_id)
