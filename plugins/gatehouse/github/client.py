"""Reads of a code host with GitHub's REST API: pull requests and their head commits."""

from __future__ import annotations

from types import TracebackType
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from gatehouse.core.answers import EMBEDDED_SERVER, failure
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import NotFound, Transient, UnexpectedAnswer, Unreachable

Answer = TypeVar("Answer")

#: Seconds one request may take, all attempts of a read together, and between two attempts.
REQUEST_TIMEOUT = 15.0
READ_BUDGET = 30.0
RETRY_PAUSE = 1.0

#: GitHub lists at most 3000 files of a pull request.
FILES_A_PAGE = 100
FILE_PAGES = 30
LISTED_FILES = FILES_A_PAGE * FILE_PAGES


class _Label(BaseModel):
    name: str


class _File(BaseModel):
    filename: str
    previous_filename: str | None = None


class _Ref(BaseModel):
    ref: str
    sha: str


class PullRequest(BaseModel):
    """GET /repos/{owner}/{repo}/pulls/{number}. `head.sha` is what preview images are tagged with."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    number: int
    title: str = ""
    state: str
    head: _Ref
    base: _Ref
    labels: list[_Label] = []

    @property
    def label_names(self) -> set[str]:
        """The labels by name."""
        return {label.name for label in self.labels}


class GitHubClient:
    """The API of one repository, `owner/name`. Use as a context manager, or call `close`."""

    def __init__(
        self, api_url: str, repository: str, token: str | None = None, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.repository = repository
        self._clock = clock
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(base_url=api_url, headers=headers, timeout=REQUEST_TIMEOUT)
        #: Whether any answer said that it comes from the embedded platform.
        self.embedded = False

    def __enter__(self) -> GitHubClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def pull_request(self, number: int) -> PullRequest:
        """One pull request. Raises `NotFound` for a number that there is none of."""
        try:
            return self._read(f"/repos/{self.repository}/pulls/{number}", PullRequest)
        except NotFound as error:
            raise NotFound(
                f"{self.repository} has no pull request {number}",
                seen=error.seen,
                where=error.where,
                next_step="check --gate-pr and the repository, and that the token may read it",
            ) from error

    def open_pull_requests(self) -> list[PullRequest]:
        """The open pull requests, newest first, at most 100."""
        return self._read(f"/repos/{self.repository}/pulls?state=open&per_page=100", list[PullRequest])

    def changed_files(self, number: int) -> list[str]:
        """GET /repos/{owner}/{repo}/pulls/{number}/files: the paths that a pull request changes, at most 3000."""
        paths: list[str] = []
        for page in range(1, FILE_PAGES + 1):
            query = f"per_page={FILES_A_PAGE}&page={page}"
            found = self._read(f"/repos/{self.repository}/pulls/{number}/files?{query}", list[_File])
            paths += [each.filename for each in found] + [
                each.previous_filename for each in found if each.previous_filename
            ]
            if len(found) < FILES_A_PAGE:
                break
        return paths

    def _read(self, path: str, kind: type[Answer]) -> Answer:
        deadline = Deadline.after(READ_BUDGET, self._clock)
        while True:
            try:
                return self._read_once(path, kind)
            except (Transient, Unreachable):
                if deadline.remaining <= RETRY_PAUSE:
                    raise
                self._clock.sleep(RETRY_PAUSE)

    def _read_once(self, path: str, kind: type[Answer]) -> Answer:
        try:
            response = self._http.get(path)
        except httpx.TransportError as error:
            raise Unreachable(
                f"the code host does not answer at {self._http.base_url}",
                seen=f"{type(error).__name__}: {error}",
                where=f"GET {path}",
                next_step="check GITHUB_API_URL and the network",
            ) from error
        self.embedded = self.embedded or response.headers.get("Server") == EMBEDDED_SERVER
        content_type, retry_after = (
            response.headers.get(name, "") for name in ("Content-Type", "Retry-After")
        )
        # GitHub says 403 of a spent rate limit, too, and of its secondary limits, which have no such header.
        limited = response.status_code == 403 and (
            response.headers.get("X-RateLimit-Remaining") == "0"
            or bool(retry_after)
            or "rate limit" in response.text
        )
        status = 429 if limited else response.status_code
        problem = failure("the code host", f"GET {path}", status, content_type, response.text, retry_after)
        if problem:
            raise problem
        try:
            return TypeAdapter(kind).validate_json(response.content)
        except ValidationError as error:
            first: Any = error.errors()[0]
            raise UnexpectedAnswer(
                "the code host's answer does not have the expected shape",
                seen=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
                where=f"GET {path}",
            ) from error
