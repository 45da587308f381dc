"""What can go wrong with Coder in particular; the kinds common to all systems are in `core.errors`."""

from __future__ import annotations

from gatehouse.core.errors import (
    AuthenticationError,
    Conflict,
    FailureClass,
    InfrastructureError,
    NotFound,
    PermissionDenied,
    UnexpectedAnswer,
    Unreachable,
)


class PremiumOnly(PermissionDenied):
    """The deployment has no license for this: expected on Community Edition, never a failure."""


class TokenExpired(AuthenticationError):
    """The token was good and has ended. It says nothing about the deployment."""

    failure_class = FailureClass.ENVIRONMENT


class TokenUnknown(AuthenticationError):
    """The server has never known this token, or knows it no longer: revoked, another deployment, a lost database.

    Which of these cannot be told from it: the deployment's id, which needs no token, tells a lost database.
    """

    failure_class = FailureClass.ENVIRONMENT


class NoSuchCall(NotFound):
    """The deployment has no such call at all: another version, or an open-source build."""


class Gone(NotFound):
    """It was there and has been deleted (410)."""


class ActiveBuild(Conflict):
    """Another build of the workspace is under way (409)."""


class ForeignWorkspace(Conflict):
    """A workspace of the name that was asked for exists, and it is not the one that was asked for."""


class Redirected(UnexpectedAnswer):
    """The address leads elsewhere. The token is not sent there."""


class UpgradeRequired(UnexpectedAnswer):
    """The request to become a WebSocket was lost on its way (426)."""


class NotConnected(Unreachable):
    """No connection was made, so the server has seen nothing of the request."""


class LostAnswer(Unreachable):
    """The request was sent and no answer came: what it asked for may have been done or not."""


class CertificateProblem(InfrastructureError):
    """The server's certificate is not accepted. Does not go away by waiting."""
