"""What the identity provider keeps: its users and clients, who is signed in, and what it has handed out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, TypeVar

#: Seconds that a code, an access token, and a person's stay on the login page may take.
CODE_SECONDS = 60.0
TOKEN_SECONDS = 300.0
LOGIN_SECONDS = 1800.0


class IdentityError(Exception):
    """A request that is refused; the message is shown as it is."""


@dataclass(frozen=True)
class User:
    """Who can sign in, by user name or email."""

    username: str
    password: str = field(repr=False)

    @property
    def email(self) -> str:
        """The email address."""
        return f"{self.username}@shop.example"


@dataclass
class Client:
    """An application that people sign in to; `redirect_uris` are patterns that match the whole address."""

    id: str
    secret: str = field(repr=False)
    redirect_uris: list[str] = field(default_factory=list)

    def admits(self, uri: str) -> bool:
        """Whether people may be sent back to an address."""
        return any(re.fullmatch(pattern, uri) for pattern in self.redirect_uris)


@dataclass(frozen=True)
class Authorization:
    """What a client has asked for: a code for whoever signs in, sent to its address."""

    client: Client
    redirect_uri: str
    state: str
    nonce: str
    expires: float


@dataclass(frozen=True)
class Grant:
    """What a code or an access token stands for."""

    username: str
    session: str
    authorization: Authorization
    expires: float


Item = TypeVar("Item")
Expiring = TypeVar("Expiring", Authorization, Grant)


class Realm:
    """Users and clients by name, and everything that has been handed out, by its random name."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.clients: dict[str, Client] = {}
        self.sessions: dict[str, str] = {}
        self._logins: dict[str, Authorization] = {}
        self._codes: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}

    # --- signing in ----------------------------------------------------------------------------------

    def authorization(self, parameters: dict[str, str]) -> Authorization:
        """What is asked for. Raises `IdentityError` where nobody may be sent back with the answer."""
        client = self.clients.get(parameters.get("client_id", ""))
        if client is None:
            raise IdentityError("Client not found.")
        uri = parameters.get("redirect_uri", "")
        if not client.admits(uri):
            raise IdentityError("Invalid parameter: redirect_uri")
        state, nonce = parameters.get("state", ""), parameters.get("nonce", "")
        return Authorization(client, uri, state, nonce, time.monotonic() + LOGIN_SECONDS)

    def begin(self, authorization: Authorization) -> str:
        """The name of a login that somebody is about to make."""
        return _keep(self._logins, authorization)

    def login(self, name: str) -> Authorization | None:
        """What a login is for; None once it is over."""
        return _unexpired(self._logins.get(name))

    def sign_in(self, name: str, password: str) -> User | None:
        """The user with this name or email and this password."""
        for user in self.users.values():
            if name.strip().lower() in (user.username, user.email):
                right = hmac.compare_digest(user.password.encode(), password.encode())
                return user if right and password else None
        return None

    def open_session(self, login: str, user: User) -> str:
        """End a login well: the session of the person who has signed in."""
        self._logins.pop(login, None)
        return _keep(self.sessions, user.username)

    def signed_in(self, session: str) -> User | None:
        """Whose session it is; None without one, or when the user has gone since."""
        return self.users.get(self.sessions.get(session, ""))

    # --- what clients get ----------------------------------------------------------------------------

    def code(self, authorization: Authorization, session: str) -> str:
        """A code for the client, good once and for a minute."""
        username = self.sessions[session]
        expires = time.monotonic() + CODE_SECONDS
        return _keep(self._codes, Grant(username, session, authorization, expires))

    def redeem(self, code: str, client: Client, redirect_uri: str) -> tuple[Grant, str]:
        """What a code stands for, and a new access token. Raises `IdentityError`."""
        grant = _unexpired(self._codes.pop(code, None))
        if grant is None or grant.authorization.client is not client or not self.signed_in(grant.session):
            raise IdentityError("Code not valid")
        if grant.authorization.redirect_uri != redirect_uri:
            raise IdentityError("Incorrect redirect_uri")
        expires = time.monotonic() + TOKEN_SECONDS
        token = _keep(self._tokens, Grant(grant.username, grant.session, grant.authorization, expires))
        return grant, token

    def bearer(self, token: str) -> User | None:
        """Whose access token it is, while it and the session it comes from last."""
        grant = _unexpired(self._tokens.get(token))
        return self.signed_in(grant.session) if grant else None


def id_token(issuer: str, user: User, grant: Grant) -> str:
    """A signed statement for the client of who has signed in, as a JWT."""
    now, client = int(time.time()), grant.authorization.client
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": client.id,
        "azp": client.id,
        "typ": "ID",
        "iat": now,
        "exp": now + int(TOKEN_SECONDS),
        "sid": grant.session,
        **claims_of(user),
    }
    if grant.authorization.nonce:
        claims["nonce"] = grant.authorization.nonce
    signed = ".".join(
        _encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    )
    signature = hmac.new(client.secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encoded(signature)}"


def session_of(token: str) -> str:
    """The session that an ID token is about; empty for what is none."""
    try:
        payload = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sid"])
    except (ValueError, LookupError, TypeError):
        return ""


def claims_of(user: User) -> dict[str, Any]:
    """What is told of a user."""
    return {
        "sub": hashlib.sha256(user.username.encode()).hexdigest()[:32],
        "preferred_username": user.username,
        "name": user.username.capitalize(),
        "email": user.email,
        "email_verified": True,
    }


def _keep(items: dict[str, Item], value: Item) -> str:
    name = secrets.token_urlsafe(24)
    items[name] = value
    return name


def _unexpired(item: Expiring | None) -> Expiring | None:
    return item if item and time.monotonic() < item.expires else None


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
