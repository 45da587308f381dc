"""Small JSON files that are believed only when they are whole, and were written here."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class SignedFiles:
    """JSON objects in files below a folder, each signed together with its name.

    The key of the signatures lies in the folder, readable for its owner alone: it tells files that were cut short,
    damaged, copied to another name or written by another user, not those that the owner forges on purpose.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is made when something is written."""
        self._folder = folder
        self._secret: bytes | None = None

    def read(self, name: str) -> dict[str, Any] | None:
        """The object in a file; None where there is none, or none that can be believed."""
        try:
            data = json.loads((self._folder / name).read_bytes())
            body = data["body"]
            whole = hmac.compare_digest(str(data["signature"]), self._signature(name, body))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return body if whole and isinstance(body, dict) else None

    def write(self, name: str, body: Mapping[str, Any]) -> str:
        """Write an object. Returns why that was not possible (a full disk); empty when it was."""
        try:
            text = json.dumps({"body": body, "signature": self._signature(name, body)})
            write_whole(self._folder / name, text.encode())
        except OSError as error:
            return f"{error.strerror or error}: {self._folder}"
        return ""

    def _signature(self, name: str, body: Mapping[str, Any]) -> str:
        if self._secret is None:
            self._secret = _secret(self._folder / "signing-key")
        text = json.dumps([name, body], sort_keys=True)
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that others see all of it or what was there before. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _secret(path: Path) -> bytes:
    """The key of the signatures; the first who needs it makes it, whoever else starts at the same moment."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_bytes()
