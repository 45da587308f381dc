import json

import pytest

from gatehouse.core.errors import (
    EnvironmentProblem,
    InfrastructureError,
    ProductFailure,
    UnexpectedAnswer,
    Unreachable,
    WrongSubject,
)
from gatehouse.core.journey_settings import PersonaSettings, SignInSettings
from gatehouse.preview.personas.credentials import Credentials
from gatehouse.preview.personas.sign_in import SignIn
from tests.support.sites import Site, answer, sent_form

SHOP, AUTH = "http://shop.example.com", "http://auth.example.com"
OLGA = Credentials("olga", "right-password")
SOURCES = {"username": {"env": "U"}, "password": {"env": "P"}}
OWNER = PersonaSettings.model_validate({**SOURCES, "roles": ["owner"]})
CHECK = {"path": "/api/me", "contains": '"user": "{username}"'}

FORM = '<h1>Sign in to your account</h1>{}<form method="post" action="/authenticate"><input name="username">'
FORM += '<input type="password" name="password"></form>'


def member_page(request):
    known = "session=olga" in request.headers.get("cookie", "")
    return answer(200, '{"user": "olga"}') if known else answer(401, '{"error": "sign in first"}')


def authenticate(request):
    if sent_form(request) != {"username": "olga", "password": "right-password"}:
        return answer(200, FORM.format("<p>Invalid username or password.</p>"))
    return answer(302, location=f"{SHOP}/callback?code=1", cookies=["sso=1"])


def happy():
    """A product and an identity provider in which olga is a member; both ways of signing in."""
    return {
        f"GET {SHOP}/login": answer(302, location=f"{AUTH}/login"),
        f"GET {SHOP}/api/auth/providers": answer(json={"keycloak": {"id": "keycloak"}}),
        f"GET {SHOP}/api/auth/csrf": answer(json={"csrfToken": "t"}, cookies=["csrf=t; Path=/"]),
        f"POST {SHOP}/api/auth/signin/keycloak": answer(json={"url": f"{AUTH}/login"}),
        f"GET {AUTH}/login": answer(200, FORM.format("")),
        f"POST {AUTH}/authenticate": authenticate,
        f"GET {SHOP}/callback": answer(302, location="/", cookies=["session=olga-1; Path=/; HttpOnly"]),
        f"GET {SHOP}/": answer(200, "<h1>Welcome, olga</h1>"),
        f"GET {SHOP}/api/me": member_page,
    }


def signing(changes=(), **settings):
    site = Site({**happy(), **dict(changes)})
    wanted = {"url": "shop", "kind": "auth.js", "identity_origins": [AUTH], "member_check": CHECK, **settings}
    return SignIn(SignInSettings.model_validate(wanted), SHOP, {SHOP}, site)


def refusal(sign_in, kind, persona=OWNER, credentials=OLGA):
    with pytest.raises(kind) as caught:
        sign_in.sign_in("owner", persona, credentials)
    return caught.value


@pytest.mark.parametrize("kind", ["auth.js", "form"])
def test_a_member_is_signed_in_with_the_cookies_of_both_sides(kind):
    state = signing(kind=kind).sign_in("owner", OWNER, OLGA)

    found = {(each["domain"], each["name"]): each["value"] for each in state["cookies"]}
    assert found[("shop.example.com", "session")] == "olga-1"
    assert found[("auth.example.com", "sso")] == "1"


def test_auth_js_is_sent_its_token_and_asked_to_come_back_to_the_preview():
    sign_in = signing()
    sign_in.sign_in("owner", OWNER, OLGA)

    (sent,) = [each for each in sign_in.route.asked if each.url.path == "/api/auth/signin/keycloak"]
    assert sent_form(sent) == {"csrfToken": "t", "callbackUrl": f"{SHOP}/", "json": "true"}
    assert sent.headers["cookie"] == "csrf=t"


@pytest.mark.parametrize(
    "lead",
    [
        answer(302, location=f"{AUTH}/login"),
        answer(json={"url": f"{AUTH}/login"}),
        answer(json={"url": "/in"}),
    ],
)
def test_auth_js_may_redirect_at_once_or_say_where_to_go(lead):
    changes = {
        f"POST {SHOP}/api/auth/signin/keycloak": lead,
        f"GET {SHOP}/in": answer(302, location=f"{AUTH}/login"),
    }

    assert signing(changes).sign_in("owner", OWNER, OLGA)["cookies"]


@pytest.mark.parametrize("kind", ["auth.js", "form"])
def test_a_wrong_password_is_the_identity_providers_refusal_in_its_words(kind):
    error = refusal(signing(kind=kind), EnvironmentProblem, credentials=Credentials("olga", "wrong-password"))

    assert "the identity provider does not let the persona owner (olga) in" in error.summary
    assert "Invalid username or password." in error.summary
    assert "wrong-password" not in f"{error}"
    assert error.where == f"{AUTH}/authenticate"


