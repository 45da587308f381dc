"""What goes wrong for those who use a preview that is ready, as a browser sees it."""

import time

import httpx
import pytest

from tests.platform.conftest import eventually
from tests.platform.previews import prove_preview
from tests.platform.visitor import Visitor


@pytest.fixture
def visit(start):
    """Somebody at a preview with this fault, once it has been proved to be ready all the same."""
    visitors = []

    def visit(*scenarios, **settings):
        platform = start(*scenarios)
        assert prove_preview(platform, **settings).proof.outcome == "this commit"
        visitors.append(Visitor(platform))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.http.close()


def test_an_owner_who_is_no_user_of_the_identity_provider_gets_no_further_than_its_page(visit):
    visitor = visit("persona-missing-in-identity-provider")

    assert "Invalid username or password." in visitor.sign_in("olga").text
    visitor.sign_in("vera")
    assert "Welcome, vera" in visitor.page.text


def test_an_owner_who_is_no_member_is_told_so_by_the_product(visit):
    visitor = visit("persona-missing-in-product")

    page = visitor.sign_in("olga")

    assert (page.status_code, "You are not a member of this shop." in page.text) == (403, True)
    with Visitor(visitor.platform) as other:
        assert "Welcome, vera" in other.sign_in("vera").text


def test_of_secrets_in_a_vault_the_owner_is_no_member_either(visit):
    visitor = visit("secret-late", "persona-missing-in-product", failure_grace_seconds=2.0)

    assert visitor.sign_in("olga").status_code == 403


def test_sign_in_that_leaves_the_preview_ends_at_a_page_that_looks_like_it(visit):
    visitor = visit("sign-in-leaves-preview")

    visitor.sign_in("olga")

    assert "Welcome, olga" in visitor.page.text
    assert visitor.page.url.host == "platform.preview.localhost"
    main = visitor.platform.call(lambda systems: systems.shop.repository.resolve("main"))
    assert f'content="{main}"' in visitor.page.text
    assert "Cart total: 0.00" in visitor.press("Add lamp").text


def test_a_redirect_loop_has_no_end(visit):
    visitor = visit("sign-in-redirect-loop")

    with pytest.raises(httpx.TooManyRedirects):
        visitor.sign_in("olga")

    ways = {path: visitor.open(path, follow_redirects=False).headers["location"] for path in ("/", "/login")}
    assert ways == {"/": "/login", "/login": "/"}


def test_server_errors_begin_with_the_third_answer_to_the_signed_in(visit):
    visitor = visit("server-errors-in-journey")

    visitor.sign_in("olga")
    assert "Welcome, olga" in visitor.page.text
    assert visitor.open("/api/me").status_code == 200

    assert [visitor.open(path).status_code for path in ("/", "/api/me", "/orders")] == [500] * 3
    with Visitor(visitor.platform) as other:
        assert other.open("/login").status_code == 200


def test_resets_begin_with_the_third_request_of_the_signed_in(visit):
    visitor = visit("resets-in-journey")

    visitor.sign_in("olga")
    assert visitor.open("/api/me").status_code == 200

    for _ in range(2):
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            visitor.open("/")
    with Visitor(visitor.platform) as other:
        assert other.open("/login").status_code == 200


def test_a_page_that_never_settles_waits_for_an_answer_that_does_not_come(visit):
    visitor = visit("page-never-settles")

    page = visitor.sign_in("olga")

    assert 'fetch("/api/updates").then(wait, wait);' in page.text
    with pytest.raises(httpx.ReadTimeout):
        visitor.open("/api/updates", timeout=1)
    assert visitor.open("/api/cart").status_code == 200


def test_sessions_expire_while_somebody_uses_the_product(visit):
    visitor = visit("sessions-expire")

    visitor.sign_in("olga")
    began = time.monotonic()
    assert "Welcome, olga" in visitor.page.text

    eventually(lambda: visitor.open("/api/me").status_code == 401)
    assert time.monotonic() - began < 5
    assert visitor.open("/").url.path == "/login"


def test_without_an_identity_provider_nobody_can_sign_in(visit):
    visitor = visit("identity-provider-down")

    assert visitor.http.get(f"{visitor.identity}/realms/shop/").status_code == 503
    visitor.open("/login")
    page = visitor.press("Sign in with single sign-on")

    assert page.status_code == 500
    assert "There is a problem with the server configuration." in page.text
