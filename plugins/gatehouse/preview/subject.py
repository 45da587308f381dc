"""Which commit a preview environment runs: a pure decision over what was asked for, what runs and what is served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from gatehouse.argocd.images import ImageReference, is_product, parse_image

#: Said of an image whose tag has another digest in its registry by now.
MOVED = "which the registry no longer has under this tag"


class Outcome(StrEnum):
    """What can be said; only `THIS_COMMIT` is a pass."""

    THIS_COMMIT = "this commit"
    BASE_IMAGES = "base images"
    MIXED = "mixed images"
    UNKNOWN = "could not tell"


@dataclass(frozen=True)
class RunningImage:
    """An image that a running pod of an Application uses; `digest` is what it was pulled as, if that is known."""

    application: str
    pod: str
    image: str
    digest: str = ""


@dataclass(frozen=True)
class Subject:
    """What must run.

    `tag` is the tag of the commit's images, `product_images` patterns of the repositories they are in.
    `digests` maps a repository to what the registry has under the tag; empty where it was not asked.
    `components` maps an image repository to whether the change touches it; without any, all count as touched.
    """

    commit: str
    tag: str
    product_images: Sequence[str] = ()
    digests: Mapping[str, frozenset[str]] = field(default_factory=dict)
    components: Mapping[str, bool] = field(default_factory=dict)

    def must_be_new(self, repository: str) -> bool:
        """Whether images of a repository must be the commit's own; so must those of no known component."""
        return self.components.get(repository, True)


@dataclass(frozen=True)
class SubjectProof:
    """The decision and what it rests on; `summary` is one line for people.

    `revisions` maps an Application to the commit at which Argo CD has synced the repository under test;
    `served` maps a URL to the commit it answered with. `means` names what the decision rests on, `wrong` are the
    images that are not the commit's.
    """

    outcome: Outcome
    summary: str
    expected_commit: str
    images: tuple[RunningImage, ...] = ()
    revisions: dict[str, str] = field(default_factory=dict)
    served: dict[str, str] = field(default_factory=dict)
    means: tuple[str, ...] = ()
    wrong: tuple[RunningImage, ...] = ()

    @property
    def advice(self) -> str:
        """What to do where it is not this commit."""
        if MOVED in self.summary:
            return "restart these pods so that they pull the tag anew, or deploy by digest"
        if "a digest decides" in self.summary:
            return "name the registry in preview.registries"
        if self.outcome is Outcome.UNKNOWN:
            return "check preview.product_images and preview.components in gatehouse.yaml against the running images"
        if not self.wrong:
            return "find out which pods answer there: they are not those of the Applications"
        return (
            "add the label that makes previews use the pull request's images, or wait for CI to publish them; "
            "for images by digest, name their registry in preview.registries"
        )

    def as_data(self) -> dict[str, Any]:
        """JSON-like data."""
        return asdict(self)


def prove_subject(
    subject: Subject,
    images: Iterable[RunningImage],
    revisions: Mapping[str, str],
    served: Mapping[str, str],
) -> SubjectProof:
    """Compare what runs, what Argo CD synced, and what is served, with the commit.

    An image counts by its tag, and by its digest where the registry says which digests the commit's tag has:
    then a tag that was moved counts as another image, and a reference by digest alone as the commit's.
    """
    product = [each for each in images if _is_product(each.image, subject.product_images)]
    right = [each for each in product if _is_right(each, subject)]
    wrong = [each for each in product if each not in right]
    kept = [each for each in wrong if not subject.must_be_new(_repository(each.image))]
    wrong = [each for each in wrong if each not in kept]
    outcome, summary = _decide(subject, right, wrong, kept, revisions, served)
    elsewhere = {url: found for url, found in served.items() if not same_commit(found, subject.commit)}
    if outcome is Outcome.THIS_COMMIT and elsewhere:
        url, found = next(iter(elsewhere.items()))
        outcome, summary = Outcome.MIXED, f"{url} serves {found[:12]}, not {subject.commit[:12]}"
    means = [
        *(["Argo CD revision"] if revisions else []),
        *(["image digest"] if any(_by_digest(each, subject) for each in right) else []),
        *(["image tag"] if any(not _by_digest(each, subject) for each in right) else []),
        *(["served commit"] if served else []),
    ]
    return SubjectProof(
        outcome,
        summary,
        subject.commit,
        tuple(product),
        dict(revisions),
        dict(served),
        tuple(means),
        tuple(wrong),
    )