def test_a_form_of_the_products_own_is_called_the_login_form():
    own = {
        f"GET {SHOP}/login": answer(200, FORM.format("")),
        f"POST {SHOP}/authenticate": answer(200, FORM.format("No.")),
    }

    error = refusal(signing(own, kind="form", identity_origins=[]), EnvironmentProblem)

    assert error.summary.startswith("the login form does not let the persona owner (olga) in")


def test_one_whom_only_the_identity_provider_knows_lacks_a_membership():
    refused = {
        f"GET {SHOP}/callback": answer(302, location="/auth/error"),
        f"GET {SHOP}/auth/error": answer(403, "You are not a member of this shop."),
    }

    error = refusal(signing(refused), EnvironmentProblem)

    assert (
        error.summary == "the identity provider knows the persona owner (olga), the product does not as owner"
    )
    assert error.seen == (
        "the login ended at /auth/error: You are not a member of this shop.; "
        '/api/me answered 401: {"error": "sign in first"}'
    )
    assert "membership" in error.next_step


def test_one_whom_the_product_takes_for_somebody_else_is_not_signed_in():
    other = {f"GET {SHOP}/api/me": answer(200, '{"user": "vera"}')}

    assert "the product does not" in refusal(signing(other), EnvironmentProblem).summary


@pytest.mark.parametrize("anybodys", [answer(200, "{}"), answer(302, location=f"{AUTH}/login")])
def test_a_check_that_one_who_has_not_signed_in_passes_proves_nothing(anybodys):
    weak = signing({f"GET {SHOP}/api/me": anybodys}, member_check={"path": "/api/me"})

    error = refusal(weak, EnvironmentProblem)

    assert "member_check proves nothing: who has not signed in passes it with /api/me" in error.summary


def test_without_a_check_a_page_of_the_product_is_enough_and_an_error_is_not():
    assert signing(member_check=None).sign_in("owner", OWNER, OLGA)["cookies"]

    error = refusal(signing({f"GET {SHOP}/": answer(403, "no")}, member_check=None), EnvironmentProblem)
    assert (error.expected, error.seen) == ("a page of the product", "the login ended at /: no")


def test_a_login_that_ends_at_the_identity_provider_does_not_blame_the_product():
    action = {f"POST {AUTH}/authenticate": answer(200, "<h1>Update your password</h1>")}

    error = refusal(signing(action), EnvironmentProblem)

    assert "got no further than the identity provider" in error.summary
    assert "Update your password" in error.seen


@pytest.mark.parametrize("kind", ["auth.js", "form"])
def test_a_place_without_a_form_is_said_with_what_is_there(kind):
    gone = {f"GET {AUTH}/login": answer(404, "no such realm")}

    error = refusal(signing(gone, kind=kind), UnexpectedAnswer)

    assert "there is no form with the field 'password'" in error.summary
    assert (error.seen, error.where) == ("404 no such realm", f"{AUTH}/login")


@pytest.mark.parametrize("kind", ["auth.js", "form"])
def test_an_error_in_the_forms_place_is_not_blamed_on_the_settings(kind):
    down = {f"GET {AUTH}/login": answer(503, "no healthy upstream")}

    error = refusal(signing(down, kind=kind), InfrastructureError)

    assert error.summary == "the login cannot begin, it leads to an error: 503 no healthy upstream"
    assert "identity provider" in error.next_step


def test_a_login_that_ends_at_a_server_error_is_nobodys_wrong_password():
    broken = {f"GET {SHOP}/callback": answer(500, "Internal Server Error")}

    error = refusal(signing(broken), InfrastructureError)

    assert "the login of the persona owner ended at an error: 500 Internal Server Error" in error.summary


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {f"GET {SHOP}/api/auth/providers": answer(200, "<html>not JSON")},
            "did not answer as Auth.js does: 200 not JSON",
        ),
        ({f"GET {SHOP}/api/auth/providers": answer(json=[])}, "did not answer as Auth.js does"),
        ({f"GET {SHOP}/api/auth/providers": answer(500, "oops")}, "did not answer as Auth.js does: 500 oops"),
        (
            {f"GET {SHOP}/api/auth/providers": answer(json={"github": {}})},
            "the product has no provider 'keycloak'",
        ),
        ({f"GET {SHOP}/api/auth/csrf": answer(200, "null")}, "did not answer as Auth.js does"),
        (
            {f"POST {SHOP}/api/auth/signin/keycloak": answer(json={})},
            "signin/keycloak did not answer as Auth.js does",
        ),
        (
            {f"POST {SHOP}/api/auth/signin/keycloak": answer(json={"url": None})},
            "did not answer as Auth.js does",
        ),
    ],
)
def test_what_is_not_auth_js_is_said_to_be_none(changes, words):
    error = refusal(signing(changes), UnexpectedAnswer)

    assert words in error.summary
    assert error.next_step


