import pytest

from gatehouse.embedded.registry import Image, PullError, Registry, digest_of


@pytest.fixture
def registry():
    registry = Registry()
    registry.push("host:5000/shop/web", "abc", Image(digest_of("web", "abc")))
    return registry


def test_an_image_is_found_by_tag_and_by_digest(registry):
    digest = digest_of("web", "abc")

    for reference in (
        "host:5000/shop/web:abc",
        f"host:5000/shop/web@{digest}",
        f"host:5000/shop/web:abc@{digest}",
    ):
        image, by_digest = registry.resolve(reference)
        assert image.digest == digest
        assert by_digest == f"host:5000/shop/web@{digest}"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("host:5000/shop/web:other", "not found"),
        ("host:5000/shop/web", "not found"),
        ("host:5000/shop/web@sha256:00", "not found"),
        ("host:5000/unknown:abc", "pull access denied"),
    ],
)
def test_a_pull_fails_with_the_registrys_words(registry, reference, words):
    with pytest.raises(PullError, match=words):
        registry.resolve(reference)


def test_a_refusal_hits_what_its_pattern_matches(registry):
    registry.refusals["host:5000/shop/*"] = "toomanyrequests: You have reached your pull rate limit"

    with pytest.raises(PullError, match="toomanyrequests"):
        registry.resolve("host:5000/shop/web:abc")
