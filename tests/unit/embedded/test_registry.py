import pytest

from gatehouse.embedded.registry import Image, InvalidReferenceError, PullError, Registry

WEB = Image(labels={"revision": "abc"})


@pytest.fixture
def registry():
    registry = Registry()
    registry.push("host:5000/shop/web", "abc", WEB)
    return registry


def test_an_image_is_found_by_tag_and_by_digest(registry):
    digest = WEB.digest

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


def test_a_pull_fails_when_the_image_is_not_there_for_the_nodes_platform(registry):
    registry.push("host:5000/shop/web", "arm", Image(platforms=("linux/arm64",)))

    with pytest.raises(PullError, match="no match for platform in manifest: not found"):
        registry.resolve("host:5000/shop/web:arm")


def test_what_is_no_name_of_an_image_is_refused_as_such(registry):
    with pytest.raises(InvalidReferenceError, match=r"repository name \(shop/Web\) must be lowercase"):
        registry.resolve("host:5000/shop/Web:abc")


def test_an_image_whose_tag_moved_on_is_still_there_by_its_digest(registry):
    registry.push("host:5000/shop/web", "abc", Image(labels={"revision": "rebuilt"}))

    assert registry.resolve(f"host:5000/shop/web@{WEB.digest}")[0] is WEB
    assert registry.resolve("host:5000/shop/web:abc")[0] is not WEB


def test_a_private_repository_is_refused_to_those_without_a_secret(registry):
    registry.private.add("host:5000/shop/web")

    with pytest.raises(PullError, match=r"failed to fetch anonymous token.*401 Unauthorized"):
        registry.resolve("host:5000/shop/web:abc")
