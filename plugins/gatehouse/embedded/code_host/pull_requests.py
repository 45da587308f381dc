"""Pull requests, commit statuses and check runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gatehouse.embedded import clock
from gatehouse.embedded.code_host.repositories import Repository


@dataclass
class PullRequest:
    """An open or closed request to merge `branch` into `base`."""

    number: int
    title: str
    branch: str
    base: str = "main"
    author: str = "ada"
    labels: list[str] = field(default_factory=list)
    state: str = "open"
    merged: bool = False
    created_at: str = field(default_factory=clock.whole_seconds)
    updated_at: str = field(default_factory=clock.whole_seconds)


class Project:
    """A repository with its pull requests; `on_event` is told (action, pull request) as a webhook would be."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.pulls: dict[int, PullRequest] = {}
        self.statuses: dict[str, list[dict[str, Any]]] = {}
        self.check_runs: dict[int, dict[str, Any]] = {}
        self.on_event: list[Callable[[str, PullRequest], None]] = []

    def open(self, pull: PullRequest) -> PullRequest:
        """Add a pull request."""
        self.pulls[pull.number] = pull
        self._tell("opened", pull)
        return pull

    def head(self, pull: PullRequest) -> str:
        """The commit the pull request's branch points at."""
        return self.repository.resolve(f"refs/heads/{pull.branch}")

    def label(self, number: int, labels: list[str]) -> None:
        """Add labels."""
        pull = self.pulls[number]
        for label in labels:
            if label not in pull.labels:
                pull.labels.append(label)
                self._tell("labeled", pull)

    def unlabel(self, number: int, label: str) -> None:
        """Take a label off. Raises `KeyError` if it is not there."""
        pull = self.pulls[number]
        if label not in pull.labels:
            raise KeyError(label)
        pull.labels.remove(label)
        self._tell("unlabeled", pull)

    def close(self, number: int) -> None:
        """Close without merging."""
        pull = self.pulls[number]
        pull.state = "closed"
        self._tell("closed", pull)

    def pushed(self) -> None:
        """Tell that branches may have moved."""
        for pull in self.pulls.values():
            if pull.state == "open":
                self._tell("synchronize", pull)

    def set_status(
        self, commit: str, state: str, context: str, description: str, target_url: str = ""
    ) -> dict[str, Any]:
        """Add a commit status; the newest of each context counts."""
        status = {
            "id": sum(map(len, self.statuses.values())) + 1,
            "state": state,
            "context": context,
            "description": description,
            "target_url": target_url or None,
            "created_at": clock.whole_seconds(),
            "updated_at": clock.whole_seconds(),
        }
        self.statuses.setdefault(commit, []).insert(0, status)
        return status

    def _tell(self, action: str, pull: PullRequest) -> None:
        pull.updated_at = clock.whole_seconds()
        for listener in self.on_event:
            listener(action, pull)
