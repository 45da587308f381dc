"""The image registry: what a reference stands for, and why a pull can fail."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

#: The only layer of every image, an empty archive: an image's files come from its `unpack`.
_ARCHIVE = bytes(1024)
_LAYER = gzip.compress(_ARCHIVE, mtime=0)

#: What may stand before the tag and the digest of a reference, and the whole of it.
_REPOSITORY = r"[a-z0-9.-]+(?::\d+)?(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*"
_REFERENCE = re.compile(rf"{_REPOSITORY}(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]+)?")


@dataclass(frozen=True)
class Document:
    """Something that the registry serves by its digest."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """The digest of its bytes."""
        return "sha256:" + hashlib.sha256(self.content).hexdigest()

    def descriptor(self) -> dict[str, Any]:
        """How another document refers to this one."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True)
class Image:
    """What a container starts from.

    `command` is its main process (None: it only keeps the container alive), `environment` is baked in, and
    `unpack` puts its files into a folder. `labels` say what it was built from: images with the same labels,
    command, environment and platforms are the same image, and have the same digest.
    """

    command: tuple[str, ...] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    unpack: Callable[[Path], Awaitable[None]] | None = None
    labels: dict[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64")

    @property
    def digest(self) -> str:
        """The digest of the index, which stands for the image on all its platforms."""
        return self.index.digest

    @cached_property
    def index(self) -> Document:
        """The list of the image's manifests, one a platform."""
        manifests = []
        for platform, manifest in self.manifests.items():
            system, architecture = platform.split("/")
            where = {"architecture": architecture, "os": system}
            manifests.append({**manifest.descriptor(), "platform": where})
        return _document(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})

    @cached_property
    def manifests(self) -> dict[str, Document]:
        """The manifest of each platform."""
        layer = Document(LAYER, _LAYER)
        return {
            platform: _document(
                MANIFEST,
                {
                    "schemaVersion": 2,
                    "mediaType": MANIFEST,
                    "config": config.descriptor(),
                    "layers": [layer.descriptor()],
                },
            )
            for platform, config in self._configurations.items()
        }

    @cached_property
    def blobs(self) -> dict[str, Document]:
        """What the manifests refer to, by digest."""
        return {each.digest: each for each in (*self._configurations.values(), Document(LAYER, _LAYER))}

    @cached_property
    def _configurations(self) -> dict[str, Document]:
        settings: dict[str, Any] = {
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
            "Labels": self.labels,
        }
        if self.command:
            settings["Cmd"] = list(self.command)
        files = {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(_ARCHIVE).hexdigest()]}
        return {
            platform: _document(
                CONFIG,
                {
                    "architecture": platform.split("/")[1],
                    "os": platform.split("/")[0],
                    "config": settings,
                    "rootfs": files,
                },
            )
            for platform in self.platforms
        }


class PullError(Exception):
    """The registry's answer when an image cannot be pulled, in its own words."""


class InvalidReferenceError(PullError):
    """Text that no registry is asked for, because it is not the name of an image."""


class Registry:
    """Images by repository and tag.

    `refusals` maps reference patterns to the registry's error message. Repositories in `private` are for those
    who sign in as one of `accounts` (user name and password).
    """

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, Image]] = {}
        #: All images that were ever pushed: an image whose tag moved on is still there by its digest.
        self._images: dict[str, dict[str, Image]] = {}
        self.refusals: dict[str, str] = {}
        self.private: set[str] = set()
        self.accounts: dict[str, str] = {}

    def push(self, repository: str, tag: str, image: Image) -> str:
        """Store an image under a tag; returns its reference by digest."""
        self._tags.setdefault(repository, {})[tag] = image
        self._images.setdefault(repository, {})[image.digest] = image
        return f"{repository}@{image.digest}"

    def withdraw(self, repository: str, tag: str) -> Image:
        """Remove a tag and its image, as if it had never been pushed; returns the image. Raises `KeyError`."""
        image = self._tags[repository].pop(tag)
        self._images[repository].pop(image.digest, None)
        return image

    def repositories(self) -> list[str]:
        """All repositories, with the registry's host."""
        return list(self._tags)

    def tags(self, repository: str) -> dict[str, Image]:
        """The tags of a repository and what they stand for."""
        return dict(self._tags.get(repository, {}))

    def images(self, repository: str) -> list[Image]:
        """All images of a repository, those without a tag included."""
        return list(self._images.get(repository, {}).values())

    def refusal(self, reference: str) -> str | None:
        """The error message with which a reference is refused, if it is."""
        matching = (
            message for pattern, message in self.refusals.items() if fnmatch.fnmatchcase(reference, pattern)
        )
        return next(matching, None)

    def resolve(
        self, reference: str, platform: str = "linux/amd64", *, signed_in: bool = False
    ) -> tuple[Image, str]:
        """The image of `repository:tag` or `repository@digest` for a platform, and its reference by digest.

        Raises `PullError`.
        """
        if not _REFERENCE.fullmatch(reference):
            words = "invalid reference format"
            if reference != reference.lower():
                name = re.split(r":(?!.*/)|@", reference)[0].partition("/")[2]
                words += f": repository name ({name}) must be lowercase"
            raise InvalidReferenceError(
                f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": {words}'
            )
        if message := self.refusal(reference):
            raise PullError(message)
        repository, digest = reference, ""
        if "@" in reference:
            repository, digest = reference.split("@", 1)
        tag = "latest"
        if ":" in repository.rsplit("/", 1)[-1]:
            repository, tag = repository.rsplit(":", 1)
        failed = f'failed to pull and unpack image "{reference}"'
        if repository in self.private and not signed_in:
            host, name = repository.split("/", 1)
            scope = f"repository:{name}:pull".replace(":", "%3A").replace("/", "%2F")
            raise PullError(
                f'{failed}: failed to resolve reference "{reference}": failed to authorize: failed to fetch '
                "anonymous token: unexpected status from GET request to "
                f"https://{host}/token?scope={scope}&service={host}: 401 Unauthorized"
            )
        tags = self._tags.get(repository)
        if tags is None:
            raise PullError(
                f"{failed}: pull access denied, repository does not "
                "exist or may require authorization: server message: insufficient_scope: authorization failed"
            )
        found = self._images[repository].get(digest) if digest else tags.get(tag)
        if found is None:
            raise PullError(f'{failed}: failed to resolve reference "{reference}": {reference}: not found')
        if platform not in found.platforms:
            raise PullError(f"{failed}: no match for platform in manifest: not found")
        return found, f"{repository}@{found.digest}"


def _document(media_type: str, content: dict[str, Any]) -> Document:
    return Document(media_type, json.dumps(content, indent=2, sort_keys=True).encode())
