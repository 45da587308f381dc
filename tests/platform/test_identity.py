"""The base environment's identity provider, and signing in to the preview's platform with it."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.platform.conftest import eventually, objects, served
from tests.platform.visitor import Visitor


@pytest.fixture
def visitor(platform):
    served(platform, "platform", "/healthz")
    with Visitor(platform) as visitor:
        yield visitor


def authorize(visitor, follow=True, **changes):
    """The identity provider's answer to somebody whom the product has sent."""
    parameters = {
        "client_id": "platform",
        "response_type": "code",
        "scope": "openid",
        "state": "some-state",
        "redirect_uri": f"{visitor.home}/api/auth/callback/keycloak",
        **changes,
    }
    url = f"{visitor.identity}/realms/shop/protocol/openid-connect/auth"
    visitor.page = visitor.http.get(url, params=parameters, follow_redirects=follow)
    return visitor.page


def code_for(visitor, username):
    """A code that the identity provider has given for a user, not yet redeemed."""
    authorize(visitor)
    visitor.http.follow_redirects = False
    visitor.press("Sign In", username=username, password=visitor.platform.credentials.passwords[username])
    return parse_qs(urlsplit(visitor.page.headers["location"]).query)["code"][0]


def redeem(visitor, code, secret=None, **changes):
    """What the product is told of a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": f"{visitor.home}/api/auth/callback/keycloak",
        "client_id": "platform",
        "client_secret": visitor.platform.credentials.client_secret if secret is None else secret,
        **changes,
    }
    return visitor.http.post(f"{visitor.identity}/realms/shop/protocol/openid-connect/token", data=form)


# --- the identity provider ---------------------------------------------------------------------------------


def test_the_realm_says_where_everything_is(visitor):
    answer = visitor.http.get(f"{visitor.identity}/realms/shop/.well-known/openid-configuration").json()

    assert answer["issuer"] == f"{visitor.identity}/realms/shop"
    assert answer["token_endpoint"] == f"{answer['issuer']}/protocol/openid-connect/token"


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example.com/",
        "http://platform-pr-7.preview.localhost.evil.example.com/",
        "http://evil.example.com/platform-pr-7.preview.localhost/",
        "http://platform.preview.localhost/",
        "",
    ],
)
def test_nobody_is_sent_to_an_address_that_is_no_previews(visitor, uri):
    page = authorize(visitor, redirect_uri=uri)

    assert page.status_code == 400
    assert "Invalid parameter: redirect_uri" in page.text


def test_an_application_that_is_not_known_is_refused(visitor):
    page = authorize(visitor, client_id="another")

    assert (page.status_code, "Client not found." in page.text) == (400, True)


def test_a_wrong_password_is_told_on_the_login_page(visitor):
    page = visitor.sign_in("olga", "wrong")

    assert page.status_code == 200
    assert "Invalid username or password." in page.text
    assert visitor.where.startswith(f"{visitor.identity}/realms/shop/login-actions/authenticate")
    visitor.press("Sign In", username="olga", password=visitor.platform.credentials.passwords["olga"])
    assert visitor.where == f"{visitor.home}/"


def test_a_login_page_without_its_cookie_leads_nowhere(visitor):
    authorize(visitor)
    visitor.http.cookies.clear()

    page = visitor.press("Sign In", username="olga", password=visitor.platform.credentials.passwords["olga"])

    assert (page.status_code, "Restart login cookie not found" in page.text) == (400, True)


def test_a_code_is_good_once_and_for_those_who_know_the_clients_secret(visitor):
    code = code_for(visitor, "olga")
    assert redeem(visitor, code, secret="wrong").json()["error"] == "unauthorized_client"
    tokens = redeem(visitor, code).json()
    user_info = f"{visitor.identity}/realms/shop/protocol/openid-connect/userinfo"

    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert visitor.http.get(user_info, headers=bearer).json()["preferred_username"] == "olga"
    payload = tokens["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert (claims["aud"], claims["preferred_username"]) == ("platform", "olga")
    again = redeem(visitor, code)
    assert (again.status_code, again.json()["error_description"]) == (400, "Code not valid")
    assert visitor.http.get(user_info, headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_code_is_good_for_the_address_only_that_it_was_sent_to(visitor):
    refused = redeem(visitor, code_for(visitor, "olga"), redirect_uri=f"{visitor.home}/elsewhere")

    assert refused.json() == {"error": "invalid_grant", "error_description": "Incorrect redirect_uri"}


def test_who_has_signed_in_once_is_not_asked_again(visitor):
    visitor.sign_in("olga")
    visitor.press("Sign out")

    visitor.open("/login")
    visitor.press("Sign in with single sign-on")

    assert visitor.where == f"{visitor.home}/"
    assert "Welcome, olga" in visitor.page.text


def test_who_has_signed_out_of_the_identity_provider_is_asked_again(visitor):
    visitor.sign_in("olga")

    visitor.open(f"{visitor.identity}/realms/shop/protocol/openid-connect/logout")
    visitor.press("Logout")

    assert "Sign in to your account" in authorize(visitor).text


def test_the_test_users_are_in_a_secret_of_the_base_environment(platform):
    (secret,) = objects(platform, "api/v1/namespaces/shop-dev/secrets")
    values = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}

    assert secret["metadata"]["name"] == "e2e-personas"
    users = {part: values[f"E2E_{part}_USERNAME"] for part in ("OWNER", "VIEWER", "INVITED", "SUSPENDED")}
    assert users == {"OWNER": "olga", "VIEWER": "vera", "INVITED": "ivan", "SUSPENDED": "sara"}
    assert values["E2E_NONMEMBER_USERNAME"] == "nina"
    assert values["E2E_OWNER_PASSWORD"] == platform.credentials.passwords["olga"]
    assert len(set(values.values())) == 10


def test_no_password_of_a_person_is_in_the_previews_own_namespace(platform):
    def secrets():
        return objects(platform, "api/v1/namespaces/pr-7/secrets")

    (secret,) = eventually(secrets)
    assert set(secret["data"]) == {"AUTH_SECRET", "AUTH_KEYCLOAK_SECRET", "MEMBERS"}


# --- the product -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("user", "role"), [("olga", "owner"), ("vera", "viewer")])
def test_a_member_signs_in_and_comes_back_to_the_preview(visitor, user, role):
    visitor.sign_in(user)

    assert visitor.where == f"{visitor.home}/"
    assert f"Welcome, {user}" in visitor.page.text
    assert visitor.open("/api/me").json() == {"user": user, "role": role}
    assert visitor.open("/api/auth/session").json()["user"]["name"] == user


@pytest.mark.parametrize(
    ("user", "status", "where", "words"),
    [
        ("ivan", 200, "/onboarding", "You have been invited"),
        ("sara", 403, "/auth/error", "Your account is suspended."),
        ("nina", 403, "/auth/error", "You are not a member of this shop."),
    ],
)
def test_who_is_no_active_member_is_told_so_and_is_not_let_in(visitor, user, status, where, words):
    page = visitor.sign_in(user)

    assert (page.status_code, visitor.where) == (status, f"{visitor.home}{where}")
    assert words in page.text
    assert visitor.open("/api/me").status_code in (401, 403)


def test_scripts_can_sign_in_as_they_do_with_auth_js(visitor):
    assert set(visitor.open("/api/auth/providers").json()) == {"keycloak"}
    token = visitor.open("/api/auth/csrf").json()["csrfToken"]
    form = {"csrfToken": token, "callbackUrl": f"{visitor.home}/orders", "json": "true"}

    url = visitor.http.post(f"{visitor.home}/api/auth/signin/keycloak", data=form).json()["url"]
    visitor.open(url)
    visitor.press("Sign In", username="olga", password=visitor.platform.credentials.passwords["olga"])

    assert visitor.where == f"{visitor.home}/orders"


def test_those_who_have_not_signed_in_are_asked_to(visitor):
    assert visitor.open("/", follow_redirects=False).headers["location"] == "/login"
    assert visitor.open("/api/me").status_code == 401
    assert visitor.open("/api/auth/session").json() is None


def test_two_browsers_of_one_user_share_a_cart(visitor):
    visitor.sign_in("vera")
    visitor.press("Empty the cart")
    with Visitor(visitor.platform) as other:
        other.sign_in("vera")
        other.press("Add lamp")

    assert "Cart total: 24.90" in visitor.open("/").text


def test_an_order_is_placed_listed_downloaded_and_cancelled(visitor):
    visitor.sign_in("olga")
    visitor.press("Empty the cart")
    form = {"list": ("list.csv", "lamp,2\nchair,1\n", "text/csv")}
    assert "Cart total: 168.80" in visitor.http.post(f"{visitor.home}/cart/import", files=form).text
    visitor.open("/")
    visitor.press("Place the order")
    order = visitor.open("/api/orders").json()["orders"][-1]
    assert (order["user"], order["total"]) == ("olga", 16880)

    download = visitor.open("/orders.csv")
    assert download.headers["content-disposition"] == 'attachment; filename="orders.csv"'
    assert f"{order['id']},olga,lamp,2,168.80," in download.text

    visitor.open("/orders")
    visitor.press(f"Cancel order {order['id']}")
    assert order not in visitor.open("/api/orders").json()["orders"]


def test_the_api_takes_and_cancels_orders_of_those_who_may(visitor):
    visitor.sign_in("olga")
    made = visitor.http.post(f"{visitor.home}/api/orders", json={"items": {"lamp": 1}, "note": "mine"})
    assert (made.status_code, made.json()["note"]) == (201, "mine")
    where = f"{visitor.home}{made.headers['location']}"

    with Visitor(visitor.platform) as other:
        other.sign_in("vera")
        assert other.http.delete(where).status_code == 403

    assert visitor.http.delete(where).status_code == 204


def test_sign_in_works_over_https_too(start):
    platform = start("self-signed-certificate")
    served(platform, "platform", "/healthz")

    with Visitor(platform) as visitor:
        visitor.sign_in("olga")

        assert visitor.where == f"{visitor.home}/"
        assert visitor.home.startswith("https:")
        assert "Welcome, olga" in visitor.page.text
        assert {each.name for each in visitor.http.cookies.jar if each.secure} >= {
            "__Secure-authjs.session-token",
            "KEYCLOAK_IDENTITY",
        }


def test_sign_in_works_where_one_application_is_the_whole_preview(start):
    platform = start("one-application")
    served(platform, "platform", "/healthz")

    with Visitor(platform) as visitor:
        assert "Welcome, olga" in visitor.sign_in("olga").text


def test_a_platform_knows_no_hostnames_but_its_own(platform):
    host = {"Host": "keycloak.preview.localhost"}
    assert httpx.get(f"{platform.urls.preview}/realms/shop", headers=host).status_code == 404
