"""Calls about users, their tokens, links and rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatehouse.coder import calls
from gatehouse.coder.api.base import Calls
from gatehouse.coder.models import ApiKey, ExternalAuth, ExternalAuths, Organization, User, UserPage


@dataclass(frozen=True)
class Right:
    """An action on a kind of object, such as `read` on `debug_info`, on those of an owner or organization if given.

    `owner` may be `me`. Without an organization `any_org` asks whether it is allowed in any one.
    """

    action: str
    resource: str
    owner: str = ""
    organization: str = ""
    any_org: bool = False

    def as_check(self) -> dict[str, object]:
        """`codersdk.AuthorizationCheck`."""
        optional = {"owner_id": self.owner, "organization_id": self.organization, "any_org": self.any_org}
        return {
            "action": self.action,
            "object": {
                "resource_type": self.resource,
                **{name: value for name, value in optional.items() if value},
            },
        }


class IdentityCalls(Calls):
    """Who the token is, what it may do and for how long."""

    def me(self) -> User:
        """GET /api/v2/users/me."""
        return self.user("me")

    def user(self, name: str) -> User:
        """GET /api/v2/users/{user}: by name or id. Raises `NotFound` also for a user the token may not see."""
        return self._transport.read(calls.USER, User, user=name)

    def users(self, query: str = "") -> list[User]:
        """GET /api/v2/users: all of them, or those a query such as `status:active` finds. Needs `user:read`."""
        found: list[User] = []
        while True:
            page = self._transport.read(calls.USERS, UserPage, {"q": query, **calls.page(len(found))})
            found += page.users
            if len(page.users) < calls.PAGE:
                return found

    def organizations(self) -> list[Organization]:
        """GET /api/v2/organizations."""
        return self._transport.read_list(calls.ORGANIZATIONS, Organization)

    def token(self) -> ApiKey:
        """GET /api/v2/users/me/keys/{key}: the token in use, and when it ends; later refusals then say that it has.

        Raises `NotFound` or `PermissionDenied` for a token whose scopes do not cover keys.
        """
        key = self._transport.read(calls.KEY, ApiKey, user="me", key=self._transport.key_id)
        self._transport.token_ends = key.expires_at
        return key

    def token_seconds_left(self) -> float:
        """How long the token in use is still good, by the server's clock. Raises as `token`."""
        return (self.token().expires_at - self._transport.now()).total_seconds()

    def tokens(self) -> list[ApiKey]:
        """GET /api/v2/users/me/keys/tokens: the user's long-lived tokens; sessions are not among them."""
        return self._transport.read_list(calls.TOKENS, ApiKey, user="me")

    def token_scopes(self) -> list[str]:
        """GET /api/v2/auth/scopes: what tokens can be limited to; needs no token."""
        answer = self._transport.read(calls.AUTH_SCOPES, dict[str, list[str] | None])
        return answer.get("external") or []

    def may(self, rights: Mapping[str, Right]) -> dict[str, bool]:
        """POST /api/v2/authcheck: which of these rights the token has, by the caller's own names for them.

        Changes nothing. The server counts roles and the token's scopes.
        """
        body = {"checks": {name: right.as_check() for name, right in rights.items()}}
        return self._transport.write(calls.AUTH_CHECK, dict[str, bool], body)

    def external_auths(self) -> ExternalAuths:
        """GET /api/v2/external-auth: the providers there are, and which of them the user has linked."""
        return self._transport.read(calls.EXTERNAL_AUTHS, ExternalAuths)

    def external_auth(self, provider: str) -> ExternalAuth:
        """GET /api/v2/external-auth/{provider}: whether the link works now. Raises `NotFound` for no such provider."""
        return self._transport.read(calls.EXTERNAL_AUTH, ExternalAuth, provider=provider)
