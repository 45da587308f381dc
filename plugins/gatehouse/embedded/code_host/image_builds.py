"""Continuous integration: every commit on a branch becomes one image a service, tagged with its full SHA."""

from __future__ import annotations

import asyncio
import json
import re

from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.code_host.pull_requests import Project
from gatehouse.embedded.code_host.repositories import GitError
from gatehouse.embedded.registry import Image, Registry

CONTEXT = "ci/images"


class ImageBuilds:
    """Builds each folder that has a Dockerfile. `skipped` names services whose image is never published."""

    def __init__(
        self, project: Project, registry: Registry, repository_prefix: str, timings: Timings
    ) -> None:
        self._project = project
        self._registry = registry
        self._prefix = repository_prefix
        self._timings = timings
        self._built: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.skipped: set[str] = set()

    def build_now(self, commit: str) -> None:
        """Build all services of a commit at once; nothing happens for a commit already built."""
        if commit in self._built:
            return
        self._built.add(commit)
        repository = self._project.repository
        for folder in repository.folders_with(commit, "Dockerfile"):
            service = folder.rsplit("/", 1)[-1]
            if service not in self.skipped:
                self._registry.push(f"{self._prefix}/{service}", commit, self.image(commit, folder))
        self._project.set_status(commit, "success", CONTEXT, "images published")

    def image(self, commit: str, folder: str) -> Image:
        """The image of one service at a commit."""
        repository = self._project.repository
        dockerfile = repository.read(commit, f"{folder}/Dockerfile")
        command = re.search(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
        if command is None:
            raise GitError(f"{folder}/Dockerfile has no CMD in JSON form")
        return Image(
            command=tuple(json.loads(command[1])),
            environment={"COMMIT_SHA": commit},
            unpack=lambda into: repository.unpack(commit, folder, into),
            labels={
                "org.opencontainers.image.title": folder,
                "org.opencontainers.image.source": repository.name,
                "org.opencontainers.image.revision": commit,
            },
        )

    def branches_moved(self) -> None:
        """Build the heads of all branches, each after the time a build takes."""
        for commit in self._project.repository.branches().values():
            if commit not in self._built:
                self._project.set_status(commit, "pending", CONTEXT, "images are being built")
                task = asyncio.create_task(self._build_later(commit))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _build_later(self, commit: str) -> None:
        await pause(self._timings.image_build)
        self.build_now(commit)
