"""What an answer of Coder's means: its own refusals, and what something in front of it says in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from gatehouse.coder.errors import (
    ActiveBuild,
    Gone,
    NoSuchCall,
    PremiumOnly,
    Redirected,
    TokenExpired,
    TokenUnknown,
    UpgradeRequired,
)
from gatehouse.core.answers import failure, server_words
from gatehouse.core.errors import (
    AuthenticationError,
    Conflict,
    GatehouseError,
    NotFound,
    PermissionDenied,
    Transient,
    UnexpectedAnswer,
)

#: Seconds over which Coder counts requests.
RATE_WINDOW = 60.0

#: Statuses that whatever is in front of Coder gives for it, too, in any form.
_TRANSIENT = (429, 502, 503, 504)

#: How Coder says that a token has ended (its middleware for API keys).
_EXPIRED = re.compile(r"expired at|could not refresh expired", re.IGNORECASE)
_UNKNOWN = re.compile(r"API key is invalid|secret is invalid|Invalid API key format", re.IGNORECASE)
_INACTIVE = re.compile(r"User is not active", re.IGNORECASE)


def problem(
    request: str,
    status: int,
    headers: Mapping[str, str],
    body: str,
    *,
    json_expected: bool = True,
    token_ended: datetime | None = None,
) -> GatehouseError | None:
    """The error that an answer stands for, or None for a success.

    `request` is the method and path. `token_ended` is when the token ended, if that is known from before: the
    server does not always say why it refuses. `headers` are to be found whatever their case.
    """
    if 300 <= status < 400:
        return _redirected(request, status, headers)
    if status == 204 or (status < 300 and not json_expected):
        return None
    if status == 426:
        return _not_passed_on(request, server_words(body))
    content_type = headers.get("Content-Type", "")
    if json_expected and status not in _TRANSIENT and "json" not in content_type:
        return _foreign(request, status, content_type, server_words(body))
    wait = rate_limit_wait(headers) if status == 429 else 0.0
    found = failure("Coder", request, status, content_type, body, f"{wait:.0f}" if wait else "")
    return _refined(found, status, token_ended) if found else None


def _refined(found: GatehouseError, status: int, token_ended: datetime | None) -> GatehouseError:
    if isinstance(found, AuthenticationError):
        return _authentication(found, token_ended)
    if isinstance(found, PermissionDenied):
        if "is a Premium feature" in found.seen:
            return PremiumOnly(
                "this deployment has no license for it (403)", seen=found.seen, where=found.where
            )
        found.next_step = (
            "ask for the role or the token scope that this call needs; checks that need it stay unverified"
        )
    if isinstance(found, NotFound):
        if "in progress" in found.seen:
            return Transient("Coder is still working on it", seen=found.seen, where=found.where)
        if status == 410:
            return Gone(
                "it has been deleted (410)",
                seen=found.seen,
                where=found.where,
                next_step="ask with include_deleted for what is left of it",
            )
        if "Route not found" in found.seen:
            return NoSuchCall(
                "this deployment has no such call (404)",
                seen=found.seen,
                where=found.where,
                next_step="compare its version with those Gatehouse supports: the call may have moved",
            )
        found.next_step = "check the name or id; Coder also says this of what the token may not see"
    if isinstance(found, Conflict) and "build is already active" in found.seen:
        return ActiveBuild(
            "another build of the workspace is under way (409)",
            seen=found.seen,
            where=found.where,
            next_step="wait for it to end",
        )
    return found


def _authentication(found: AuthenticationError, token_ended: datetime | None) -> AuthenticationError:
    if _EXPIRED.search(found.seen) or (token_ended and not _UNKNOWN.search(found.seen)):
        when = f" at {token_ended:%Y-%m-%d %H:%M:%S} UTC" if token_ended else ""
        return TokenExpired(
            f"the Coder token has expired{when} (401)",
            seen=found.seen,
            where=found.where,
            next_step="make a new token and put it where the target's settings look for it (CODER_SESSION_TOKEN); "
            "this says nothing about the deployment itself",
        )
    if _UNKNOWN.search(found.seen):
        return TokenUnknown(
            "Coder does not know the token (401)",
            seen=found.seen,
            where=found.where,
            next_step="make a new token; if it worked before an upgrade, compare the deployment's id with the "
            "baseline: another database knows other tokens",
        )
    if _INACTIVE.search(found.seen):
        found.next_step = "have the user activated again; the token itself may be good"
    return found


def _not_passed_on(request: str, words: str) -> UpgradeRequired:
    return UpgradeRequired(
        "Coder has not been told to open a WebSocket (426)",
        seen=words,
        where=request,
        next_step="have the gateway or proxy in front of Coder pass `Upgrade` and `Connection` on",
    )


def _foreign(request: str, status: int, content_type: str, words: str) -> UnexpectedAnswer:
    """Coder's API answers with JSON only: a proxy's plain 404 must not be taken for Coder's own."""
    return UnexpectedAnswer(
        "something other than Coder answered",
        expected="JSON",
        seen=f"{status}, {content_type or 'no content type'}: {words or 'nothing'}",
        where=request,
        next_step="check the address, and whether a proxy or a sign-in page stands in front of it",
    )


def _redirected(request: str, status: int, headers: Mapping[str, str]) -> Redirected:
    target = urlsplit(headers.get("Location", ""))
    shown = f"{target.scheme}://{target.netloc}{target.path}" if target.netloc else target.path
    return Redirected(
        f"Coder's address answers with a redirect ({status})",
        expected="an answer of Coder's",
        seen=f"a redirect to {shown or 'nowhere'}",
        where=request,
        next_step="if that is Coder's own address (its access URL), set CODER_URL to it; "
        "if it is a sign-in page, let requests with a Coder token pass. The token was not sent there",
    )


def rate_limit_wait(headers: Mapping[str, str]) -> float:
    """Seconds to wait after a 429, 0 if the server does not say.

    Coder's limiter (go-chi/httprate) always writes its whole window into Retry-After; the end of the window is in
    X-RateLimit-Reset, in seconds since 1970 by the server's clock. It counts the window before in part, so there
    is room for one more request only a little later. The shorter of the two waits counts.
    """
    waits = []
    if (after := _seconds(headers.get("Retry-After", ""), headers)) is not None:
        waits.append(after)
    reset, served = headers.get("X-RateLimit-Reset", ""), _date(headers.get("Date", ""))
    if reset.isdigit() and served:
        limit = headers.get("X-RateLimit-Limit", "")
        room = RATE_WINDOW / int(limit) if limit.isdigit() and int(limit) else 1.0
        left = int(reset) - served.timestamp()
        if 0 <= left <= RATE_WINDOW:
            waits.append(left + max(1.0, 3 * room))  # 1: the header counts whole seconds
    return max(0.0, min(waits, default=0.0))


def _seconds(text: str, headers: Mapping[str, str]) -> float | None:
    """A Retry-After header: seconds, or a date by the server's clock (RFC 9110, section 10.2.3)."""
    if text.strip().isdigit():
        return float(text)
    until = _date(text)
    served = _date(headers.get("Date", "")) or datetime.now(UTC)
    return (until - served).total_seconds() if until else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
