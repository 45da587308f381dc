"""Secrets are taken out of text before it is hashed, written or shown."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

MASK = "[redacted]"

#: A secret shorter than this would mask ordinary words, so it is not searched for by value.
SHORTEST_SECRET = 8

#: Names end with what they hold: `GITHUB_TOKEN` is a secret, `TOKEN_FILE` and `secretName` are not.
_SECRET_NAME = re.compile(
    r"(?i)(token|secret|passw(or)?d|(api|private|access)_?key|credentials?)(_?(base64|b64|value))?$"
)

#: Shapes of secrets that are recognised without being known. Each pattern masks its group `secret`.
#: GitHub's app tokens hold dots since 2026 and are over 500 characters long, so lengths are open-ended.
_SHAPES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<secret>gh[pousr]_[A-Za-z0-9._]{20,})",
        r"(?P<secret>github_pat_[A-Za-z0-9_]{20,})",
        r"(?P<secret>glpat-[A-Za-z0-9_\-]{20,})",
        r"(?P<secret>eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,})",
        r"(?i)\bbearer\s+(?P<secret>[A-Za-z0-9._~+/=\-]{8,})",
        r"(?i)\bbasic\s+(?P<secret>[A-Za-z0-9+/=]{12,})",
        r"(?i)coder-session-token['\"]?\s*[:=]\s*['\"]?(?P<secret>[A-Za-z0-9\-]{8,})",
        r"(?i)[?&](?:coder_session_token|access_token|token|sig)=(?P<secret>[^&\s\"']{8,})",
        r"://[^/\s:@]+:(?P<secret>[^/\s:@]+)@",
        r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----)",
        r"(?P<secret>AKIA[0-9A-Z]{16})",
    )
)


def looks_like_secret_name(name: str) -> bool:
    """Whether a variable, key or parameter of this name usually holds a secret."""
    return bool(_SECRET_NAME.search(name))


class Redactor:
    """Masks known secret values, and text that has the shape of one.

    Known values are also found percent-encoded, base64-encoded and JSON-escaped.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` are values to mask wherever they occur; short ones are ignored."""
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Redactor:
        """A redactor that knows the values of all variables whose names say that they hold a secret."""
        return cls(
            value
            for name, value in environment.items()
            if looks_like_secret_name(name) and not value.startswith("/")
        )

    def add(self, secret: str) -> None:
        """Mask `secret` from now on."""
        secret = secret.strip()
        if len(secret) < SHORTEST_SECRET:
            return
        encoded = base64.b64encode(secret.encode(errors="surrogatepass")).decode().rstrip("=")
        self._known |= {
            secret,
            quote(secret, safe="", errors="surrogatepass"),
            json.dumps(secret)[1:-1],
            encoded,
        }
        longest_first = sorted(self._known, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    @property
    def known_secrets(self) -> frozenset[str]:
        """The known values in all their encodings."""
        return frozenset(self._known)

    def text(self, text: str) -> str:
        """`text` with every secret replaced by `MASK`."""
        if self._pattern:
            text = self._pattern.sub(MASK, text)
        for shape in _SHAPES:
            text = shape.sub(_mask_group, text)
        return text

    def data(self, value: Any) -> Any:
        """A JSON-like value with every string in it redacted, and the values of secret-named keys masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): MASK
                if isinstance(item, str) and item and looks_like_secret_name(str(key))
                else self.data(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value

    def contains_known(self, content: bytes) -> bool:
        """Whether a known secret is in `content`, in any of its encodings."""
        return any(secret.encode(errors="surrogatepass") in content for secret in self._known)


def _mask_group(match: re.Match[str]) -> str:
    start, end = match.span("secret")
    offset = match.start()
    whole = match.group(0)
    secret = match.group("secret")
    if secret.startswith(MASK[:9]):
        return whole
    return whole[: start - offset] + MASK + whole[end - offset :]
