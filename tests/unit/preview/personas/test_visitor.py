import httpx
import pytest
from playwright.sync_api import StorageState

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import ProductFailure, UnexpectedAnswer, Unreachable, WaitTimeout, WrongSubject
from gatehouse.preview.personas.visitor import REDIRECTS, Page, Visitor
from tests.support.clock import FakeClock
from tests.support.sites import Site, answer, sent_form

SHOP, AUTH = "http://shop.example.com", "http://auth.example.com"


@pytest.fixture
def visit():
    """A visitor of a site that answers from a table; both origins are allowed."""

    def visit(answers, allowed=(SHOP, AUTH), clock=None):
        site = Site(answers)
        clock = clock or FakeClock()
        visitor = Visitor(site, allowed, Deadline.after(60, clock))
        visitor.site, visitor.clock = site, clock
        return visitor

    return visit


def page(body, url=f"{SHOP}/a/login?next=1#top"):
    return Page(url, 200, body)


# --- redirects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "sent"),
    [
        (301, "GET", {}),
        (302, "GET", {}),
        (303, "GET", {}),
        (307, "POST", {"a": "1"}),
        (308, "POST", {"a": "1"}),
    ],
)
def test_a_form_that_is_redirected_is_sent_again_only_where_browsers_do(visit, status, method, sent):
    visitor = visit(
        {
            f"POST {SHOP}/login": answer(status, location="/done"),
            f"GET {SHOP}/done": answer(200, "get"),
            f"POST {SHOP}/done": answer(200, "post"),
        }
    )

    found = visitor.post(f"{SHOP}/login", {"a": "1"})

    assert (found.status, found.body, found.url) == (200, method.lower(), f"{SHOP}/done")
    assert sent_form(visitor.site.asked[-1]) == sent


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("done", f"{SHOP}/a/done"),
        ("../done", f"{SHOP}/done"),
        ("/done", f"{SHOP}/done"),
        ("?step=2", f"{SHOP}/a/b?step=2"),
        ("//auth.example.com/done", f"{AUTH}/done"),
        (f"{AUTH}/done?x=1", f"{AUTH}/done?x=1"),
    ],
)
def test_redirects_lead_where_browsers_go(visit, location, url):
    def first_then_page(request):
        return answer(302, location=location) if request.url.raw_path == b"/a/b" else answer(200, "here")

    visitor = visit(
        {
            f"GET {SHOP}/a/b": first_then_page,
            f"GET {SHOP}/a/done": answer(),
            f"GET {SHOP}/done": answer(),
            f"GET {AUTH}/done": answer(),
        }
    )

    assert visitor.get(f"{SHOP}/a/b").url == url


def test_a_circle_of_redirects_is_the_products_failure_and_says_where_it_leads(visit):
    visitor = visit(
        {f"GET {SHOP}/": answer(302, location="/login"), f"GET {SHOP}/login": answer(302, location="/")}
    )

    with pytest.raises(ProductFailure, match=f"{SHOP}/ redirects in a circle") as caught:
        visitor.get(f"{SHOP}/")

    assert f"{SHOP}/login → {SHOP}/" in caught.value.seen
    assert len(visitor.site.asked) == REDIRECTS + 1


def test_as_many_redirects_are_followed_as_by_browsers(visit):
    answers = {f"GET {SHOP}/{number}": answer(302, location=f"/{number + 1}") for number in range(REDIRECTS)}
    visitor = visit({**answers, f"GET {SHOP}/{REDIRECTS}": answer(200, "at last")})

    assert visitor.get(f"{SHOP}/0").body == "at last"


def test_an_origin_that_is_not_allowed_is_refused_before_it_is_asked(visit):
    visitor = visit({f"GET {SHOP}/": answer(302, location="http://evil.example/login?secret=1")})

    with pytest.raises(
        WrongSubject, match=r"the login leaves the preview: it leads to http://evil\.example\n"
    ):
        visitor.get(f"{SHOP}/")

    assert visitor.site.lines == [f"GET {SHOP}/"]


@pytest.mark.parametrize("location", ["http://[bad/", "http://shop.example.com:x/", "mailto:a@b"])
def test_a_location_that_is_no_address_ends_in_words(visit, location):
    visitor = visit({f"GET {SHOP}/": answer(302, location=location)})

    with pytest.raises((UnexpectedAnswer, Unreachable, WrongSubject)):
        visitor.get(f"{SHOP}/")