def test_a_login_that_leaves_the_preview_is_untrusted():
    away = {f"GET {SHOP}/callback": answer(302, location="http://shop-dev.example.com/")}

    error = refusal(signing(away), WrongSubject)

    assert "the login leaves the preview: it leads to http://shop-dev.example.com" in error.summary


def test_a_circle_after_the_login_is_the_products_failure():
    circle = {
        f"GET {SHOP}/": answer(302, location="/login2"),
        f"GET {SHOP}/login2": answer(302, location="/"),
    }

    assert "redirects lead in a circle" in refusal(signing(circle), ProductFailure).summary


# --- those who must be turned away -----------------------------------------------------------------------


def turned_away(**refused):
    return PersonaSettings.model_validate({**SOURCES, "refused": refused})


SUSPENDED = {
    f"GET {SHOP}/callback": answer(302, location="/auth/error"),
    f"GET {SHOP}/auth/error": answer(403, "<p>Your account is suspended.</p>", cookies=["seen=1"]),
}


@pytest.mark.parametrize(
    "refused",
    [
        {"status": [403]},
        {"path": "/auth/error"},
        {"contains": "Your account is suspended."},
        {"status": [401, 403], "path": "/auth/error", "contains": "suspended"},
    ],
)
def test_one_who_is_turned_away_as_said_has_the_cookies_of_that_page(refused):
    state = signing(SUSPENDED).sign_in("suspended", turned_away(**refused), OLGA)

    assert {each["name"] for each in state["cookies"]} >= {"seen", "sso"}


def test_one_whom_the_identity_provider_turns_away_is_not_turned_away_by_the_product():
    disabled = {f"POST {AUTH}/authenticate": answer(403, "Your account is suspended.")}

    error = refusal(signing(disabled), EnvironmentProblem, turned_away(status=[403], contains="suspended"))

    assert "got no further than the identity provider" in error.summary


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        ({"status": [403]}, "a page with status 403"),
        ({"path": "/auth/error"}, "a page with path /auth/error"),
        ({"contains": "suspended"}, "a page with text 'suspended'"),
        ({"status": [401, 403], "contains": "no"}, "a page with status 401 or 403 and text 'no'"),
    ],
)
def test_one_who_is_let_in_though_they_must_not_be_is_a_problem(refused, expected):
    error = refusal(signing(), EnvironmentProblem, turned_away(**refused))

    assert error.summary == "the persona owner is not turned away as it must be"
    assert (error.expected, error.seen) == (expected, "200 at /: Welcome, olga")
    assert "would prove nothing" in error.next_step


def test_a_text_that_is_only_in_a_script_is_no_refusal():
    home = "<script>const words = {no: 'Your account is suspended.'}</script><h1>Welcome, olga</h1>"
    site = signing({f"GET {SHOP}/": answer(200, home)})

    error = refusal(site, EnvironmentProblem, turned_away(contains="suspended"))

    assert error.expected == "a page with text 'suspended'"


def test_one_who_must_be_turned_away_by_the_product_must_get_past_the_identity_provider():
    error = refusal(
        signing(), EnvironmentProblem, turned_away(status=[403]), Credentials("olga", "wrong-password")
    )

    assert "does not let the persona owner (olga) in" in error.summary


# --- whether a session still holds -----------------------------------------------------------------------


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(signing().sign_in("owner", OWNER, OLGA)))
    return path


@pytest.mark.parametrize(
    ("changes", "settings", "valid"),
    [
        ({}, {}, True),
        ({}, {"member_check": None}, None),
        ({f"GET {SHOP}/api/me": answer(401)}, {}, False),
        ({f"GET {SHOP}/api/me": answer(200, '{"user": "vera"}')}, {}, False),
        ({f"GET {SHOP}/api/me": answer(302, location=f"{AUTH}/login")}, {}, False),
        ({f"GET {SHOP}/api/me": answer(302, location="/api/me")}, {}, False),
        ({f"GET {SHOP}/api/me": answer(503, "no healthy upstream")}, {}, None),
        ({f"GET {SHOP}/api/me": OSError("connection reset")}, {}, None),
    ],
)
def test_a_session_holds_until_the_product_says_otherwise(state, changes, settings, valid):
    assert signing(changes, **settings).is_valid(state, "olga") is valid


def test_the_cookies_of_a_session_on_a_host_without_dots_are_sent(tmp_path):
    state = tmp_path / "state.json"
    cookie = {"name": "session", "value": "olga", "domain": "localhost", "path": "/"}
    state.write_text(json.dumps({"cookies": [cookie], "origins": []}))
    sign_in = signing()
    local = SignIn(
        sign_in.settings,
        "http://localhost",
        {"http://localhost"},
        Site({"GET http://localhost/api/me": member_page}),
    )

    assert local.is_valid(state, "olga") is True


def test_no_answer_while_signing_in_is_said(state):
    down = {f"GET {SHOP}/api/auth/providers": OSError("connection refused")}

    assert "did not answer: OSError: connection refused" in refusal(signing(down), Unreachable).summary
