"""What GitHub's REST API says of a token: whose it is, what it may do, and which branches are closed to it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.embedded.code_host.accounts import Accounts
from gatehouse.embedded.code_host.callers import Callers
from gatehouse.embedded.code_host.repositories import GitError


class IdentityRoutes:
    """Routes about the bearer of a token."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def routes(self, prefix: str) -> list[Route]:
        """The routes below `prefix`."""
        repo = prefix + "/repos/{owner}/{name}"
        return [
            Route(f"{prefix}/user", self._user),
            Route(f"{repo}/branches/{{branch}}", self._branch),
            Route(f"{repo}/branches/{{branch}}/protection", self._protection),
            Route(f"{repo}/rules/branches/{{branch}}", self._rules),
        ]

    def _commit(self, request: Request) -> str:
        project = self._callers.project(request)
        try:
            return project.repository.resolve(f"refs/heads/{request.path_params['branch']}")
        except GitError:
            raise HTTPException(404, "Branch not found") from None

    async def _user(self, request: Request) -> Response:
        account = self._callers.account(request)
        if account is None:
            raise HTTPException(401, "Requires authentication")
        return JSONResponse({"login": account.login, "type": "User", "site_admin": False})

    async def _branch(self, request: Request) -> Response:
        commit, branch = self._commit(request), request.path_params["branch"]
        return JSONResponse(
            {
                "name": branch,
                "commit": {"sha": commit},
                "protected": branch in self._callers.accounts.protected,
            }
        )

    async def _protection(self, request: Request) -> Response:
        account = self._callers.account(request)
        self._commit(request)
        if account is None or not account.may("admin"):
            raise HTTPException(404, "Not Found")
        if request.path_params["branch"] not in self._callers.accounts.protected:
            raise HTTPException(404, "Branch not protected")
        return JSONResponse({"required_pull_request_reviews": {}, "enforce_admins": {"enabled": False}})

    async def _rules(self, request: Request) -> Response:
        self._commit(request)
        return JSONResponse([])


class ScopesHeader:
    """Adds `X-OAuth-Scopes` to answers to classic tokens."""

    def __init__(self, application: ASGIApp, accounts: Accounts) -> None:
        self._application = application
        self._accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        authorization = Request(scope).headers.get("authorization", "")
        account = self._accounts.by_token.get(authorization.partition(" ")[2])

        async def with_scopes(message: Message) -> None:
            if message["type"] == "http.response.start" and account and account.scopes is not None:
                MutableHeaders(scope=message)["X-OAuth-Scopes"] = ", ".join(account.scopes)
            await send(message)

        await self._application(scope, receive, with_scopes)