def same_commit(found: str, commit: str) -> bool:
    """Whether a commit, whole or cut short to at least seven characters, is the one meant."""
    return len(found) >= 7 and commit.startswith(found.lower())


def _decide(
    subject: Subject,
    right: list[RunningImage],
    wrong: list[RunningImage],
    kept: list[RunningImage],
    revisions: Mapping[str, str],
    served: Mapping[str, str],
) -> tuple[Outcome, str]:
    commit = subject.commit[:12]
    running = {_repository(each.image) for each in right}
    if wrong:
        which = ", ".join(_named(each, subject) for each in wrong)
        if all(_undecided(each, subject) for each in wrong):
            return Outcome.UNKNOWN, f"a digest decides, and no registry is asked which it should be: {which}"
        if right:
            return Outcome.MIXED, f"{_count(right)} of {commit}, but {which}"
        return Outcome.BASE_IMAGES, f"nothing runs {commit}: {which}"
    if lacking := [each for each, changed in subject.components.items() if changed and each not in running]:
        return (
            Outcome.UNKNOWN,
            f"no running pod uses an image of {', '.join(lacking)}, which the change touches",
        )
    if right:
        unchanged = f"; {_count(kept)} of components that the change does not touch" if kept else ""
        return Outcome.THIS_COMMIT, f"{_count(right)} of {commit}{unchanged}"
    if subject.product_images and not kept:
        return Outcome.UNKNOWN, "no running pod uses an image of the repository under test"
    if revisions:
        return Outcome.THIS_COMMIT, f"{', '.join(revisions)} synced at {commit}"
    if served:
        return Outcome.THIS_COMMIT, f"{commit} is served"
    return (
        Outcome.UNKNOWN,
        "the change touches no component, and neither a revision nor a probe tells its commit",
    )


def _is_right(running: RunningImage, subject: Subject) -> bool:
    image = parse_image(running.image) or ImageReference(running.image)
    known = subject.digests.get(image.repository)
    digest = running.digest or image.digest
    if known and digest:
        return digest in known
    return image.tag == subject.tag and not image.digest


def _undecided(running: RunningImage, subject: Subject) -> bool:
    """Whether an image carries the commit's tag beside a digest of which nothing is known."""
    image = parse_image(running.image) or ImageReference(running.image)
    return bool(image.tag == subject.tag and image.digest and not subject.digests.get(image.repository))


def _by_digest(running: RunningImage, subject: Subject) -> bool:
    image = parse_image(running.image) or ImageReference(running.image)
    return bool(subject.digests.get(image.repository) and (running.digest or image.digest))


def _named(running: RunningImage, subject: Subject) -> str:
    image = parse_image(running.image)
    if image and image.tag == subject.tag and running.digest:
        moved = f"pulled as {running.digest[:19]}…, {MOVED}"
        return f"{running.application} runs {running.image} {moved}"
    return f"{running.application} runs {running.image}"


def _count(images: list[RunningImage]) -> str:
    return f"{len(images)} running image{'s' if len(images) != 1 else ''}"


def _is_product(image: str, patterns: Sequence[str]) -> bool:
    reference = parse_image(image)
    return reference is not None and is_product(reference, patterns)


def _repository(image: str) -> str:
    reference = parse_image(image)
    return reference.repository if reference else image
