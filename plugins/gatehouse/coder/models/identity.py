"""What Coder answers about users, their tokens and their rights."""

from __future__ import annotations

from datetime import datetime

from gatehouse.coder.models.base import Answer, Moment


class Role(Answer):
    """A role of the whole deployment, such as `owner`."""

    name: str


class User(Answer):
    """GET /api/v2/users/{user}."""

    id: str
    username: str
    email: str = ""
    status: str = ""
    login_type: str = ""
    organization_ids: list[str] = []
    roles: list[Role] = []


class UserPage(Answer):
    """GET /api/v2/users."""

    users: list[User] = []
    count: int = 0


class Organization(Answer):
    """GET /api/v2/organizations."""

    id: str
    name: str = ""
    is_default: bool = False


class ApiKey(Answer):
    """GET /api/v2/users/me/keys/{key}: what the server keeps of a token. `id` is its part before the hyphen."""

    id: str
    expires_at: datetime
    token_name: str = ""
    login_type: str = ""
    lifetime_seconds: int = 0
    last_used: Moment = None
    scope: str = ""
    scopes: list[str] = []


class ExternalAuthLink(Answer):
    """A provider that the user has linked."""

    provider_id: str
    authenticated: bool = False
    expires: Moment = None
    has_refresh_token: bool = False
    validate_error: str = ""


class ExternalAuthProvider(Answer):
    """A provider that the deployment is configured for."""

    id: str
    type: str = ""
    display_name: str = ""


class ExternalAuths(Answer):
    """GET /api/v2/external-auth. The API description wrongly promises a single link."""

    providers: list[ExternalAuthProvider] = []
    links: list[ExternalAuthLink] = []


class ExternalAccount(Answer):
    """Who the user is at a provider."""

    login: str = ""
    name: str = ""


class ExternalAuth(Answer):
    """GET /api/v2/external-auth/{provider}: the server has just tried the link."""

    authenticated: bool
    display_name: str = ""
    user: ExternalAccount | None = None
