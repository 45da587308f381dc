"""The embedded registry, as a client that knows only the OCI distribution specification sees it."""

import hashlib

import httpx
import pytest

from tests.platform.conftest import container, eventually, head

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def token(platform, name="shop/www", **options):
    query = {"service": "registry.preview.localhost", "scope": f"repository:{name}:pull"}
    return httpx.get(f"{platform.urls.registry}/token", params=query, **options)


def ask(platform, path, method="GET", name="shop/www", accept=INDEX):
    """A request with a token for pulling from the repository."""
    headers = {"Authorization": f"Bearer {token(platform, name).json()['token']}", "Accept": accept}
    return httpx.request(method, f"{platform.urls.registry}/v2/{path}", headers=headers)


def error(answer):
    (each,) = answer.json()["errors"]
    return answer.status_code, each["code"]


def test_without_a_token_it_says_where_to_get_one(platform):
    answer = httpx.get(f"{platform.urls.registry}/v2/shop/www/manifests/{head(platform)}")

    assert error(answer) == (401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer realm="{platform.urls.registry}/token",service="registry.preview.localhost",'
        'scope="repository:shop/www:pull"'
    )


def test_anyone_gets_a_token_for_a_public_repository(platform):
    answer = token(platform)

    assert answer.json()["expires_in"] == 300
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    base = httpx.get(f"{platform.urls.registry}/v2/", headers=headers)
    assert (base.status_code, base.headers["Docker-Distribution-Api-Version"]) == (200, "registry/2.0")


def test_a_token_for_another_repository_is_not_enough(platform):
    headers = {"Authorization": f"Bearer {token(platform, 'shop/platform').json()['token']}"}

    answer = httpx.get(f"{platform.urls.registry}/v2/shop/www/tags/list", headers=headers)

    assert error(answer) == (401, "UNAUTHORIZED")
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_a_private_repository_takes_a_user_name_and_a_password(start):
    platform = start()
    platform.call(lambda systems: systems.registry.private.add("registry.preview.localhost/shop/www"))

    assert error(token(platform)) == (401, "UNAUTHORIZED")
    assert error(token(platform, auth=("gatehouse", "wrong"))) == (401, "UNAUTHORIZED")
    allowed = token(platform, auth=("gatehouse", platform.credentials.registry)).json()["token"]
    headers = {"Authorization": f"Bearer {allowed}"}
    url = f"{platform.urls.registry}/v2/shop/www/manifests/{head(platform)}"
    assert httpx.head(url, headers=headers).status_code == 200


def test_a_tag_leads_to_an_index_whose_digest_is_that_of_its_bytes(platform):
    answer = ask(platform, f"shop/www/manifests/{head(platform)}")

    assert answer.headers["Content-Type"] == INDEX
    assert answer.headers["Docker-Content-Digest"] == f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
    platforms = [each["platform"]["architecture"] for each in answer.json()["manifests"]]
    assert platforms == ["amd64", "arm64"]


def test_head_says_the_digest_without_the_bytes(platform):
    whole = ask(platform, f"shop/www/manifests/{head(platform)}")
    answer = ask(platform, f"shop/www/manifests/{head(platform)}", "HEAD")

    assert answer.content == b""
    assert answer.headers["Docker-Content-Digest"] == whole.headers["Docker-Content-Digest"]
    assert int(answer.headers["Content-Length"]) == len(whole.content)


def test_the_index_leads_to_the_manifests_and_these_to_their_configuration_by_digest(platform):
    index = ask(platform, f"shop/www/manifests/{head(platform)}").json()
    for described in index["manifests"]:
        answer = ask(platform, f"shop/www/manifests/{described['digest']}", accept=MANIFEST)
        assert answer.headers["Content-Type"] == MANIFEST
        assert len(answer.content) == described["size"]
        blob = ask(platform, f"shop/www/blobs/{answer.json()['config']['digest']}").json()
        assert blob["architecture"] == described["platform"]["architecture"]
        assert blob["config"]["Labels"]["org.opencontainers.image.revision"] == head(platform)


def test_a_client_that_knows_no_index_gets_none(platform):
    answer = ask(platform, f"shop/www/manifests/{head(platform)}", accept=MANIFEST)

    assert error(answer) == (404, "MANIFEST_UNKNOWN")


def test_an_unknown_tag_digest_or_name_is_not_found_each_in_its_words(platform):
    unknown = ask(platform, "shop/www/manifests/nope")
    assert unknown.json() == {
        "errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": {"Tag": "nope"}}]
    }
    assert error(ask(platform, f"shop/www/manifests/sha256:{'0' * 64}")) == (404, "MANIFEST_UNKNOWN")
    assert error(ask(platform, "shop/nope/manifests/latest", name="shop/nope")) == (404, "NAME_UNKNOWN")


def test_tags_are_listed_page_by_page(platform):
    listed = ask(platform, "shop/www/tags/list").json()
    assert listed["name"] == "shop/www"
    assert head(platform) in listed["tags"]

    first = ask(platform, "shop/www/tags/list?n=1")
    assert first.json()["tags"] == listed["tags"][:1]
    assert first.links["next"]["url"] == f"/v2/shop/www/tags/list?last={listed['tags'][0]}&n=1"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("429 Too Many Requests - Server message: toomanyrequests: slow down", (429, "TOOMANYREQUESTS")),
        ("failed to authorize: 401 Unauthorized", (401, "UNAUTHORIZED")),
        ("unexpected status: 403 Forbidden", (403, "DENIED")),
        ("registry.preview.localhost/shop/www: not found", (404, "MANIFEST_UNKNOWN")),
    ],
)
def test_a_refusal_of_the_kubelets_pull_is_one_here_too(start, words, expected):
    platform = start("no-preview-label")
    reference = f"registry.preview.localhost/shop/www:{head(platform)}"
    platform.call(lambda systems: systems.registry.refusals.update({reference: words}))

    assert error(ask(platform, f"shop/www/manifests/{head(platform)}")) == expected


def test_a_running_containers_image_id_is_the_digest_that_the_registry_has_for_its_tag(platform):
    def image_id():
        return (container(platform, "www") or {}).get("imageID")

    digest = ask(platform, f"shop/www/manifests/{head(platform)}", "HEAD").headers["Docker-Content-Digest"]
    assert eventually(image_id) == f"registry.preview.localhost/shop/www@{digest}"
