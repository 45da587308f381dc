"""Which commit a preview environment runs: a pure decision over running images and served commits."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What can be said; only `THIS_COMMIT` is a pass."""

    THIS_COMMIT = "this commit"
    BASE_IMAGES = "base images"
    MIXED = "mixed images"
    UNKNOWN = "could not tell"


@dataclass(frozen=True)
class RunningImage:
    """An image that a running pod of an Application uses."""

    application: str
    pod: str
    image: str


@dataclass(frozen=True)
class SubjectProof:
    """The decision and what it rests on; `summary` is one line for people."""

    outcome: Outcome
    summary: str
    expected_commit: str
    images: tuple[RunningImage, ...] = ()
    served: dict[str, str] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """JSON-like data."""
        return asdict(self)


def prove_subject(
    commit: str,
    images: Iterable[RunningImage],
    product_images: Sequence[str],
    served: Mapping[str, str],
) -> SubjectProof:
    """Compare what runs, and what is served, with the full commit SHA.

    `product_images` are patterns of image repositories built from the repository under test; others say
    nothing about the change. `served` maps a URL to the commit it answered with. A mutable tag or a digest
    is not the commit, so it counts as another image.
    """
    product = tuple(image for image in images if _is_product(image.image, product_images))
    right = [image for image in product if image_tag(image.image) == commit]
    wrong = [image for image in product if image not in right]
    outcome, summary = _decide(commit, right, wrong)
    elsewhere = {url: found for url, found in served.items() if found != commit}
    if outcome is Outcome.THIS_COMMIT and elsewhere:
        url, found = next(iter(elsewhere.items()))
        outcome, summary = Outcome.MIXED, f"the images are of {commit[:12]}, but {url} serves {found[:12]}"
    return SubjectProof(outcome, summary, commit, product, dict(served))


def _decide(commit: str, right: list[RunningImage], wrong: list[RunningImage]) -> tuple[Outcome, str]:
    if not right and not wrong:
        return Outcome.UNKNOWN, "no running pod uses an image of the repository under test"
    if not wrong:
        return Outcome.THIS_COMMIT, f"{_count(right)} of {commit[:12]}"
    which = ", ".join(f"{image.application} runs {image.image}" for image in wrong)
    if right:
        return Outcome.MIXED, f"{_count(right)} of {commit[:12]}, but {which}"
    return Outcome.BASE_IMAGES, f"nothing runs {commit[:12]}: {which}"


def _count(images: list[RunningImage]) -> str:
    return f"{len(images)} running image{'s' if len(images) != 1 else ''}"


def _is_product(image: str, patterns: Sequence[str]) -> bool:
    repository = image.split("@")[0]
    if ":" in repository.rsplit("/", 1)[-1]:
        repository = repository.rsplit(":", 1)[0]
    return any(fnmatch.fnmatchcase(repository, pattern) for pattern in patterns)


def image_tag(image: str) -> str:
    """The tag of an image reference; empty for one by digest alone."""
    name = image.split("@")[0]
    last = name.rsplit("/", 1)[-1]
    return last.split(":", 1)[1] if ":" in last else ""


def running_images(trees: Mapping[str, list[dict[str, Any]]]) -> list[RunningImage]:
    """The images of all pods in resource trees, given by Application name."""
    return [
        RunningImage(application, node["name"], image)
        for application, nodes in trees.items()
        for node in nodes
        if node["kind"] == "Pod"
        for image in node.get("images") or []
    ]
