"""What is wrong with the credentials of the harness."""

from __future__ import annotations

from datetime import timedelta

from gatehouse.embedded.kubernetes.access import rule
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems


@scenario("coder")
def token_expired(systems: Systems) -> None:
    """The harness's token ended a minute ago."""
    for token in systems.database.tokens:
        key = systems.database.key(token)
        assert key, "it is one of those that are known"
        key.lifetime = timedelta(minutes=-1)


@scenario("coder")
def token_scoped(systems: Systems) -> None:
    """The harness's token is limited to making workspaces and working in them."""
    for token in systems.database.tokens:
        key = systems.database.key(token)
        assert key, "it is one of those that are known"
        key.scopes = ("coder:workspaces.create", "coder:workspaces.operate", "coder:workspaces.delete")
        key.scopes += ("coder:workspaces.access", "user:read", "organization:read", "api_key:read")


@scenario("all")
def half_of_the_rights(systems: Systems) -> None:
    """The harness is no Owner in Coder, and may list neither pods, logs nor policies in the cluster."""
    for user in systems.database.tokens.values():
        user.roles = ()
    denied = rule("*", "pods pods/log pods/exec networkpolicies externalsecrets")
    for identity in systems.kubernetes.tokens.values():
        identity.denials = (*identity.denials, denied)
