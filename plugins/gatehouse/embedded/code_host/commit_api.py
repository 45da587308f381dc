"""GitHub's REST API for commits: their statuses and check runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gatehouse.embedded import clock
from gatehouse.embedded.code_host.callers import Callers, body_of, commit_of


class CommitRoutes:
    """Routes about commits; `url` gives the code host's address."""

    def __init__(self, callers: Callers, url: Callable[[], str]) -> None:
        self._callers = callers
        self._url = url

    def routes(self, repo: str) -> list[Route]:
        """The routes below the path of a repository."""
        return [
            Route(f"{repo}/commits/{{ref:path}}/status", self._combined_status),
            Route(f"{repo}/commits/{{ref:path}}/check-runs", self._commit_check_runs),
            Route(f"{repo}/commits/{{ref:path}}", self._commit),
            Route(f"{repo}/statuses/{{sha}}", self._create_status, methods=["POST"]),
            Route(f"{repo}/check-runs", self._create_check_run, methods=["POST"]),
            Route(f"{repo}/check-runs/{{id:int}}", self._update_check_run, methods=["GET", "PATCH"]),
        ]

    async def _commit(self, request: Request) -> Response:
        project = self._callers.project(request)
        sha = commit_of(project, request.path_params["ref"])
        return JSONResponse({"sha": sha, "html_url": f"{self._url()}/{project.repository.name}/commit/{sha}"})

    async def _combined_status(self, request: Request) -> Response:
        project = self._callers.project(request)
        sha = commit_of(project, request.path_params["ref"])
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
        project = self._callers.project(request, writing=True)
        body = await body_of(request)
        if body.get("state") not in ("error", "failure", "pending", "success"):
            raise HTTPException(422, "Validation Failed")
        if len(body.get("description") or "") > 140:
            raise HTTPException(422, "Validation Failed: description is too long (maximum is 140 characters)")
        sha = commit_of(project, request.path_params["sha"])
        context = body.get("context", "default")
        status = project.set_status(
            sha, body["state"], context, body.get("description") or "", body.get("target_url") or ""
        )
        return JSONResponse(status, 201)

    async def _commit_check_runs(self, request: Request) -> Response:
        project = self._callers.project(request)
        sha = commit_of(project, request.path_params["ref"])
        runs = [run for run in project.check_runs.values() if run["head_sha"] == sha]
        return JSONResponse({"total_count": len(runs), "check_runs": runs})

    async def _create_check_run(self, request: Request) -> Response:
        project = self._callers.project(request, writing=True)
        body = await body_of(request)
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
        project = self._callers.project(request, writing=request.method == "PATCH")
        run = project.check_runs.get(request.path_params["id"])
        if run is None:
            raise HTTPException(404, "Not Found")
        if request.method == "PATCH":
            run.update(await body_of(request))
            if run.get("conclusion"):
                run["status"] = "completed"
        return JSONResponse(run)
