"""Argo CD's accounts, tokens and permissions."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

#: gRPC codes and the HTTP statuses the gateway makes of them.
UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, INVALID_ARGUMENT, INTERNAL = 16, 7, 5, 3, 13
HTTP_STATUS = {16: 401, 7: 403, 5: 404, 3: 400, 13: 500, 14: 503, 4: 504, 9: 400}


class RpcError(Exception):
    """A failed call, with its gRPC code."""

    def __init__(self, code: int, message: str) -> None:
        """`message` is shown to the client as it is."""
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """The status of the HTTP answer."""
        return HTTP_STATUS.get(self.code, 500)


PERMISSION = RpcError(PERMISSION_DENIED, "permission denied")


@dataclass
class Account:
    """Who may call. `projects` are patterns of project names whose applications may be read.

    `application_sets` are such patterns as well: of the project that a set's template names.
    """

    name: str
    password: str = ""
    projects: tuple[str, ...] = ("*",)
    actions: frozenset[str] = field(default_factory=lambda: frozenset({"get", "sync", "logs"}))
    application_sets: tuple[str, ...] = ("*",)

    def may(self, action: str, project: str) -> bool:
        """Whether an action on applications of a project is allowed."""
        return action in self.actions and any(fnmatch.fnmatchcase(project, each) for each in self.projects)

    def may_get_set(self, application_set: dict[str, Any]) -> bool:
        """Whether an ApplicationSet may be read."""
        project = application_set["spec"]["template"]["spec"]["project"]
        return any(fnmatch.fnmatchcase(project, each) for each in self.application_sets)


class Accounts:
    """Issues and checks session tokens, which are signed JWTs."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.accounts: dict[str, Account] = {}

    def issue(self, name: str, lifetime: float = 86400.0) -> str:
        """A token for an account; `lifetime` is in seconds, 0 means for ever."""
        claims = {"iss": "argocd", "sub": f"{name}:login", "iat": int(time.time()), "jti": name}
        if lifetime:
            claims["exp"] = int(time.time() + lifetime)
        signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def check(self, header: str | None, cookie: str | None) -> Account:
        """The account behind `Authorization: Bearer …` or the cookie. Raises `RpcError` 16."""
        token = header.removeprefix("Bearer ") if header and header.startswith("Bearer ") else cookie
        if not token or token.count(".") != 2:
            raise RpcError(UNAUTHENTICATED, "no session information")
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(signed), signature):
            raise RpcError(UNAUTHENTICATED, "invalid session: token signature is invalid")
        payload = signed.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if claims.get("exp", float("inf")) < time.time():
            raise RpcError(UNAUTHENTICATED, "invalid session: token has invalid claims: token is expired")
        name = claims["sub"].removesuffix(":login")
        if name not in self.accounts:
            raise RpcError(UNAUTHENTICATED, f"invalid session: account {name} does not exist")
        return self.accounts[name]

    def _sign(self, text: str) -> str:
        digest = hmac.new(self._secret, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _encode(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
