"""What the registry client makes of a registry's answers, over real sockets."""

import pytest

from gatehouse.argocd.images import parse_image
from gatehouse.core.errors import PermissionDenied, Transient, Unreachable
from gatehouse.core.preview_settings import RegistrySettings
from gatehouse.preview.registry import ImageRegistries

HOST = "registry.preview.localhost"
REPOSITORY = f"{HOST}/shop/platform"


@pytest.fixture
def ask():
    opened = []

    def ask(platform, image, **settings):
        opened.append(
            ImageRegistries([RegistrySettings(host=HOST, address=platform.urls.registry, **settings)])
        )
        return opened[-1].digests(parse_image(image))

    yield ask
    for each in opened:
        each.close()


def head(platform):
    return platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))


def test_an_image_has_the_digests_of_its_index_and_of_each_architecture(platform, ask):
    commit = head(platform)
    digests = ask(platform, f"{REPOSITORY}:{commit}")

    index = platform.call(lambda systems: systems.registry.tags(REPOSITORY)[commit].digest)
    assert index in digests
    assert len(digests) == 3
    assert ask(platform, f"{REPOSITORY}@{index}") == digests


@pytest.mark.parametrize("image", [f"{REPOSITORY}:never-built", f"{HOST}/shop/nothing:1"])
def test_an_image_that_is_not_there_has_no_digests(platform, ask, image):
    assert ask(platform, image) == frozenset()


def test_a_private_repository_is_read_with_a_token_and_refused_without(start, ask, monkeypatch):
    platform = start("image-forbidden")
    image = f"{REPOSITORY}:{head(platform)}"
    monkeypatch.setenv("REGISTRY_TOKEN", platform.credentials.registry)

    with pytest.raises(PermissionDenied, match=r"does not let .*shop/platform be read"):
        ask(platform, image)
    assert ask(platform, image, username="gatehouse", token={"env": "REGISTRY_TOKEN"})


def test_a_rate_limit_may_pass(start, ask):
    platform = start("image-rate-limited")
    with pytest.raises(Transient) as caught:
        ask(platform, f"{REPOSITORY}:{head(platform)}")
    assert "TOOMANYREQUESTS" in caught.value.seen


def test_a_registry_that_is_not_there_is_named():
    with (
        ImageRegistries([RegistrySettings(host=HOST, address="http://127.0.0.1:9")]) as registries,
        pytest.raises(Unreachable, match=f"the registry {HOST} does not answer"),
    ):
        registries.digests(parse_image(f"{REPOSITORY}:1"))


def test_only_registries_of_the_settings_are_asked():
    with ImageRegistries([RegistrySettings(host="ghcr.io")]) as registries:
        assert registries.knows(parse_image("ghcr.io/acme/web:1"))
        assert not registries.knows(parse_image("redis:7"))
