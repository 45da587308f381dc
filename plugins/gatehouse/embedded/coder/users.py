"""The users of Coder, their tokens, and the providers that they can link."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatehouse.embedded import clock


def new_id() -> str:
    """A fresh UUID as text."""
    return str(uuid.uuid4())


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
        return bool({"all", permission, f"{resource}:*"} & set(self.scopes))


@dataclass
class ExternalProvider:
    """A provider that users can link, and the names of those who have."""

    id: str
    type: str
    display_name: str
    linked: set[str] = field(default_factory=set)
