"""What an HTTP answer means, whoever fetched it: one classification for the clients of all systems."""

from __future__ import annotations

import json

from gatehouse.core.errors import (
    AuthenticationError,
    Conflict,
    GatehouseError,
    InfrastructureError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerFault,
    Transient,
    UnexpectedAnswer,
    UsageError,
)

#: Set by the embedded platform on every answer; evidence gathered from it is labelled.
EMBEDDED_SERVER = "gatehouse-embedded"

#: Characters of a server's own words that are kept in a message.
SHOWN = 400


def failure(
    system: str, request: str, status: int, content_type: str, body: str, retry_after: str = ""
) -> GatehouseError | None:
    """The error that an answer stands for, or None for a JSON success.

    `request` is the method and path asked for, `retry_after` the seconds to wait where the server says so. HTML and
    other text where JSON was expected means that a proxy or a sign-in page answered in place of the system,
    whatever the status.
    """
    is_json = "json" in content_type
    if status < 400 and is_json:
        return None
    words = server_words(body)
    if status in (502, 503, 504):
        return Transient(f"{system} answered {status}", seen=words, where=request)
    if status == 429:
        return _rate_limited(system, request, words, retry_after)
    if not is_json and (status < 400 or "html" in content_type):
        return UnexpectedAnswer(
            f"something other than {system} answered",
            expected="JSON",
            seen=f"{status}, {content_type or 'no content type'}: {words}",
            where=request,
            next_step="check the address, and whether a proxy or a sign-in page stands in front of it",
        )
    if status == 401:
        return AuthenticationError(
            f"{system} does not accept the token (401)",
            seen=words,
            where=request,
            next_step="make a new token and put it where the target's settings look for it",
        )
    if status == 403:
        return PermissionDenied(f"{system} refuses (403)", seen=words, where=request)
    if status in (404, 410):
        return NotFound(
            f"{system} has no such thing ({status})",
            seen=words,
            where=request,
            next_step="check the address and what is asked for; some servers also say this of what is forbidden",
        )
    if status in (409, 412):
        return Conflict(
            f"{system} refuses because of its present state ({status})", seen=words, where=request
        )
    if status in (400, 415, 422):
        return UsageError(f"{system} does not understand the request ({status})", seen=words, where=request)
    kind = ServerFault if status >= 500 else InfrastructureError
    return kind(f"{system} answered {status}", seen=words, where=request)


def _rate_limited(system: str, request: str, words: str, retry_after: str) -> RateLimited:
    wait = f"; try again in {retry_after} s" if retry_after else ""
    error = RateLimited(f"{system} limits the rate of requests (429){wait}", seen=words, where=request)
    if retry_after.isdigit():
        error.retry_after = float(retry_after)
    return error


def server_words(body: str) -> str:
    """The message in an error body of any of the systems, or the start of the text itself."""
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    if isinstance(data, dict):
        parts = [str(data[key]) for key in ("message", "detail") if isinstance(data.get(key), str)]
        for fault in data.get("validations") or []:
            if isinstance(fault, dict):
                parts.append(f"{fault.get('field')}: {fault.get('detail')}")
        if isinstance(data.get("error"), dict):
            parts.append(str(data["error"].get("message", "")))
        if parts:
            body = "; ".join(filter(None, parts))
    text = " ".join(body.split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
