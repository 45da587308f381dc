"""Who asks, and for what: callers, look-ups and the error body."""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from gatehouse.embedded import clock
from gatehouse.embedded.coder.records import (
    Agent,
    Build,
    Database,
    Template,
    TemplateVersion,
    Workspace,
)
from gatehouse.embedded.coder.users import Key, User

Json = dict[str, Any]

SIGNED_OUT = "You are signed out or your session has expired. Please sign in again to continue."
COOKIE = "coder_session_token"
TOKEN_HEADER = "Coder-Session-Token"  # noqa: S105 - the header's name


_FORBIDDEN = (
    "You don't have permission to view this content. If you believe this is a mistake, please contact your "
    "administrator or try signing in with different credentials."
)

#: What every member of an organization may do in it.
_OF_MEMBERS = ("organization:read", "organization_member:read", "provisioner_daemon:read")


class CoderError(Exception):
    """An answer that is not a success, in Coder's error body."""

    def __init__(
        self, status: int, message: str, detail: str = "", fields: dict[str, str] | None = None
    ) -> None:
        """`fields` maps names of the body's fields to what is wrong with them."""
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message}
        if detail:
            self.body["detail"] = detail
        if fields:
            self.body["validations"] = [{"field": name, "detail": text} for name, text in fields.items()]


NOT_FOUND = CoderError(404, "Resource not found or you do not have access to this resource")


async def request_body(request: Request) -> Json:
    """The JSON object in a request. Raises `CoderError` 400."""
    try:
        body = await request.json()
    except ValueError as error:
        raise CoderError(400, "Request body must be valid JSON.", str(error)) from error
    if not isinstance(body, dict):
        raise CoderError(400, "Request body must be valid JSON.", "expected an object")
    return body


async def deny(socket: WebSocket, error: CoderError) -> None:
    """Answer a WebSocket request with an error instead of the upgrade."""
    await socket.send_denial_response(JSONResponse(error.body, error.status))


class Access:
    """Finds what a request is about, as far as its caller may see it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def caller(self, connection: HTTPConnection) -> User:
        """The user whose token the request carries. Raises `CoderError` 401."""
        return self.key(connection).user

    def key(self, connection: HTTPConnection) -> Key:
        """What is kept of the token that the request carries. Raises `CoderError` 401."""
        token = (
            connection.cookies.get("coder_session_token")
            or connection.query_params.get("coder_session_token")
            or connection.headers.get(TOKEN_HEADER)
        )
        if not token:
            raise CoderError(401, SIGNED_OUT, f'Cookie "{COOKIE}" or query parameter must be provided.')
        key = self._database.key(token)
        if key is None:
            raise CoderError(401, SIGNED_OUT, "API key is invalid.")
        if key.expires_at < clock.now():
            raise CoderError(401, SIGNED_OUT, f'API key expired at "{key.expires_at}".')
        return key

    def may(
        self, connection: HTTPConnection, permission: str, owner: str = "", *, any_organization: bool = False
    ) -> bool:
        """Whether the caller has `<resource>:<action>`, on what belongs to `owner` if that is an id.

        Owners of the deployment have all rights, others those over what is theirs, and to see who and what is in
        their organization. That they see templates comes from the templates, so it is no right of theirs in general.
        """
        key = self.key(connection)
        own = owner in (key.user.id, "me") or (any_organization and permission in _OF_MEMBERS)
        return (key.user.is_owner or own) and key.covers(permission)

    def require(self, connection: HTTPConnection, permission: str) -> None:
        """Raise `CoderError` 401 or 403 unless the caller has a right."""
        if not self.may(connection, permission):
            raise CoderError(403, "Forbidden.", _FORBIDDEN)

    def named_user(self, connection: HTTPConnection) -> User:
        """The user in the path: `me`, a name or an id, if the token may see users. Raises `CoderError` 404, 400."""
        key = self.key(connection)
        if not key.covers("user:read"):
            raise NOT_FOUND
        return self._named(connection, key.user)

    def named_member(self, connection: HTTPConnection) -> User:
        """As `named_user`, but with the right to see members of the organization. Raises `CoderError` 404."""
        key = self.key(connection)
        if not key.covers("organization_member:read"):
            raise NOT_FOUND
        return self._named(connection, key.user)

    def _named(self, connection: HTTPConnection, caller: User) -> User:
        name = connection.path_params["user"]
        if name == "me":
            return caller
        for user in self._database.users.values():
            if name in (user.id, user.username) and (user is caller or caller.is_owner):
                return user
        raise CoderError(400, '"user" must be an existing uuid or username.', f'queried user="{name}"')

    def workspace(self, connection: HTTPConnection) -> Workspace:
        """The workspace in the path, deleted or not. Raises `CoderError` 404."""
        caller = self.caller(connection)
        workspace = self._database.workspaces.get(connection.path_params["workspace"])
        if workspace is None or (workspace.owner is not caller and not caller.is_owner):
            raise NOT_FOUND
        return workspace

    def build(self, connection: HTTPConnection) -> tuple[Workspace, Build]:
        """The build in the path and its workspace. Raises `CoderError` 404."""
        caller = self.caller(connection)
        for workspace, build in self._database.builds():
            if build.id == connection.path_params["build"] and (workspace.owner is caller or caller.is_owner):
                return workspace, build
        raise NOT_FOUND

    def agent(self, connection: HTTPConnection) -> tuple[Workspace, Build, Agent]:
        """The agent in the path, with its workspace and build. Raises `CoderError` 404."""
        caller = self.caller(connection)
        for workspace, build, agent in self._database.agents():
            if agent.id == connection.path_params["agent"] and (workspace.owner is caller or caller.is_owner):
                return workspace, build, agent
        raise NOT_FOUND

    def version(self, request: Request) -> TemplateVersion:
        """The template version in the path. Raises `CoderError` 404."""
        self.caller(request)
        for template in self._database.templates.values():
            for version in template.versions:
                if version.id == request.path_params["version"]:
                    return version
        raise NOT_FOUND

    def template(self, request: Request) -> Template:
        """The template in the path. Raises `CoderError` 404."""
        self.caller(request)
        template = self._database.templates.get(request.path_params["template"])
        if template is None:
            raise NOT_FOUND
        return template
