"""Answers of code hosts and registries as they are, and the embedded ones are not."""

import base64

import httpx
import pytest

from gatehouse.argocd.images import ImageReference
from gatehouse.core.errors import PermissionDenied, Transient
from gatehouse.core.preview_settings import RegistrySettings
from gatehouse.github import client
from gatehouse.preview import registry

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def answering(monkeypatch):
    """Lets a function answer all requests of clients that are made afterwards."""

    def answering(answer):
        real = httpx.Client

        def made(**options):
            return real(**options, transport=httpx.MockTransport(answer))

        monkeypatch.setattr(httpx, "Client", made)

    return answering


@pytest.mark.parametrize(
    ("headers", "words", "error"),
    [
        ({"Retry-After": "60"}, "You have been blocked", Transient),
        ({}, "You have exceeded a secondary rate limit. Please wait a few minutes", Transient),
        ({"X-RateLimit-Remaining": "0"}, "API rate limit exceeded", Transient),
        ({"X-RateLimit-Remaining": "12"}, "Resource not accessible by integration", PermissionDenied),
    ],
)
def test_a_limit_of_githubs_passes_and_a_refusal_does_not(answering, monkeypatch, headers, words, error):
    monkeypatch.setattr(client, "READ_BUDGET", 0.0)
    answering(lambda _request: httpx.Response(403, headers=headers, json={"message": words}))

    with client.GitHubClient("https://api.github.invalid", "acme/shop") as github, pytest.raises(error):
        github.pull_request(7)


def test_a_registry_that_wants_a_name_and_a_password_gets_them(answering, monkeypatch):
    """As those of Artifactory, Nexus and AWS do."""
    monkeypatch.setenv("REGISTRY", "secret")
    wanted = "Basic " + base64.b64encode(b"ci:secret").decode()

    def answer(request):
        if request.headers.get("Authorization") != wanted:
            return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="Registry"'})
        return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST}, json={})

    answering(answer)
    image = ImageReference("registry.invalid/acme/www", "tag")
    for token, digests in (({"env": "REGISTRY"}, {DIGEST}), (None, None)):
        settings = RegistrySettings(host="registry.invalid", username="ci", token=token)
        with registry.ImageRegistries([settings]) as registries:
            if digests is None:
                with pytest.raises(PermissionDenied):
                    registries.digests(image)
            else:
                assert registries.digests(image) == digests
