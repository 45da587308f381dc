"""What the token may do: asked for, and told apart from there being nothing.

Coder's lists leave out what the token may not see, and single things that it may not see are answered with 404. So
neither an empty list nor a 404 says anything before it is known that the token may look. Measured on v2.30.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gatehouse.coder import calls
from gatehouse.coder.api.base import Calls
from gatehouse.coder.errors import NoSuchCall
from gatehouse.core.errors import NotFound, PermissionDenied


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


#: To see templates at all: of others' an ordinary user has it by each template's own list, so it is asked for as of
#: one's own.
SEE_TEMPLATES = Right("read", "template", owner="me", any_org=True)
#: To see other users than oneself.
SEE_USERS = Right("read", "user")


class RightsCalls(Calls):
    """Asks for rights."""

    def may(self, rights: Mapping[str, Right]) -> dict[str, bool]:
        """POST /api/v2/authcheck: which of these rights the token has, by the caller's own names for them.

        Changes nothing. The server counts roles and the token's scopes.
        """
        body = {"checks": {name: right.as_check() for name, right in rights.items()}}
        return self._transport.write(calls.AUTH_CHECK, dict[str, bool], body)

    def _require(self, right: Right, what: str, where: calls.Call) -> None:
        """Raise `PermissionDenied` unless the token has a right, without which `what` is left out of answers."""
        if not self.may({what: right})[what]:
            raise hidden(what, f"{right.resource}:{right.action} is not among the token's rights", str(where))


def hidden(what: str, seen: str, where: str) -> PermissionDenied:
    """The error for what the server keeps from a token without saying so."""
    return PermissionDenied(
        f"the token may not see {what}, which Coder does not say",
        seen=seen,
        where=where,
        next_step="use a token without scopes, or with the right one, of a user whose role allows it; "
        "`gatehouse doctor` says which",
    )


@contextmanager
def hidden_if_missing(what: str) -> Iterator[None]:
    """Take a 404 for a refusal: `what` is there for certain, so that the token may not see it.

    Raises `PermissionDenied` in place of `NotFound`; that the server has no such call stays what it is.
    """
    try:
        yield
    except NoSuchCall:
        raise
    except NotFound as error:
        raise hidden(what, error.seen, error.where) from error
