"""References of container images: what they are made of, and which of them an Application asks for."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Object = dict[str, Any]

#: `[name=]repository[:tag][@digest]`; the repository may begin with a host and its port.
_REFERENCE = re.compile(
    r"(?:[^=\s]+=)?"
    r"(?P<repository>(?:[\w.-]+(?::\d+)?/)?[\w.-]+(?:/[\w.-]+)*)"
    r"(?::(?P<tag>[\w.-]+))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]+))?"
)

#: A tag that names a commit, whole or cut short.
_COMMIT_TAG = re.compile(r"(?:.*[-_.])?(?P<commit>[0-9a-f]{7,40})")


@dataclass(frozen=True)
class ImageReference:
    """An image by repository, and by tag, digest or both; what is not given is empty."""

    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def host(self) -> str:
        """The registry's host as image names have it; Docker Hub where none is named."""
        first, slash, _ = self.repository.partition("/")
        return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def parse_image(text: str) -> ImageReference | None:
    """The reference that a text is, also with `name=` before it as in Kustomize's overrides; None if it is none."""
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        return None
    return ImageReference(match["repository"], match["tag"] or "", match["digest"] or "")


def is_product(image: ImageReference, patterns: Iterable[str]) -> bool:
    """Whether an image's repository is one of those built from the repository under test."""
    return any(fnmatch.fnmatchcase(image.repository, pattern) for pattern in patterns)


def stale_image(
    application: Object, patterns: Sequence[str], commit: str, tag: str, unchanged: Sequence[str] = ()
) -> ImageReference | None:
    """An image of another commit that an Application asks for which was not generated for `commit` yet.

    Images of `unchanged` repositories need not be the commit's.

    One that mentions the commit anywhere, such as in a label, is up to date: what it asks for is what is meant.
    """
    metadata = application["metadata"]
    mentioned = repr((application["spec"], metadata.get("labels"), metadata.get("annotations")))
    if not tag or commit in mentioned or tag in mentioned:
        return None
    images = [each for each in asked_images(application, patterns) if each.repository not in unchanged]
    return next((image for image in images if names_another_commit(image.tag, tag)), None)


def names_another_commit(tag: str, wanted: str) -> bool:
    """Whether a tag is made of a commit like `wanted` is, but of another one."""
    match, like = _COMMIT_TAG.fullmatch(tag), _COMMIT_TAG.fullmatch(wanted)
    return bool(match and like and tag != wanted and len(match["commit"]) == len(like["commit"]))


def asked_images(application: Object, patterns: Sequence[str]) -> list[ImageReference]:
    """The product's images that an Application's spec asks for: Kustomize's overrides, Helm's values and parameters.

    Images that only its manifests name are not seen here; the running pods tell of those.
    """
    spec = application["spec"]
    sources = spec.get("sources") or [spec.get("source") or {}]
    found = (image for source in sources for image in _overrides(source) if image.tag or image.digest)
    return list(dict.fromkeys(image for image in found if is_product(image, patterns)))


def _overrides(source: Object) -> Iterator[ImageReference]:
    texts = list((source.get("kustomize") or {}).get("images") or [])
    helm = source.get("helm") or {}
    texts += [str(each.get("value", "")) for each in helm.get("parameters") or []]
    yield from filter(None, map(parse_image, texts))
    yield from _in_values(_nested(helm.get("parameters") or []))
    yield from _in_values(helm.get("valuesObject") or {})
    if helm.get("values"):
        try:
            yield from _in_values(yaml.safe_load(helm["values"]))
        except yaml.YAMLError:  # Argo CD says so itself, as a ComparisonError
            return


def _nested(parameters: list[Object]) -> Object:
    """Helm's parameters, whose names are paths with dots, as the values they stand for."""
    values: Object = {}
    for each in parameters:
        *parents, last = str(each.get("name", "")).split(".")
        inner = values
        for parent in parents:
            following = inner.setdefault(parent, {})
            inner = following if isinstance(following, dict) else {}
        inner[last] = each.get("value")
    return values


def _in_values(values: Any) -> Iterator[ImageReference]:
    """Images in Helm values: texts, and maps of `repository` (with `registry`) and `tag` or `digest`."""
    if isinstance(values, dict):
        if isinstance(values.get("repository"), str):
            yield _from_map(values)
        for value in values.values():
            yield from _in_values(value)
    elif isinstance(values, list):
        for value in values:
            yield from _in_values(value)
    elif isinstance(values, str) and "/" in values and (image := parse_image(values)) is not None:
        yield image


def _from_map(values: Object) -> ImageReference:
    registry = f"{values['registry']}/" if isinstance(values.get("registry"), str) else ""
    tag, digest = (str(values.get(key) or "") for key in ("tag", "digest"))
    return ImageReference(registry + values["repository"], tag, digest)
