"""Who may do what on the code host: accounts by their tokens, and branches that only pull requests may change."""

from __future__ import annotations

from dataclasses import dataclass, field

#: GitHub's roles in a repository, each with the rights of those before it.
ROLES = ("pull", "triage", "push", "maintain", "admin")


@dataclass
class Account:
    """A user of the code host. `scopes` are those of a classic token; None for a fine-grained one."""

    login: str
    role: str = "admin"
    scopes: tuple[str, ...] | None = ("repo",)

    def may(self, right: str) -> bool:
        """Whether its role includes a right, which is one of `ROLES`."""
        return ROLES.index(right) <= ROLES.index(self.role)

    @property
    def permissions(self) -> dict[str, bool]:
        """As a repository's `permissions` say it to the bearer of the token."""
        return {role: self.may(role) for role in reversed(ROLES)}


@dataclass
class Accounts:
    """All accounts by token, and the protected branches of every repository."""

    by_token: dict[str, Account] = field(default_factory=dict)
    protected: set[str] = field(default_factory=lambda: {"main"})

    def closed_to(self, account: Account) -> list[str]:
        """Refs that an account may not push to; as on GitHub, administrators are exempt unless that is turned off."""
        return [] if account.may("admin") else [f"refs/heads/{branch}" for branch in sorted(self.protected)]
