"""The base environment's own platform: to the eye, the preview's, but of the base commit and at another hostname."""

from __future__ import annotations

import html
import secrets

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from gatehouse.embedded.identity.realm import Client, IdentityError, Realm

COOKIE = "authjs.session-token"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="commit" content="{commit}"><title>Home</title><link rel="icon" href="data:,"></head>
<body><main><h1>Welcome, {user}</h1><p role="status">Cart total: 0.00</p>
<form method="post" action="/cart/add/lamp"><button>Add lamp</button></form>
<form method="post" action="/cart/add/chair"><button>Add chair</button></form>
<form method="post" action="/orders"><button>Place the order</button></form>
<form method="post" action="/cart/clear"><button>Empty the cart</button></form>
<form method="post" action="/api/auth/signout"><button>Sign out</button></form></main></body></html>"""


class LookAlike:
    """Signs in whoever the identity provider sends to `url`, and shows them the start page, whatever they do."""

    def __init__(self, realm: Realm, client: Client, url: str, commit: str) -> None:
        self._realm = realm
        self._client = client
        self._url = url
        self._commit = commit
        self._sessions: dict[str, str] = {}

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/api/auth/callback/keycloak", self._finish),
                Route("/version.json", self._version),
                Route("/{path:path}", self._show, methods=["GET", "POST"]),
            ]
        )

    async def _finish(self, request: Request) -> Response:
        uri = f"{self._url}{request.url.path}"
        try:
            grant, _token = self._realm.redeem(request.query_params.get("code", ""), self._client, uri)
        except IdentityError as error:
            return PlainTextResponse(str(error), 400)
        session = secrets.token_urlsafe(24)
        self._sessions[session] = grant.username
        response = RedirectResponse(f"{self._url}/", 302)
        secure = self._url.startswith("https:")
        response.set_cookie(COOKIE, session, httponly=True, secure=secure, samesite="lax")
        return response

    async def _version(self, _request: Request) -> Response:
        return JSONResponse({"service": "platform", "commit": self._commit})

    async def _show(self, request: Request) -> Response:
        user = self._sessions.get(request.cookies.get(COOKIE, ""))
        if user is None:
            return PlainTextResponse("sign in first", 401)
        if request.method == "POST":
            return RedirectResponse(f"{self._url}/", 303)
        return HTMLResponse(_PAGE.format(commit=self._commit, user=html.escape(user)))
