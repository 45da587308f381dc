"""Whose a request to the code host's API is, which repository it is about, and what it says."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gatehouse.embedded.code_host.accounts import Account, Accounts
from gatehouse.embedded.code_host.pull_requests import Project
from gatehouse.embedded.code_host.repositories import GitError


class Callers:
    """`projects` by `owner/name`; tokens of `accounts` are accepted as bearer or `token` authorization."""

    def __init__(self, projects: dict[str, Project], accounts: Accounts) -> None:
        self._projects = projects
        self.accounts = accounts

    def account(self, request: Request) -> Account | None:
        """Whose request it is, None for nobody's. Raises GitHub's 401 for a token of nobody's."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return None
        account = self.accounts.by_token.get(token) if scheme.lower() in ("bearer", "token") else None
        if account is None:
            raise HTTPException(401, "Bad credentials")
        return account

    def project(self, request: Request, *, writing: bool = False) -> Project:
        """The repository in the request's path. Raises GitHub's 401, 403 and 404."""
        account = self.account(request)
        if writing and account is None:
            raise HTTPException(401, "Requires authentication")
        project = self._projects.get(f"{request.path_params['owner']}/{request.path_params['name']}")
        if project is None:
            raise HTTPException(404, "Not Found")
        if writing and account and not account.may("push"):
            raise HTTPException(403, "Resource not accessible by personal access token")
        return project


def commit_of(project: Project, revision: str) -> str:
    """The full SHA of a revision. Raises GitHub's 422."""
    try:
        return project.repository.resolve(revision)
    except GitError:
        raise HTTPException(422, f"No commit found for SHA: {revision}") from None


async def body_of(request: Request) -> Any:
    """The JSON that was sent. Raises GitHub's 400."""
    try:
        return await request.json()
    except ValueError:
        raise HTTPException(400, "Problems parsing JSON") from None
