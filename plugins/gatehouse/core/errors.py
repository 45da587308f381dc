"""Every error Gatehouse raises on purpose.

    GatehouseError
    ├── UsageError                      the command or its configuration cannot be used
    │   └── SettingsError               gatehouse.yaml, with file and line
    ├── ProductFailure (AssertionError) the thing under test is wrong
    │   ├── TerminalState               a wait ended early: the state reached can only be a failure
    │   ├── WrongSubject                what runs is not the commit that was asked for
    │   ├── LeakFound                   something the harness made is still there
    │   └── GuardRailViolation          the change does what whoever made it may not do
    ├── EnvironmentProblem              a tool, a permission or a file on this side is missing
    │   ├── NotInstalled                a program that the checkout needs
    │   └── PermissionDenied            the server knows us and says no (403)
    └── InfrastructureError             a system the harness depends on did not do its part
        ├── Unreachable                 no answer at all
        ├── UnexpectedAnswer            an answer that cannot come from the system asked
        ├── AuthenticationError         the token is missing, wrong or expired (401)
        ├── NotFound                    the server says there is no such thing (404, 410)
        ├── Conflict                    the server says it is already there, or changed meanwhile (409, 412)
        ├── Transient                   may go away by itself: 502, 503, 504
        │   └── RateLimited             the server wants fewer requests (429), and may say for how long
        ├── ServerFault                 the server failed while it answered (500 and the like)
        └── WaitTimeout                 the deadline passed; carries the last state seen

Product failures are `AssertionError`s, so that Allure shows them as "failed"; all others show as "broken".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar


class FailureClass(StrEnum):
    """Who was at fault; the gate turns each class into its own exit code."""

    PRODUCT = "product"
    INFRASTRUCTURE = "infrastructure"
    ENVIRONMENT = "environment"
    LEAK = "leak"
    UNTRUSTED = "untrusted"
    GUARD_RAIL = "guard rail"


class GatehouseError(Exception):
    """The root. `str()` gives a summary line, then what was expected, seen, where, and what to do next."""

    failure_class: ClassVar[FailureClass] = FailureClass.INFRASTRUCTURE

    def __init__(
        self, summary: str, *, expected: str = "", seen: str = "", where: str = "", next_step: str = ""
    ) -> None:
        """`seen` carries the server's or tool's own words; `next_step` is what the reader does now."""
        self.summary = summary
        self.expected = expected
        self.seen = seen
        self.where = where
        self.next_step = next_step
        #: Whether it has been shown in full before, so that its first line is enough.
        self.shown_before = False
        super().__init__(summary)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.summary, self.expected, self.seen, self.where, self.next_step)

    @property
    def details(self) -> list[str]:
        """What was expected, seen, and where, as far as it is known, one line each."""
        known = (("expected", self.expected), ("seen", self.seen), ("where", self.where))
        return [f"{name}: {text}" for name, text in known if text]

    def __str__(self) -> str:
        lines = [*self.details, *([f"next: {self.next_step}"] if self.next_step else [])]
        return "\n".join([self.summary, *(f"  {line}" for line in lines)])


def _rebuild(
    kind: type[GatehouseError], summary: str, expected: str, seen: str, where: str, next_step: str
) -> GatehouseError:
    return kind(summary, expected=expected, seen=seen, where=where, next_step=next_step)


class UsageError(GatehouseError):
    """The command line or the configuration cannot be used as given."""

    failure_class = FailureClass.ENVIRONMENT


class SettingsError(UsageError):
    """A configuration file cannot be used; `where` is `file:line`."""


class ProductFailure(GatehouseError, AssertionError):
    """The thing under test did not do what it should."""

    failure_class = FailureClass.PRODUCT


class TerminalState(ProductFailure):
    """A wait ended before its deadline because the state reached can only be a failure."""


class WrongSubject(ProductFailure):
    """What runs is not the commit that was asked for: a result would say nothing about that commit."""

    failure_class = FailureClass.UNTRUSTED


class LeakFound(ProductFailure):
    """Something the harness made is still there after its teardown, or nobody could look."""

    failure_class = FailureClass.LEAK


class GuardRailViolation(ProductFailure):
    """The change does what whoever made it may not do."""

    failure_class = FailureClass.GUARD_RAIL


class EnvironmentProblem(GatehouseError):
    """Something on the side of the machine or account that runs the harness is missing."""

    failure_class = FailureClass.ENVIRONMENT


class NotInstalled(EnvironmentProblem):
    """A program that is needed cannot be found on this machine."""


class PermissionDenied(EnvironmentProblem):
    """The server knows who is asking and refuses (403)."""


class InfrastructureError(GatehouseError):
    """A system the harness depends on did not do its part."""


class Unreachable(InfrastructureError):
    """No answer: name not resolved, connection refused or reset, or no answer in time."""


class UnexpectedAnswer(InfrastructureError):
    """An answer that the system asked cannot have given, such as a proxy's HTML page."""


class AuthenticationError(InfrastructureError):
    """The token is missing, wrong or expired (401)."""


class NotFound(InfrastructureError):
    """The server says there is no such thing (404), or no longer (410)."""


class Conflict(InfrastructureError):
    """The server says that it exists already, or that it changed in the meantime (409, 412)."""


class Transient(InfrastructureError):
    """May go away by itself: rate limited, overloaded, restarting (429, 502, 503, 504)."""


class RateLimited(Transient):
    """The server refused because there were too many requests (429); it has done nothing of what was asked."""

    #: Seconds that the server asks to wait; 0 if it does not say.
    retry_after = 0.0


class ServerFault(InfrastructureError):
    """The server failed while it answered (500 and the like); whether it will again, nobody knows."""


class WaitTimeout(InfrastructureError):
    """The deadline passed first; `seen` is the last state observed."""


def error_data(error: GatehouseError) -> dict[str, str]:
    """An error as data, from which `error_of` makes it again in another process."""
    return {
        "type": type(error).__name__,
        "summary": error.summary,
        "expected": error.expected,
        "seen": error.seen,
        "where": error.where,
        "next_step": error.next_step,
    }


def error_of(data: Mapping[str, str]) -> GatehouseError:
    """The error that `error_data` described; one of a kind that is not known is of the infrastructure."""
    known = {**data}
    kind = globals().get(known.pop("type"), InfrastructureError)
    return _rebuild(kind, **known)
