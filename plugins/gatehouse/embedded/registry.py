"""The image registry: what a reference stands for, and why a pull can fail."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Image:
    """What a container starts from.

    `command` is its main process (None: it only keeps the container alive), `environment` is baked in, and
    `unpack` puts its files into a folder.
    """

    digest: str
    command: tuple[str, ...] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    unpack: Callable[[Path], Awaitable[None]] | None = None


class PullError(Exception):
    """The registry's answer when an image cannot be pulled, in its own words."""


def digest_of(*parts: str) -> str:
    """A digest that depends on `parts` alone."""
    return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Registry:
    """Images by repository and tag. `refusals` maps reference patterns to the registry's error message."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, Image]] = {}
        self.refusals: dict[str, str] = {}

    def push(self, repository: str, tag: str, image: Image) -> str:
        """Store an image under a tag; returns its reference by digest."""
        self._tags.setdefault(repository, {})[tag] = image
        return f"{repository}@{image.digest}"

    def tags(self, repository: str) -> dict[str, Image]:
        """The tags of a repository and what they stand for."""
        return dict(self._tags.get(repository, {}))

    def resolve(self, reference: str) -> tuple[Image, str]:
        """The image of `repository:tag` or `repository@digest`, and its reference by digest.

        Raises `PullError`.
        """
        for pattern, message in self.refusals.items():
            if fnmatch.fnmatchcase(reference, pattern):
                raise PullError(message)
        repository, digest = reference, ""
        if "@" in reference:
            repository, digest = reference.split("@", 1)
        tag = "latest"
        if ":" in repository.rsplit("/", 1)[-1]:
            repository, tag = repository.rsplit(":", 1)
        tags = self._tags.get(repository)
        if tags is None:
            raise PullError(
                f'failed to pull and unpack image "{reference}": pull access denied, repository does not '
                "exist or may require authorization: server message: insufficient_scope: authorization failed"
            )
        found = (
            next((each for each in tags.values() if each.digest == digest), None) if digest else tags.get(tag)
        )
        if found is None:
            raise PullError(
                f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": '
                f"{reference}: not found"
            )
        return found, f"{repository}@{found.digest}"
