"""GitHub's REST API for pull requests, statuses, check runs and labels; git itself on the same port."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gatehouse.embedded.code_host.accounts import Accounts
from gatehouse.embedded.code_host.callers import Callers, body_of
from gatehouse.embedded.code_host.commit_api import CommitRoutes
from gatehouse.embedded.code_host.identity_api import IdentityRoutes, ScopesHeader
from gatehouse.embedded.code_host.pull_requests import Project, PullRequest
from gatehouse.embedded.code_host.smart_http import SmartHttp

#: As on GitHub Enterprise Server: the REST API is below this path, git at the root.
PREFIX = "/api/v3"


class CodeHostApi:
    """`projects` by `owner/name`; `git` serves clones and pushes."""

    def __init__(self, projects: dict[str, Project], git: SmartHttp, accounts: Accounts) -> None:
        self._git = git
        self._callers = Callers(projects, accounts)
        self.url = ""

    def application(self) -> Starlette:
        """The ASGI application."""
        repo = PREFIX + "/repos/{owner}/{name}"
        return Starlette(
            routes=[
                *IdentityRoutes(self._callers).routes(PREFIX),
                Route(repo, self._repository),
                Route(f"{repo}/pulls", self._pulls),
                Route(f"{repo}/pulls", self._open, methods=["POST"]),
                Route(f"{repo}/pulls/{{number:int}}", self._pull, methods=["GET", "PATCH"]),
                Route(f"{repo}/pulls/{{number:int}}/files", self._files),
                *CommitRoutes(self._callers, lambda: self.url).routes(repo),
                Route(f"{repo}/issues/{{number:int}}/labels", self._labels, methods=["GET", "POST"]),
                Route(f"{repo}/issues/{{number:int}}/labels/{{label}}", self._unlabel, methods=["DELETE"]),
                Route("/{owner}/{name}.git/{rest:path}", self._git.serve, methods=["GET", "POST"]),
            ],
            middleware=[Middleware(ScopesHeader, accounts=self._callers.accounts)],
            exception_handlers={HTTPException: _on_error},
        )

    def _found(self, request: Request, project: Project) -> PullRequest:
        pull = project.pulls.get(request.path_params["number"])
        if pull is None:
            raise HTTPException(404, "Not Found")
        return pull

    # --- pull requests -------------------------------------------------------------------------------

    async def _repository(self, request: Request) -> Response:
        name, account = self._callers.project(request).repository.name, self._callers.account(request)
        return JSONResponse(
            {
                **({"permissions": account.permissions} if account else {}),
                "full_name": name,
                "name": name.split("/")[1],
                "owner": {"login": name.split("/")[0]},
                "default_branch": "main",
                "private": False,
                "clone_url": f"{self.url}/{name}.git",
            }
        )

    async def _pulls(self, request: Request) -> Response:
        project = self._callers.project(request)
        state = request.query_params.get("state", "open")
        wanted = [each for each in project.pulls.values() if state in ("all", each.state)]
        return JSONResponse(
            [self._shown(project, each) for each in sorted(wanted, key=lambda each: -each.number)]
        )

    async def _open(self, request: Request) -> Response:
        project = self._callers.project(request, writing=True)
        account, body = self._callers.account(request), await body_of(request)
        assert account, "who may write is somebody"
        branches = project.repository.branches()
        if not body.get("title") or body.get("head") not in branches or body.get("base") not in branches:
            raise HTTPException(422, "Validation Failed")
        number = max(project.pulls, default=0) + 1
        pull = PullRequest(number, body["title"], body["head"], base=body["base"], author=account.login)
        return JSONResponse(self._shown(project, project.open(pull)), 201)

    async def _pull(self, request: Request) -> Response:
        project = self._callers.project(request, writing=request.method == "PATCH")
        pull = self._found(request, project)
        if request.method == "PATCH" and (await body_of(request)).get("state") == "closed":
            project.close(pull.number)
        return JSONResponse(self._shown(project, pull))

    async def _files(self, request: Request) -> Response:
        project = self._callers.project(request)
        pull = self._found(request, project)
        changed = project.repository.changed_files(f"refs/heads/{pull.base}", project.head(pull))
        return JSONResponse([{"filename": path, "status": "modified"} for path in changed])

    def _shown(self, project: Project, pull: PullRequest) -> dict[str, Any]:
        name = project.repository.name
        return {
            "number": pull.number,
            "title": pull.title,
            "state": pull.state,
            "merged": pull.merged,
            "draft": False,
            "user": {"login": pull.author},
            "labels": [{"name": label} for label in pull.labels],
            "head": {
                "ref": pull.branch,
                "sha": project.head(pull),
                "label": f"{name.split('/')[0]}:{pull.branch}",
                "repo": {"full_name": name},
            },
            "base": {
                "ref": pull.base,
                "sha": project.repository.resolve(f"refs/heads/{pull.base}"),
                "repo": {"full_name": name},
            },
            "html_url": f"{self.url}/{name}/pull/{pull.number}",
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
        }

    async def _labels(self, request: Request) -> Response:
        project = self._callers.project(request, writing=request.method == "POST")
        pull = self._found(request, project)
        if request.method == "POST":
            body = await body_of(request)
            project.label(pull.number, body["labels"] if isinstance(body, dict) else body)
        return JSONResponse([{"name": label} for label in pull.labels])

    async def _unlabel(self, request: Request) -> Response:
        project = self._callers.project(request, writing=True)
        pull = self._found(request, project)
        try:
            project.unlabel(pull.number, request.path_params["label"])
        except KeyError:
            raise HTTPException(404, "Label does not exist") from None
        return JSONResponse([{"name": label} for label in pull.labels])


async def _on_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {
            "message": error.detail,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(error.status_code),
        },
        error.status_code,
    )
