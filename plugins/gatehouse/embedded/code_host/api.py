"""GitHub's REST API for pull requests, statuses, check runs and labels; git itself on the same port."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gatehouse.embedded import clock
from gatehouse.embedded.code_host.accounts import Account, Accounts
from gatehouse.embedded.code_host.identity_api import IdentityRoutes, ScopesHeader, account_of
from gatehouse.embedded.code_host.pull_requests import Project, PullRequest
from gatehouse.embedded.code_host.repositories import GitError
from gatehouse.embedded.code_host.smart_http import SmartHttp

#: As on GitHub Enterprise Server: the REST API is below this path, git at the root.
PREFIX = "/api/v3"


class CodeHostApi:
    """`projects` by `owner/name`; tokens of `accounts` are accepted as bearer or `token` authorization."""

    def __init__(self, projects: dict[str, Project], git: SmartHttp, accounts: Accounts) -> None:
        self._projects = projects
        self._git = git
        self._accounts = accounts
        self._identity = IdentityRoutes(projects, accounts)
        self.url = ""

    def application(self) -> Starlette:
        """The ASGI application."""
        repo = PREFIX + "/repos/{owner}/{name}"
        return Starlette(
            routes=[
                *self._identity.routes(PREFIX),
                Route(repo, self._repository),
                Route(f"{repo}/pulls", self._pulls),
                Route(f"{repo}/pulls", self._open, methods=["POST"]),
                Route(f"{repo}/pulls/{{number:int}}", self._pull, methods=["GET", "PATCH"]),
                Route(f"{repo}/pulls/{{number:int}}/files", self._files),
                Route(f"{repo}/commits/{{ref:path}}/status", self._combined_status),
                Route(f"{repo}/commits/{{ref:path}}/check-runs", self._commit_check_runs),
                Route(f"{repo}/commits/{{ref:path}}", self._commit),
                Route(f"{repo}/statuses/{{sha}}", self._create_status, methods=["POST"]),
                Route(f"{repo}/check-runs", self._create_check_run, methods=["POST"]),
                Route(f"{repo}/check-runs/{{id:int}}", self._update_check_run, methods=["GET", "PATCH"]),
                Route(f"{repo}/issues/{{number:int}}/labels", self._labels, methods=["GET", "POST"]),
                Route(f"{repo}/issues/{{number:int}}/labels/{{label}}", self._unlabel, methods=["DELETE"]),
                Route("/{owner}/{name}.git/{rest:path}", self._git.serve, methods=["GET", "POST"]),
            ],
            middleware=[Middleware(ScopesHeader, accounts=self._accounts)],
            exception_handlers={HTTPException: _on_error},
        )

    def _project(self, request: Request, *, writing: bool = False) -> Project:
        account = self._account(request)
        if writing and account is None:
            raise HTTPException(401, "Requires authentication")
        project = self._projects.get(f"{request.path_params['owner']}/{request.path_params['name']}")
        if project is None:
            raise HTTPException(404, "Not Found")
        if writing and account and not account.may("push"):
            raise HTTPException(403, "Resource not accessible by personal access token")
        return project

    def _account(self, request: Request) -> Account | None:
        return account_of(self._accounts, request.headers.get("authorization", ""))

    def _found(self, request: Request, project: Project) -> PullRequest:
        pull = project.pulls.get(request.path_params["number"])
        if pull is None:
            raise HTTPException(404, "Not Found")
        return pull

    # --- pull requests -------------------------------------------------------------------------------

    async def _repository(self, request: Request) -> Response:
        name, account = self._project(request).repository.name, self._account(request)
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
        project = self._project(request)
        state = request.query_params.get("state", "open")
        wanted = [each for each in project.pulls.values() if state in ("all", each.state)]
        return JSONResponse(
            [self._shown(project, each) for each in sorted(wanted, key=lambda each: -each.number)]
        )

    async def _open(self, request: Request) -> Response:
        project = self._project(request, writing=True)
        account, body = self._account(request), await _body(request)
        assert account, "who may write is somebody"
        branches = project.repository.branches()
        if not body.get("title") or body.get("head") not in branches or body.get("base") not in branches:
            raise HTTPException(422, "Validation Failed")
        number = max(project.pulls, default=0) + 1
        pull = PullRequest(number, body["title"], body["head"], base=body["base"], author=account.login)
        return JSONResponse(self._shown(project, project.open(pull)), 201)

    async def _pull(self, request: Request) -> Response:
        project = self._project(request, writing=request.method == "PATCH")
        pull = self._found(request, project)
        if request.method == "PATCH" and (await _body(request)).get("state") == "closed":
            project.close(pull.number)
        return JSONResponse(self._shown(project, pull))

    async def _files(self, request: Request) -> Response:
        project = self._project(request)
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
        project = self._project(request, writing=request.method == "POST")
        pull = self._found(request, project)
        if request.method == "POST":
            body = await _body(request)
            project.label(pull.number, body["labels"] if isinstance(body, dict) else body)
        return JSONResponse([{"name": label} for label in pull.labels])

    async def _unlabel(self, request: Request) -> Response:
        project = self._project(request, writing=True)
        pull = self._found(request, project)
        try:
            project.unlabel(pull.number, request.path_params["label"])
        except KeyError:
            raise HTTPException(404, "Label does not exist") from None
        return JSONResponse([{"name": label} for label in pull.labels])

    # --- commits -------------------------------------------------------------------------------------

    def _sha(self, project: Project, revision: str) -> str:
        try:
            return project.repository.resolve(revision)
        except GitError:
            raise HTTPException(422, f"No commit found for SHA: {revision}") from None

    async def _commit(self, request: Request) -> Response:
        project = self._project(request)
        sha = self._sha(project, request.path_params["ref"])
        return JSONResponse({"sha": sha, "html_url": f"{self.url}/{project.repository.name}/commit/{sha}"})

    async def _combined_status(self, request: Request) -> Response:
        project = self._project(request)
        sha = self._sha(project, request.path_params["ref"])
        newest: dict[str, dict[str, Any]] = {}
        for status in project.statuses.get(sha, []):
            newest.setdefault(status["context"], status)
        states = {status["state"] for status in newest.values()}
        failed = bool({"failure", "error"} & states)
        state = "failure" if failed else "pending" if "pending" in states or not states else "success"
        return JSONResponse(
            {"sha": sha, "state": state, "statuses": list(newest.values()), "total_count": len(newest)}
        )

    async def _create_status(self, request: Request) -> Response:
        project = self._project(request, writing=True)
        body = await _body(request)
        if body.get("state") not in ("error", "failure", "pending", "success"):
            raise HTTPException(422, "Validation Failed")
        if len(body.get("description") or "") > 140:
            raise HTTPException(422, "Validation Failed: description is too long (maximum is 140 characters)")
        sha = self._sha(project, request.path_params["sha"])
        context = body.get("context", "default")
        status = project.set_status(
            sha, body["state"], context, body.get("description") or "", body.get("target_url") or ""
        )
        return JSONResponse(status, 201)

    async def _commit_check_runs(self, request: Request) -> Response:
        project = self._project(request)
        sha = self._sha(project, request.path_params["ref"])
        runs = [run for run in project.check_runs.values() if run["head_sha"] == sha]
        return JSONResponse({"total_count": len(runs), "check_runs": runs})

    async def _create_check_run(self, request: Request) -> Response:
        project = self._project(request, writing=True)
        body = await _body(request)
        if not body.get("name") or not body.get("head_sha"):
            raise HTTPException(422, 'Invalid request. "name" and "head_sha" weren\'t supplied.')
        number = len(project.check_runs) + 1
        run = {
            "id": number,
            "status": "queued",
            "conclusion": None,
            "started_at": clock.whole_seconds(),
            **body,
        }
        project.check_runs[number] = run
        return JSONResponse(run, 201)

    async def _update_check_run(self, request: Request) -> Response:
        project = self._project(request, writing=request.method == "PATCH")
        run = project.check_runs.get(request.path_params["id"])
        if run is None:
            raise HTTPException(404, "Not Found")
        if request.method == "PATCH":
            run.update(await _body(request))
            if run.get("conclusion"):
                run["status"] = "completed"
        return JSONResponse(run)


async def _body(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise HTTPException(400, "Problems parsing JSON") from None


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
