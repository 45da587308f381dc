"""OpenID Connect with the addresses, cookies and words of Keycloak."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from urllib.parse import parse_qsl, unquote_plus, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gatehouse.embedded.identity.pages import error_page, login_page, logout_page, signed_out_page
from gatehouse.embedded.identity.realm import (
    TOKEN_SECONDS,
    Authorization,
    Client,
    IdentityError,
    Realm,
    claims_of,
    id_token,
    session_of,
)

REALM = "shop"
PATH = f"/realms/{REALM}"
PROTOCOL = f"{PATH}/protocol/openid-connect"

#: Cookies: of the browser that was shown the login page, and of whoever has signed in.
LOGIN_COOKIE, SESSION_COOKIE = "AUTH_SESSION_ID", "KEYCLOAK_IDENTITY"

COOKIE_NOT_FOUND = (
    "Restart login cookie not found. It may have expired; it may have been deleted or cookies are disabled in your "
    "browser. If cookies are disabled then enable them. Click Back to Application to login again."
)


class IdentityProvider:
    """One realm, at `url` with its hostname for browsers. Products may call it at another address."""

    def __init__(self) -> None:
        self.url = ""
        self.realm = Realm()

    @property
    def issuer(self) -> str:
        """The address of the realm."""
        return self.url + PATH

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route(f"{PATH}/.well-known/openid-configuration", self._configuration),
                Route(f"{PROTOCOL}/auth", self._authorize),
                Route(f"{PATH}/login-actions/authenticate", self._authenticate, methods=["POST"]),
                Route(f"{PROTOCOL}/token", self._token, methods=["POST"]),
                Route(f"{PROTOCOL}/userinfo", self._user_info, methods=["GET", "POST"]),
                Route(f"{PROTOCOL}/logout", self._logout, methods=["GET", "POST"]),
            ]
        )

    async def _configuration(self, _request: Request) -> Response:
        protocol = self.url + PROTOCOL
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{protocol}/auth",
                "token_endpoint": f"{protocol}/token",
                "userinfo_endpoint": f"{protocol}/userinfo",
                "end_session_endpoint": f"{protocol}/logout",
                "grant_types_supported": ["authorization_code"],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["HS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "scopes_supported": ["openid", "profile", "email"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    # --- in the browser ------------------------------------------------------------------------------

    async def _authorize(self, request: Request) -> Response:
        parameters = dict(request.query_params)
        try:
            authorization = self.realm.authorization(parameters)
        except IdentityError as error:
            return HTMLResponse(error_page(str(error)), 400)
        if parameters.get("response_type") != "code":
            answer = {"error": "unsupported_response_type", "error_description": "Missing or unknown"}
            return self._back(authorization, answer)
        session = request.cookies.get(SESSION_COOKIE, "")
        if self.realm.signed_in(session):
            return self._with_code(authorization, session)
        if parameters.get("prompt") == "none":
            return self._back(authorization, {"error": "login_required"})
        login, browser = self.realm.begin(authorization), secrets.token_urlsafe(16)
        response = HTMLResponse(login_page(self._action(login, browser, authorization)))
        self._set_cookie(response, LOGIN_COOKIE, f"{login}.{browser}")
        return response

    async def _authenticate(self, request: Request) -> Response:
        login, browser = (
            request.query_params.get("session_code", ""),
            request.query_params.get("tab_id", ""),
        )
        authorization = self.realm.login(login)
        if authorization is None or request.cookies.get(LOGIN_COOKIE) != f"{login}.{browser}":
            return HTMLResponse(error_page(COOKIE_NOT_FOUND), 400)
        form = await _form(request)
        user = self.realm.sign_in(form.get("username", ""), form.get("password", ""))
        if user is None:
            action = self._action(login, browser, authorization)
            return HTMLResponse(login_page(action, form.get("username", ""), "Invalid username or password."))
        session = self.realm.open_session(login, user)
        response = self._with_code(authorization, session)
        self._set_cookie(response, SESSION_COOKIE, session)
        response.delete_cookie(LOGIN_COOKIE, path=f"{PATH}/")
        return response

    async def _logout(self, request: Request) -> Response:
        parameters = {**request.query_params, **await _form(request)}
        session = session_of(parameters.get("id_token_hint", ""))
        if not session and request.method == "GET":
            return HTMLResponse(logout_page(f"{self.url}{PROTOCOL}/logout?{urlencode(parameters)}"))
        self.realm.sessions.pop(session or request.cookies.get(SESSION_COOKIE, ""), None)
        uri = parameters.get("post_logout_redirect_uri", "")
        client = self.realm.clients.get(parameters.get("client_id", ""))
        response: Response = HTMLResponse(signed_out_page())
        if uri:
            if not any(each.admits(uri) for each in ([client] if client else self.realm.clients.values())):
                return HTMLResponse(error_page("Invalid redirect uri"), 400)
            response = RedirectResponse(uri, 302)
        response.delete_cookie(SESSION_COOKIE, path=f"{PATH}/")
        return response

    def _action(self, login: str, browser: str, authorization: Authorization) -> str:
        query = {"session_code": login, "client_id": authorization.client.id, "tab_id": browser}
        return f"{self.url}{PATH}/login-actions/authenticate?{urlencode(query)}"

    def _with_code(self, authorization: Authorization, session: str) -> Response:
        return self._back(
            authorization, {"session_state": session[:8], "code": self.realm.code(authorization, session)}
        )

    def _back(self, authorization: Authorization, answer: dict[str, str]) -> Response:
        """Send the browser back to the client."""
        state = {"state": authorization.state} if authorization.state else {}
        query = urlencode({**state, "iss": self.issuer, **answer})
        mark = "&" if "?" in authorization.redirect_uri else "?"
        return RedirectResponse(f"{authorization.redirect_uri}{mark}{query}", 302)

    def _set_cookie(self, response: Response, name: str, value: str) -> None:
        secure = self.url.startswith("https:")
        response.set_cookie(name, value, path=f"{PATH}/", httponly=True, secure=secure, samesite="lax")

    # --- from the products ---------------------------------------------------------------------------

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        client = self._client(request, form)
        if client is None:
            words = "Invalid client or Invalid client credentials"
            return JSONResponse({"error": "unauthorized_client", "error_description": words}, 401)
        if form.get("grant_type") != "authorization_code":
            words = "Unsupported grant_type"
            return JSONResponse({"error": "unsupported_grant_type", "error_description": words}, 400)
        try:
            grant, token = self.realm.redeem(form.get("code", ""), client, form.get("redirect_uri", ""))
        except IdentityError as error:
            return JSONResponse({"error": "invalid_grant", "error_description": str(error)}, 400)
        user = self.realm.users[grant.username]
        return JSONResponse(
            {
                "access_token": token,
                "expires_in": int(TOKEN_SECONDS),
                "token_type": "Bearer",
                "id_token": id_token(self.issuer, user, grant),
                "scope": "openid profile email",
            },
            headers={"Cache-Control": "no-store"},
        )

    async def _user_info(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = self.realm.bearer(token) if scheme.lower() == "bearer" else None
        if user is None:
            answer = {"error": "invalid_token", "error_description": "Token verification failed"}
            told = f'Bearer realm="{REALM}", error="invalid_token"'
            return JSONResponse(answer, 401, headers={"WWW-Authenticate": told})
        return JSONResponse(claims_of(user))

    def _client(self, request: Request, form: dict[str, str]) -> Client | None:
        """The client that a product says it is and proves to be, in a header or in the form."""
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            name, secret = unquote_plus(name), unquote_plus(secret)
        client = self.realm.clients.get(name)
        known = client is not None and hmac.compare_digest(client.secret.encode(), secret.encode())
        return client if known else None


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))
