"""Users, their tokens and rights, and the providers that they have linked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gatehouse.embedded import clock
from gatehouse.embedded.coder.access import NOT_FOUND, Access, CoderError, Json, request_body
from gatehouse.embedded.coder.records import ORGANIZATION, Database
from gatehouse.embedded.coder.users import SCOPES, ExternalProvider, Key, User
from gatehouse.embedded.coder.wire import NO_TIME, Wire


class IdentityApi:
    """Routes about users."""

    def __init__(self, database: Database, access: Access, wire: Wire) -> None:
        self._database = database
        self._access = access
        self._wire = wire

    def routes(self, api: str) -> list[BaseRoute]:
        """The routes below `api`."""
        user = f"{api}/users/{{user}}"
        return [
            Route(f"{api}/auth/scopes", lambda _request: JSONResponse({"external": list(SCOPES)})),
            Route(f"{api}/authcheck", self._check, methods=["POST"]),
            Route(f"{api}/users/first", self._first_user),
            Route(f"{api}/users/authmethods", self._auth_methods),
            Route(f"{api}/users", self._users),
            Route(user, self._user),
            Route(f"{user}/organizations", self._organizations),
            Route(f"{user}/keys/tokens", self._tokens),
            Route(f"{user}/keys/{{key}}", self._key),
            Route(f"{api}/organizations", self._organizations),
            Route(f"{api}/external-auth", self._external_auths),
            Route(f"{api}/external-auth/{{provider}}", self._external_auth),
        ]

    async def _first_user(self, _request: Request) -> Response:
        if not self._database.users:
            raise CoderError(404, "The initial user has not been created!")
        return JSONResponse({"message": "The initial user has already been created!"})

    async def _auth_methods(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "password": {"enabled": True},
                "github": {"enabled": False, "default_provider_configured": False},
                "oidc": {"enabled": True, "signInText": "Sign in with Keycloak", "iconUrl": ""},
                "terms_of_service_url": "",
            }
        )

    async def _user(self, request: Request) -> Response:
        return JSONResponse(self._wire.user(self._access.named_user(request)))

    async def _organizations(self, request: Request) -> Response:
        if not self._access.key(request).covers("organization:read"):
            return JSONResponse([])
        organization = {
            "id": self._database.organization_id,
            "name": ORGANIZATION,
            "display_name": "Coder",
            "description": "",
            "icon": "",
            "is_default": True,
            "created_at": clock.microseconds(),
            "updated_at": clock.microseconds(),
        }
        return JSONResponse([organization])

    async def _users(self, request: Request) -> Response:
        self._access.caller(request)
        terms = request.query_params.get("q", "").split()
        words = [term for term in terms if ":" not in term]
        found = [
            user
            for user in self._database.users.values()
            if self._access.may(request, "user:read", user.id)
            and all(word.lower() in user.username.lower() for word in words)
        ]
        offset, limit = (int(request.query_params.get(name) or 0) for name in ("offset", "limit"))
        page = found[offset : offset + limit if limit else None]
        return JSONResponse({"users": [self._wire.user(each) for each in page], "count": len(found)})

    async def _tokens(self, request: Request) -> Response:
        owner = self._access.named_user(request)
        keys = [self._database.key(token) for token, user in self._database.tokens.items() if user is owner]
        return JSONResponse([_api_key(key) for key in keys if key])

    async def _key(self, request: Request) -> Response:
        caller, owner = self._access.key(request), self._access.named_user(request)
        if not caller.covers("api_key:read"):
            raise NOT_FOUND
        for token, user in self._database.tokens.items():
            key = self._database.key(token)
            if key and key.id == request.path_params["key"] and user is owner:
                return JSONResponse(_api_key(key))
        raise NOT_FOUND

    async def _check(self, request: Request) -> Response:
        self._access.caller(request)
        checks = (await request_body(request)).get("checks") or {}
        answers = {}
        for name, check in checks.items():
            target = check.get("object") or {}
            if not target.get("resource_type"):
                detail = f'Object\'s "resource_type" field must be defined for key {name!r}.'
                raise CoderError(400, detail)
            permission = f"{target['resource_type']}:{check.get('action')}"
            any_organization = bool(target.get("any_org"))
            answers[name] = self._access.may(
                request, permission, target.get("owner_id", ""), any_organization=any_organization
            )
        return JSONResponse(answers)

    async def _external_auths(self, request: Request) -> Response:
        caller = self._access.caller(request)
        providers = self._database.external_providers.values()
        return JSONResponse(
            {
                "providers": [_provider(each) for each in providers],
                "links": [_link(each, caller) for each in providers if caller.username in each.linked],
            }
        )

    async def _external_auth(self, request: Request) -> Response:
        caller = self._access.caller(request)
        provider = self._database.external_providers.get(request.path_params["provider"])
        if provider is None:
            raise NOT_FOUND
        linked = caller.username in provider.linked
        return JSONResponse(
            {
                "authenticated": linked,
                "device": False,
                "display_name": provider.display_name,
                "user": {
                    "id": 1,
                    "login": caller.username,
                    "name": caller.username.title(),
                    "avatar_url": "",
                    "profile_url": "",
                }
                if linked
                else None,
                "app_installable": False,
                "installations": [],
                "app_install_url": "",
                "supports_revocation": True,
            }
        )


def _api_key(key: Key) -> Json:
    """`codersdk.APIKey`."""
    made = clock.microseconds(key.created_at)
    return {
        "id": key.id,
        "user_id": key.user.id,
        "last_used": made,
        "expires_at": clock.microseconds(key.expires_at),
        "created_at": made,
        "updated_at": made,
        "login_type": "token",
        "scope": "all" if "all" in key.scopes else "",
        "scopes": list(key.scopes),
        "token_name": key.name,
        "lifetime_seconds": int(key.lifetime.total_seconds()),
        "allow_list": [{"type": "*", "id": "*"}],
    }


def _provider(provider: ExternalProvider) -> Json:
    """`codersdk.ExternalAuthLinkProvider`."""
    return {
        "id": provider.id,
        "type": provider.type,
        "device": False,
        "display_name": provider.display_name,
        "display_icon": "",
        "allow_refresh": True,
        "allow_validate": True,
    }


def _link(provider: ExternalProvider, user: User) -> Json:
    """`codersdk.ExternalAuthLink`."""
    return {
        "provider_id": provider.id,
        "created_at": user.created_at,
        "updated_at": user.created_at,
        "has_refresh_token": True,
        "expires": NO_TIME,
        "authenticated": True,
        "validate_error": "",
    }