def test_no_answer_is_said_with_the_address_and_the_reason(visit):
    visitor = visit({f"GET {SHOP}/": httpx.ConnectError("connection refused")})

    with pytest.raises(Unreachable, match=f"{SHOP}/ did not answer: ConnectError: connection refused"):
        visitor.get(f"{SHOP}/")


def test_a_login_that_takes_too_long_ends_with_what_it_was_to_do_next(visit):
    clock = FakeClock()

    def slow(_request):
        clock.sleep(61)
        return answer(302, location="/next")

    with pytest.raises(WaitTimeout, match="the login took longer") as caught:
        visit({f"GET {SHOP}/": slow}, clock=clock).get(f"{SHOP}/")

    assert f"{SHOP}/next" in caught.value.seen


# --- cookies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "url", "sent"),
    [
        ("a=1", "http://shop.example.com/", True),
        ("a=1", "http://www.shop.example.com/", False),
        ("a=1", "http://auth.example.com/", False),
        ("a=1; Domain=example.com", "http://auth.example.com/", True),
        ("a=1; Domain=.shop.example.com", "http://www.shop.example.com/", True),
        ("a=1; Domain=evil.example", "http://shop.example.com/", False),
        ("a=1; Path=/cart", "http://shop.example.com/cart/items", True),
        ("a=1; Path=/cart", "http://shop.example.com/orders", False),
        ("a=1; Secure", "http://shop.example.com/", False),
        ("a=1; Secure", "https://shop.example.com/", True),
        ("a=1; Max-Age=0", "http://shop.example.com/", False),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://shop.example.com/", False),
    ],
)
def test_cookies_go_where_browsers_send_them(visit, cookie, url, sent):
    origins = {SHOP, AUTH, "http://www.shop.example.com", "https://shop.example.com"}
    visitor = visit({f"GET {SHOP}/cart/login": answer(cookies=[f"{cookie}; HttpOnly"])}, allowed=origins)
    if "Path" not in cookie:
        visitor.site.answers[f"GET {SHOP}/cart/login"] = answer(cookies=[f"{cookie}; Path=/"])

    visitor.get(f"{SHOP}/cart/login")
    visitor.get(url)

    assert visitor.site.asked[-1].headers.get("cookie") == ("a=1" if sent else None)


def test_cookies_of_redirects_are_kept_and_sent_with_the_next_request(visit):
    visitor = visit(
        {
            f"GET {SHOP}/": answer(
                302, location="/login", cookies=["state=1; Path=/", "old=; Path=/; Max-Age=0"]
            ),
            f"GET {SHOP}/login": answer(cookies=["state=2; Path=/"]),
        }
    )

    visitor.get(f"{SHOP}/")

    assert visitor.site.asked[1].headers["cookie"] == "state=1"
    assert visitor.cookies.get("state") == "2"


STATE_KEYS = {"name", "value", "domain", "path", "expires", "httpOnly", "secure", "sameSite"}


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("a=1", {"name": "a", "value": "1", "domain": "shop.example.com", "path": "/", "expires": -1}),
        ("a=1; Domain=example.com", {"domain": ".example.com"}),
        ("a=1; Secure; HttpOnly", {"secure": True, "httpOnly": True}),
        ("a=1", {"secure": False, "httpOnly": False, "sameSite": "Lax"}),
        ("a=1; SameSite=strict", {"sameSite": "Strict"}),
        ("a=1; SameSite=None; Secure", {"sameSite": "None", "secure": True}),
        ("a=1; samesite=NONE", {"sameSite": "Lax"}),
        ("a=1; SameSite=whatever", {"sameSite": "Lax"}),
        ("a=1; Path=/cart", {"path": "/cart"}),
        ("a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", {"expires": 4102444800}),
        ("a=", {"value": ""}),
        ("a=1%7C2; Path=/", {"value": "1%7C2"}),
    ],
)
def test_the_storage_state_is_one_that_playwright_takes(visit, cookie, expected):
    visitor = visit({f"GET {SHOP}/": answer(cookies=[cookie])})
    visitor.get(f"{SHOP}/")

    state: StorageState = visitor.storage_state()
    (found,) = state["cookies"]

    assert (set(state), state["origins"]) == ({"cookies", "origins"}, [])
    assert set(found) == STATE_KEYS
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("host", ["localhost", "shop", "shop.local", "127.0.0.1"])
def test_cookies_of_short_names_belong_to_the_host_as_browsers_call_it(visit, host):
    visitor = visit({f"GET http://{host}/": answer(cookies=["a=1"])}, allowed=[f"http://{host}"])
    visitor.get(f"http://{host}/")
    visitor.get(f"http://{host}/again")

    assert visitor.site.asked[-1].headers["cookie"] == "a=1"
    assert [each["domain"] for each in visitor.storage_state()["cookies"]] == [host]


