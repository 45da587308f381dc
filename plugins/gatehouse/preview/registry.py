"""Whether a registry has an image, and under which digests: the OCI distribution API."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from types import TracebackType

import httpx

from gatehouse.argocd.images import ImageReference
from gatehouse.core.answers import server_words
from gatehouse.core.errors import (
    EnvironmentProblem,
    InfrastructureError,
    PermissionDenied,
    Transient,
    Unreachable,
)
from gatehouse.core.preview_settings import RegistrySettings

#: Seconds one request may take.
TIMEOUT = 15.0

#: A tag can stand for one image or for an index of one image an architecture.
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)

_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class ImageRegistries:
    """The registries of the settings. Use as a context manager, or call `close`."""

    def __init__(self, settings: Sequence[RegistrySettings]) -> None:
        self._settings = {each.host: each for each in settings}
        self._http = httpx.Client(timeout=TIMEOUT, follow_redirects=True)
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> ImageRegistries:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def knows(self, image: ImageReference) -> bool:
        """Whether the registry of an image is one that may be asked."""
        return image.host in self._settings

    def digests(self, image: ImageReference) -> frozenset[str]:
        """The digests that an image has in its registry: of the index, and of the image for each architecture.

        Empty if the registry does not have it. Raises `PermissionDenied`, `Transient`, `Unreachable`,
        `InfrastructureError` with the registry's words.
        """
        settings = self._settings[image.host]
        repository = image.repository.removeprefix(f"{image.host}/")
        response = self._get(settings, repository, image.digest or image.tag or "latest")
        if response.status_code == 404:
            return frozenset()
        if response.status_code != 200:
            raise self._refusal(image, response)
        own = response.headers.get("Docker-Content-Digest")
        try:
            manifest = response.json()
            inner = [str(each["digest"]) for each in manifest.get("manifests") or []]
        except (ValueError, AttributeError, KeyError, TypeError):
            raise InfrastructureError(
                f"what the registry {image.host} answers is no manifest",
                seen=response.text[:200],
                where=str(response.request.url),
            ) from None
        return frozenset(filter(None, [own, *inner]))

    def _get(self, settings: RegistrySettings, repository: str, reference: str) -> httpx.Response:
        base = settings.address or f"https://{settings.host}"
        url = f"{base}/v2/{repository}/manifests/{reference}"
        key = f"{settings.host}/{repository}"
        for _ in range(2):
            headers = {"Accept": ", ".join((*_INDEXES, *_MANIFESTS))}
            if key in self._tokens:
                headers["Authorization"] = f"Bearer {self._tokens[key]}"
            response = self._send(settings, url, headers)
            challenge = response.headers.get("WWW-Authenticate", "")
            if response.status_code == 401 and challenge.lower().startswith("basic") and settings.token:
                return self._send(settings, url, headers, (settings.username, settings.token.read()))
            if response.status_code != 401 or not challenge.lower().startswith("bearer"):
                break
            # The token of an earlier request can have expired; a second refusal is the answer.
            token = self._token(settings, dict(_CHALLENGE.findall(challenge)), repository)
            if not token:
                break
            self._tokens[key] = token
        return response

    def _token(self, settings: RegistrySettings, challenge: dict[str, str], repository: str) -> str:
        query = {"scope": challenge.get("scope") or f"repository:{repository}:pull"}
        if service := challenge.get("service"):
            query["service"] = service
        credentials = (settings.username, settings.token.read()) if settings.token else None
        realm = challenge.get("realm", "")
        try:
            response = self._http.get(realm, params=query, auth=credentials)
            data = response.json() if response.status_code == 200 else {}
            return str(data.get("token") or data.get("access_token") or "")
        except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError) as error:
            raise self._unreachable(settings, realm, error) from error

    def _send(
        self,
        settings: RegistrySettings,
        url: str,
        headers: dict[str, str],
        credentials: tuple[str, str] | None = None,
    ) -> httpx.Response:
        try:
            return self._http.get(url, headers=headers, auth=credentials)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(settings, url, error) from error

    @staticmethod
    def _unreachable(settings: RegistrySettings, url: str, error: Exception) -> Unreachable:
        return Unreachable(
            f"the registry {settings.host} does not answer",
            seen=f"{type(error).__name__}: {error}",
            where=f"GET {url}",
            next_step="check preview.registries in gatehouse.yaml",
        )

    @staticmethod
    def _refusal(image: ImageReference, response: httpx.Response) -> Exception:
        status, where = response.status_code, f"GET {response.request.url}"
        words = _words(response.text)
        if status in (401, 403):
            return PermissionDenied(
                f"the registry {image.host} does not let {image.repository} be read ({status})",
                seen=words,
                where=where,
                next_step="give a token that may pull, in preview.registries in gatehouse.yaml",
            )
        if status == 429 or status >= 500:
            return Transient(f"the registry {image.host} answered {status}", seen=words, where=where)
        return EnvironmentProblem(f"the registry {image.host} answered {status}", seen=words, where=where)


def _words(body: str) -> str:
    """The messages of a registry's error body."""
    try:
        errors = json.loads(body)["errors"]
        return "; ".join(f"{each['code']}: {each.get('message', '')}" for each in errors)
    except (ValueError, KeyError, TypeError):
        return server_words(body)
