"""The registry over HTTP: the OCI distribution API, and the service that gives out its tokens."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gatehouse.embedded import clock
from gatehouse.embedded.registry import INDEX, MANIFEST, Document, Image, Registry

#: Seconds that a token is good for.
TOKEN_LIFETIME = 300

#: Media types with which a client says that it knows lists of manifests, or manifests of one platform.
_INDEXES = {INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"}
_MANIFESTS = {MANIFEST, "application/vnd.docker.distribution.manifest.v2+json"}

_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}

#: Patterns of the words of a refused pull, and what the API answers for it: status and code.
_REFUSALS = (
    (r"toomanyrequests|\b429\b", 429, "TOOMANYREQUESTS"),
    (r"unauthorized|\b401\b|authentication required", 401, "UNAUTHORIZED"),
    (r"forbidden|\b403\b|denied", 403, "DENIED"),
    (r"", 404, "MANIFEST_UNKNOWN"),
)
_MESSAGES = {
    "TOOMANYREQUESTS": (
        "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: "
        "https://www.docker.com/increase-rate-limit"
    ),
    "UNAUTHORIZED": "authentication required",
    "DENIED": "requested access to the resource is denied",
    "MANIFEST_UNKNOWN": "manifest unknown",
    "NAME_UNKNOWN": "repository name not known to registry",
    "BLOB_UNKNOWN": "blob unknown to registry",
    "UNSUPPORTED": "The operation is unsupported.",
}


class RegistryError(Exception):
    """An answer that is not a success, with the code that the specification has for it."""

    def __init__(
        self, status: int, code: str, detail: Any = None, message: str = "", challenge: str = ""
    ) -> None:
        super().__init__(code)
        self.status = status
        self.error = {"code": code, "message": message or _MESSAGES[code], "detail": detail}
        self.challenge = challenge


@dataclass(frozen=True)
class Token:
    """What a token allows, and until when (on the monotonic clock)."""

    scopes: frozenset[str]
    ends: float


class RegistryApi:
    """Serves the registry's images below `/v2/` by names without the registry's host, as on the wire.

    `url` is where it listens; `host` is the host of the images' names.
    """

    def __init__(self, registry: Registry, host: str) -> None:
        self._registry = registry
        self._host = host
        self._tokens: dict[str, Token] = {}
        self.url = ""

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/token", self._token),
                Route("/v2/", self._base),
                Route("/v2/{name:path}/manifests/{reference}", self._manifest),
                Route("/v2/{name:path}/blobs/{digest}", self._blob),
                Route("/v2/{name:path}/tags/list", self._tags),
            ],
            exception_handlers={RegistryError: _on_registry_error, HTTPException: _on_http_error},
        )

    # --- tokens --------------------------------------------------------------------------------------

    async def _token(self, request: Request) -> Response:
        signed_in = self._signs_in(request)
        scopes = {each for text in request.query_params.getlist("scope") for each in text.split()}
        for scope in scopes:
            name = scope.removeprefix("repository:").rpartition(":")[0]
            if f"{self._host}/{name}" in self._registry.private and not signed_in:
                raise RegistryError(401, "UNAUTHORIZED")
        now = time.monotonic()
        self._tokens = {text: token for text, token in self._tokens.items() if token.ends > now}
        text = secrets.token_urlsafe(32)
        self._tokens[text] = Token(frozenset(scopes), now + TOKEN_LIFETIME)
        return JSONResponse(
            {
                "token": text,
                "access_token": text,
                "expires_in": TOKEN_LIFETIME,
                "issued_at": clock.whole_seconds(),
            }
        )

    def _signs_in(self, request: Request) -> bool:
        """Whether a known user asks; nobody at all may ask too. Raises `RegistryError` for a wrong password."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            return False
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        if scheme.lower() != "basic" or not user or self._registry.accounts.get(user) != password:
            raise RegistryError(401, "UNAUTHORIZED", message="incorrect username or password")
        return True

    def _require(self, request: Request, name: str = "") -> None:
        """Raise `RegistryError` unless the request has a token, for pulling from `name` where one is given."""
        scope = f"repository:{name}:pull" if name else ""
        challenge = f'Bearer realm="{self.url}/token",service="{self._host}"'
        if scope:
            challenge += f',scope="{scope}"'
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.get(text) if scheme.lower() == "bearer" else None
        detail = [{"Type": "repository", "Class": "", "Name": name, "Action": "pull"}] if name else None
        if token is None or token.ends <= time.monotonic():
            if scheme:
                challenge += ',error="invalid_token"'
            raise RegistryError(401, "UNAUTHORIZED", detail, challenge=challenge)
        if scope and not any(_covers(each, name) for each in token.scopes):
            challenge += ',error="insufficient_scope"'
            raise RegistryError(401, "UNAUTHORIZED", detail, challenge=challenge)

    # --- images --------------------------------------------------------------------------------------

    async def _base(self, request: Request) -> Response:
        self._require(request)
        return JSONResponse({}, headers=_VERSION)

    async def _manifest(self, request: Request) -> Response:
        name, reference = request.path_params["name"], request.path_params["reference"]
        self._require(request, name)
        repository = self._repository(name)
        by_digest = reference.startswith("sha256:")
        separator = "@" if by_digest else ":"
        if message := self._registry.refusal(f"{repository}{separator}{reference}"):
            raise _refused(message, {"name": name, "reference": reference})
        documents = self._documents(repository)
        image = self._registry.tags(repository).get(reference)
        document = documents.get(reference) if by_digest else image.index if image else None
        if document is None:
            key = "Digest" if by_digest else "Tag"
            raise RegistryError(404, "MANIFEST_UNKNOWN", {key: reference})
        accepted = {
            each.split(";")[0].strip()
            for text in request.headers.getlist("accept")
            for each in text.split(",")
        }
        if document.media_type == INDEX and accepted & _MANIFESTS and not accepted & {*_INDEXES, "*/*"}:
            words = "OCI index found, but accept header does not support OCI indexes"
            raise RegistryError(404, "MANIFEST_UNKNOWN", message=words)
        return _served(document)

    async def _blob(self, request: Request) -> Response:
        name, digest = request.path_params["name"], request.path_params["digest"]
        self._require(request, name)
        for image in self._registry.images(self._repository(name)):
            if digest in image.blobs:
                return _served(image.blobs[digest])
        raise RegistryError(404, "BLOB_UNKNOWN", {"digest": digest})

    async def _tags(self, request: Request) -> Response:
        name = request.path_params["name"]
        self._require(request, name)
        repository = self._repository(name)
        after, limit = request.query_params.get("last", ""), request.query_params.get("n", "")
        tags = sorted(tag for tag in self._registry.tags(repository) if tag > after)
        headers = {}
        if limit.isdigit() and int(limit) < len(tags):
            tags = tags[: int(limit)]
            last = tags[-1] if tags else after
            headers["Link"] = f'</v2/{name}/tags/list?last={last}&n={limit}>; rel="next"'
        return JSONResponse({"name": name, "tags": tags}, headers=headers)

    def _repository(self, name: str) -> str:
        """The full name of a repository. Raises `RegistryError` if there is none."""
        repository = f"{self._host}/{name}"
        if repository not in self._registry.repositories():
            raise RegistryError(404, "NAME_UNKNOWN", {"name": name})
        return repository

    def _documents(self, repository: str) -> dict[str, Document]:
        """The indexes and manifests of a repository by digest."""

        def of(image: Image) -> list[Document]:
            return [image.index, *image.manifests.values()]

        return {each.digest: each for image in self._registry.images(repository) for each in of(image)}


def _covers(scope: str, name: str) -> bool:
    kind, _, rest = scope.partition(":")
    where, _, actions = rest.rpartition(":")
    return kind == "repository" and where == name and "pull" in actions.split(",")


def _refused(message: str, detail: Any) -> RegistryError:
    for pattern, status, code in _REFUSALS:
        if re.search(pattern, message, re.IGNORECASE):
            return RegistryError(status, code, detail)
    raise AssertionError("the last pattern matches everything")


def _served(document: Document) -> Response:
    headers = {**_VERSION, "Docker-Content-Digest": document.digest, "ETag": f'"{document.digest}"'}
    return Response(document.content, media_type=document.media_type, headers=headers)


async def _on_registry_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RegistryError)
    headers = dict(_VERSION)
    if error.challenge:
        headers["WWW-Authenticate"] = error.challenge
    return JSONResponse({"errors": [error.error]}, error.status, headers)


async def _on_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        refused = {"code": "UNSUPPORTED", "message": _MESSAGES["UNSUPPORTED"], "detail": None}
        return JSONResponse({"errors": [refused]}, 405, dict(_VERSION))
    return PlainTextResponse("404 page not found\n", error.status_code)
