"""The token for an Argo CD API server: until when it holds, and where a newer one may be found."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from gatehouse.core.errors import GatehouseError


class TokenSource:
    """A token that is read again when the server no longer accepts it: files and variables can be renewed."""

    def __init__(self, read: Callable[[], str]) -> None:
        """`read` may raise; the first time that is the caller's, later the token in use is kept."""
        self._read = read
        self.value = read()

    @classmethod
    def fixed(cls, token: str) -> TokenSource:
        """A token that is never renewed."""
        return cls(lambda: token)

    def renew(self) -> bool:
        """Read the token again; tells whether there is another one now."""
        before = self.value
        with suppress(GatehouseError):
            self.value = self._read()
        return self.value != before

    @property
    def expires_at(self) -> datetime | None:
        """When the token ends (`exp` of the JWT); None if it does not tell, or never ends."""
        parts = self.value.split(".")
        if len(parts) != 3:
            return None
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            return datetime.fromtimestamp(float(claims["exp"]), UTC) if claims.get("exp") else None
        except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return None
