"""What goes wrong on the way through a preview that is ready, and what is said of it."""

import pytest

from tests.platform.journeys import Journeys


@pytest.fixture
def journeys(tmp_path, start):
    """Runs a suite of this text on a preview with these faults."""

    def journeys(*scenarios, tests, timings=(), **settings):
        return Journeys(tmp_path, start(*scenarios, **dict(timings)), tests, **settings)

    return journeys


OLGA = """
from types import SimpleNamespace

def olga():
    return SimpleNamespace(username="olga", password=os.environ["OLGA_PASSWORD"])
"""

BROKEN = (
    OLGA
    + """
def test_the_cart_adds_up(page, preview):
    sign_in(page, preview, olga())
    expect(page.get_by_role("heading", name="Welcome, olga")).to_be_visible()
    page.reload()
    page.goto(preview.urls["platform"] + "/orders")
    expect(page.get_by_role("heading", name="Orders")).to_be_visible(timeout=500)
"""
)


@pytest.mark.parametrize(
    ("scenario", "failure_class", "summary", "asked", "next_step"),
    [
        ("server-errors-in-journey", "product", "Locator expected to be visible", "/orders: 500", ""),
        (
            "resets-in-journey",
            "infrastructure",
            "Page.goto: net::ERR_CONNECTION_RESET at http://platform-pr-7",
            "/orders: net::ERR_CONNECTION_RESET",
            "look at the pods and the edge",
        ),
    ],
)
def test_a_platform_that_breaks_in_the_middle(journeys, scenario, failure_class, summary, asked, next_step):
    suite = journeys(scenario, tests=BROKEN, personas=None)
    suite.environment["OLGA_PASSWORD"] = suite.platform.credentials.passwords["olga"]
    ran = suite.run()
    print(ran.output)
    assert 0


ROUND = """
@pytest.mark.persona("owner")
def test_an_owner_by_persona(page):
    pass


def test_an_owner_by_hand(page, preview):
    sign_in(page, preview, olga())
    expect(page.get_by_role("heading", name="Welcome, olga")).to_be_visible(timeout=3000)


def test_of_nobody(preview):
    assert preview.get("platform", "/login").status == 200
"""


@pytest.mark.parametrize("scenario", ["sign-in-redirect-loop", "sign-in-leaves-preview"])
def test_signing_in_that_leads_in_a_circle_or_away(journeys, scenario):
    suite = journeys(scenario, tests=OLGA + ROUND)
    suite.environment["OLGA_PASSWORD"] = suite.platform.credentials.passwords["olga"]
    ran = suite.run()
    print(ran.output)
    assert 0


PERSONAS = """
@pytest.mark.persona("owner")
def test_of_the_owner(preview, persona):
    assert preview.get("platform", "/api/me", persona="owner").json()["user"] == "olga"


@pytest.mark.persona("viewer")
def test_of_the_viewer(preview, persona):
    assert preview.get("platform", "/api/me", persona="viewer").json()["user"] == "vera"


@pytest.mark.persona("suspended")
def test_of_the_suspended(preview):
    assert preview.get("platform", "/api/me", persona="suspended").status == 401


def test_of_one_who_is_let_in(preview, personas):
    personas.persona("outsider")


def test_of_nobody(preview):
    assert preview.get("platform", "/login").status == 200
"""


@pytest.mark.parametrize(
    "scenario",
    ["persona-missing-in-identity-provider", "persona-missing-in-product", "identity-provider-down"],
)
def test_personas(journeys, scenario):
    suite = journeys(scenario, tests=PERSONAS)
    ran = suite.run("-n", "2")
    print(ran.output)
    assert 0


EXPIRE = """
@pytest.mark.persona("owner")
@pytest.mark.parametrize("again", range(2))
def test_of_the_owner(page, preview, persona, again):
    page.goto(preview.urls["platform"])
    expect(page.get_by_role("heading", name="Welcome, olga")).to_be_visible()
    before = preview.get("platform", "/api/me", persona="owner")
    deadline = time.monotonic() + 20
    while page.request.get(preview.urls["platform"] + "/api/me").status == 200:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    for cookie in page.context.cookies():
        print("planted", cookie["name"], cookie["value"])
    assert not again, "to see whether what is printed is masked"
"""


def test_expire(journeys):
    suite = journeys("sessions-expire", tests=EXPIRE)
    ran = suite.run()
    print(ran.output)
    assert 0


REDEPLOYED = """
def test_that_fails_once_the_site_is_deployed_anew(page, preview):
    page.goto(preview.urls["www"])
    deadline = time.monotonic() + 60
    while not os.path.exists("go-on"):
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    expect(page.get_by_text("nothing like it")).to_be_visible(timeout=100)
"""
