"""Calls about users, their tokens, links and rights."""

from __future__ import annotations

from gatehouse.coder import calls
from gatehouse.coder.api.rights import SEE_USERS, RightsCalls, hidden, hidden_if_missing
from gatehouse.coder.models import ApiKey, ExternalAuth, ExternalAuths, Organization, User, UserPage


class IdentityCalls(RightsCalls):
    """Who the token is, what it may do and for how long."""

    def me(self) -> User:
        """GET /api/v2/users/me. Raises `PermissionDenied` for a token whose scopes leave out its own user."""
        with hidden_if_missing("its own user"):
            return self.user("me")

    def user(self, name: str) -> User:
        """GET /api/v2/users/{user}: by name or id. Raises `UsageError` for one not to be seen."""
        return self._transport.read(calls.USER, User, user=name)

    def users(self, query: str = "") -> list[User]:
        """GET /api/v2/users: all of them, or those a query such as `status:active` finds.

        Raises `PermissionDenied` for a token that does not see all: it would get a shorter list without a word.
        """
        self._require(SEE_USERS, "other users", calls.USERS)
        return calls.all_pages(
            lambda page: self._transport.read(calls.USERS, UserPage, {"q": query, **page}).users
        )

    def organizations(self) -> list[Organization]:
        """GET /api/v2/organizations. Every user is in one: raises `PermissionDenied` where there is none to see."""
        found = self._transport.read_list(calls.ORGANIZATIONS, Organization)
        if not found:
            raise hidden("organizations", "an empty list", str(calls.ORGANIZATIONS))
        return found

    def token(self) -> ApiKey:
        """GET /api/v2/users/me/keys/{key}: the token in use, and when it ends; later refusals then say that it has.

        Raises `PermissionDenied` for a token whose scopes do not cover keys or its own user.
        """
        with hidden_if_missing("itself"):
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

    def external_auths(self) -> ExternalAuths:
        """GET /api/v2/external-auth: the providers there are, and which of them the user has linked."""
        return self._transport.read(calls.EXTERNAL_AUTHS, ExternalAuths)

    def external_auth(self, provider: str) -> ExternalAuth:
        """GET /api/v2/external-auth/{provider}: whether the link works now. Raises `NotFound` for no such provider."""
        return self._transport.read(calls.EXTERNAL_AUTH, ExternalAuth, provider=provider)