# --- forms -----------------------------------------------------------------------------------------------

LOGIN = """
<form action="/search"><input name="q"></form>
<FORM METHOD="Post" ACTION="authenticate?session=1&amp;tab=2">
<input type="HIDDEN" name="csrf" value="a&amp;b"><input name="username" value="old">
<input type="password" name="password">
<input type="checkbox" name="remember" checked><input type="checkbox" name="news" value="yes">
<input type="radio" name="way" value="mail"><input type="radio" name="way" value="code" checked>
<select name="realm"><option value="one">One</option><option value="two" selected>Two</option></select>
<select name="language"><option value="en">English</option><option value="de">Deutsch</option></select>
<textarea name="note">hello</textarea>
<input name="off" value="1" disabled><input value="no name">
<input type="submit" name="login" value="Sign In"><button name="cancel" value="true">Cancel</button>
</form>
<form method="post" action="/other"><input name="csrf" value="other"></form>
"""


def test_the_form_is_the_one_with_the_field_and_has_all_that_a_browser_sends():
    form = page(LOGIN).form("password")

    assert (form.method, form.action) == ("post", "authenticate?session=1&tab=2")
    assert form.fields == {
        "csrf": "a&b",
        "username": "old",
        "password": "",
        "remember": "on",
        "way": "code",
        "realm": "two",
        "language": "en",
        "note": "hello",
        "login": "Sign In",
    }


def test_a_page_without_the_field_has_no_such_form():
    assert page(LOGIN).form("otp") is None
    assert page("<input name=password>").form("password") is None
    assert page("<<form><input").form("password") is None


def test_what_is_filled_in_goes_to_where_the_form_says(visit):
    visitor = visit({f"POST {SHOP}/a/authenticate": answer(200, "Welcome")})
    opened = page(LOGIN)

    found = visitor.submit(opened, opened.form("password"), {"username": "olga", "password": "ö &=%"})

    assert found.body == "Welcome"
    assert visitor.site.lines == [f"POST {SHOP}/a/authenticate?session=1&tab=2"]
    sent = sent_form(visitor.site.asked[0])
    assert (sent["username"], sent["password"], sent["csrf"]) == ("olga", "ö &=%", "a&b")


def test_a_form_without_an_action_is_sent_to_its_own_page(visit):
    visitor = visit({})
    opened = page('<form method="post"><input name="password"></form>')

    visitor.submit(opened, opened.form("password"), {})

    assert visitor.site.lines[0].partition("#")[0] == f"POST {SHOP}/a/login?next=1"


def test_the_first_button_of_a_form_can_lead_elsewhere(visit):
    visitor = visit({})
    opened = page(
        '<form action="/a"><input name="password"><button type="button" formaction="/no">Show</button>'
        '<button formaction="/in" formmethod="POST" name="action" value="default">In</button>'
        '<button formaction="/out">Out</button></form>'
    )

    visitor.submit(opened, opened.form("password"), {"password": "1"})

    assert visitor.site.lines == [f"POST {SHOP}/in"]
    assert sent_form(visitor.site.asked[0]) == {"password": "1", "action": "default"}


def test_the_fields_of_a_form_that_is_asked_for_take_the_place_of_its_query(visit):
    visitor = visit({})
    opened = page('<form action="/find?old=1#x"><input name="password"></form>')

    visitor.submit(opened, opened.form("password"), {"password": "a b"})

    assert visitor.site.lines == [f"GET {SHOP}/find?password=a+b"]


def test_an_action_on_another_origin_is_refused(visit):
    opened = page('<form method="post" action="https://evil.example/"><input name="password"></form>')
    visitor = visit({})

    with pytest.raises(WrongSubject):
        visitor.submit(opened, opened.form("password"), {"password": "planted"})

    assert visitor.site.asked == []


def test_the_words_of_a_page_are_what_people_read():
    body = (
        "<html><head><title>Shop</title><style>p{}</style></head><body><script>var a = '<p>no</p>'</script>"
        "<h1>Not\n found</h1><p>It is&nbsp;gone &amp; lost</p></body></html>"
    )

    assert page(body).words == "Not found It is gone & lost"
    assert len(page("x " * 1000).words) <= 200
    assert page("").words == ""
