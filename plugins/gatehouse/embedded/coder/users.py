"""The users of Coder, their tokens, and the providers that they can link."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatehouse.embedded import clock


def new_id() -> str:
    """A fresh UUID as text."""
    return str(uuid.uuid4())


#: What the scopes stand for that are named after a task, as of the spring of 2026; before it they left out
#: `organization_member:read`, without which nothing can be made.
COMPOSITE_SCOPES = {
    "coder:workspaces.create": (
        *("template:read", "template:use", "organization_member:read", "workspace:create"),
        *("workspace:read", "workspace:update", "workspace:start", "workspace:stop"),
    ),
    "coder:workspaces.operate": (
        *("template:read", "organization_member:read", "workspace:read", "workspace:update"),
        *("workspace:start", "workspace:stop"),
    ),
    "coder:workspaces.delete": (
        *("template:read", "template:use", "organization_member:read", "workspace:read", "workspace:delete"),
    ),
    "coder:workspaces.access": (
        *("template:read", "organization_member:read", "workspace:read", "workspace:ssh"),
        "workspace:application_connect",
    ),
    "coder:templates.build": ("template:read", "file:create", "file:read", "provisioner_jobs:read"),
    "coder:apikeys.manage_self": ("api_key:read", "api_key:create", "api_key:update", "api_key:delete"),
}

#: What tokens can be limited to; other rights, such as `debug_info:read`, go with a role and a token without scopes.
SCOPES = (
    *("coder:all", "coder:application_connect", *COMPOSITE_SCOPES),
    *("workspace:read", "workspace:create", "workspace:update", "workspace:delete", "workspace:ssh"),
    *("workspace:start", "workspace:stop", "workspace:application_connect", "workspace:*"),
    *("template:read", "template:create", "template:update", "template:delete", "template:use", "template:*"),
    *("api_key:read", "api_key:create", "api_key:update", "api_key:delete", "api_key:*"),
    *("file:read", "file:create", "file:*", "user:read", "user:read_personal", "user:update_personal"),
    *("organization:read", "organization:update", "organization:delete", "organization:*"),
)


@dataclass
class User:
    """A person or bot; `roles` holds `owner` for administrators."""

    username: str
    login_type: str = "password"
    roles: tuple[str, ...] = ()
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=clock.microseconds)

    @property
    def is_owner(self) -> bool:
        """Whether this is an administrator of the deployment."""
        return "owner" in self.roles


@dataclass
class Key:
    """What is kept of a token. `scopes` other than `all` limit it to such as `workspace:read`."""

    user: User
    id: str
    name: str = "gatehouse"
    scopes: tuple[str, ...] = ("all",)
    lifetime: timedelta = timedelta(days=30)
    created_at: datetime = field(default_factory=clock.now)

    @property
    def expires_at(self) -> datetime:
        """When it ends."""
        return self.created_at + self.lifetime

    def covers(self, permission: str) -> bool:
        """Whether its scopes allow `<resource>:<action>`."""
        resource = permission.partition(":")[0]
        allowed = {each for scope in self.scopes for each in (scope, *COMPOSITE_SCOPES.get(scope, ()))}
        return bool({"all", "coder:all", permission, f"{resource}:*"} & allowed)


@dataclass
class ExternalProvider:
    """A provider that users can link, and the names of those who have."""

    id: str
    type: str
    display_name: str
    linked: set[str] = field(default_factory=set)
