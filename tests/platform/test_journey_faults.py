"""What goes wrong on the way through a preview that is ready, and what is said of it."""

import pytest

from gatehouse.embedded.kubernetes.kinds import REPLICA_SET
from tests.platform.conftest import eventually
from tests.platform.journeys import Journeys


@pytest.fixture
def journeys(tmp_path, start):
    """Runs a suite of this text on a preview with these faults."""

    def journeys(*scenarios, tests, **settings):
        suite = Journeys(tmp_path, start(*scenarios), tests, **settings)
        suite.environment["OLGA_PASSWORD"] = suite.platform.credentials.passwords["olga"]
        return suite

    return journeys


OLGA = """
from types import SimpleNamespace

olga = SimpleNamespace(username="olga", password=os.environ["OLGA_PASSWORD"])
"""

BREAKS = """
def test_the_orders_are_shown(page, preview):
    sign_in(page, preview, olga)
    expect(page.get_by_role("heading", name="Welcome, olga")).to_be_visible()
    page.reload()
    page.goto(preview.urls["platform"] + "/orders")
    expect(page.get_by_role("heading", name="Orders")).to_be_visible(timeout=500)
"""


@pytest.mark.parametrize(
    ("scenario", "failure_class", "summary", "came", "next_step"),
    [
        ("server-errors-in-journey", "product", "Locator expected to be visible", "500", ""),
        (
            "resets-in-journey",
            "infrastructure",
            "Page.goto: net::ERR_CONNECTION_RESET",
            "net::ERR_CONNECTION_RESET",
            "look at the pods and the edge",
        ),
    ],
    ids=["server errors", "resets"],
)
def test_a_platform_that_breaks_in_the_middle(journeys, scenario, failure_class, summary, came, next_step):
    suite = journeys(scenario, tests=OLGA + BREAKS, personas=None)

    ran = suite.run()

    assert ran.classes == {"test_the_orders_are_shown": failure_class}, ran.output
    test = ran.test("test_the_orders_are_shown")
    assert test.failure.summary.startswith(summary)
    assert next_step in test.failure.next_step
    assert f"/orders: {came}" in test.report
    titles = [line.partition(":")[0] for line in test.report.splitlines() if not line.startswith(" ")]
    expected = [
        "failed",
        "screenshot",
        *(["console errors"] if failure_class == "product" else []),
        "failed requests",
        "last steps",
        "deployed system at that moment",
        "trace",
        "logs and traces of the deployed system",
        "run again",
    ]
    assert titles == expected
    assert "5 Applications Synced and Healthy" in test.report
    assert 'click button "Sign In"' in test.report
    assert test.report in ran.output
    assert suite.environment["OLGA_PASSWORD"] not in test.report


NEVER_SETTLES = """
@pytest.mark.persona("owner")
def test_the_page_settles(page, preview):
    page.goto(preview.urls["platform"])
    page.wait_for_load_state("networkidle", timeout=1500)
"""


def test_a_page_that_never_settles_is_the_products_fault_and_says_what_was_waited_for(journeys):
    ran = journeys("page-never-settles", tests=NEVER_SETTLES).run()

    test = ran.test("test_the_page_settles")
    assert ran.classes == {"test_the_page_settles": "product"}, ran.output
    assert test.failure.summary == (
        'Page.wait_for_load_state: Timeout 1500ms exceeded: page.wait_for_load_state("networkidle", timeout=1500)'
    )


BY_BOTH_WAYS = """
@pytest.mark.persona("owner")
def test_of_an_owner_who_has_signed_in(page):
    pass


def test_an_owner_signs_in(page, preview):
    sign_in(page, preview, olga)
    expect(page.get_by_role("heading", name="Welcome, olga")).to_be_visible(timeout=3000)


def test_of_nobody(preview):
    assert preview.get("platform", "/login").status == 200
"""


def test_signing_in_that_leads_in_a_circle_is_the_products_fault_by_both_ways(journeys):
    ran = journeys("sign-in-redirect-loop", tests=OLGA + BY_BOTH_WAYS).run()

    assert ran.classes == {
        "test_of_an_owner_who_has_signed_in": "product",
        "test_an_owner_signs_in": "product",
        "test_of_nobody": "passed",
    }, ran.output
    persona = ran.test("test_of_an_owner_who_has_signed_in").failure
    assert persona.summary.startswith("redirects lead in a circle by http://platform-pr-7")
    assert "session_code" not in ran.output
    assert "look at where the product redirects" in persona.next_step
    assert "net::ERR_TOO_MANY_REDIRECTS" in ran.test("test_an_owner_signs_in").report


def test_signing_in_that_leaves_the_preview_proves_nothing_even_where_the_page_looks_right(journeys):
    ran = journeys("sign-in-leaves-preview", tests=OLGA + BY_BOTH_WAYS).run()

    assert ran.classes == {
        "test_of_an_owner_who_has_signed_in": "untrusted",
        "test_an_owner_signs_in": "untrusted",
        "test_of_nobody": "passed",
    }, ran.output
    away = "http://platform.preview.localhost:"
    persona = ran.test("test_of_an_owner_who_has_signed_in").failure
    assert persona.summary.startswith(f"the login leaves the preview: it leads to {away}")
    assert "?" not in persona.details, "no query: it holds what gives access"
    by_hand = ran.test("test_an_owner_signs_in")
    assert by_hand.failure.summary.startswith(f"the test left the preview for {away}")
    assert f"outside of the preview: {away}" in by_hand.report


PERSONAS = """
@pytest.mark.persona("owner")
def test_of_the_owner(preview):
    assert preview.get("platform", "/api/me", persona="owner").json()["user"] == "olga"


@pytest.mark.persona("viewer")
def test_of_the_viewer(preview):
    assert preview.get("platform", "/api/me", persona="viewer").json()["user"] == "vera"


@pytest.mark.persona("suspended")
def test_of_one_who_is_turned_away(preview):
    assert preview.get("platform", "/api/me", persona="suspended").status == 401


@pytest.mark.persona("outsider")
def test_of_one_who_is_let_in_though_turned_away_was_said():
    pass


def test_of_nobody(preview):
    assert preview.get("platform", "/login").status == 200
"""

OTHERS_PASS = {
    "test_of_the_owner": "environment",
    "test_of_the_viewer": "passed",
    "test_of_one_who_is_turned_away": "passed",
    "test_of_one_who_is_let_in_though_turned_away_was_said": "environment",
    "test_of_nobody": "passed",
}


@pytest.mark.parametrize(
    ("scenario", "classes", "summary", "next_step"),
    [
        (
            "persona-missing-in-identity-provider",
            OTHERS_PASS,
            "the identity provider does not let the persona owner (olga) in: ",
            "make the user there",
        ),
        (
            "persona-missing-in-product",
            OTHERS_PASS,
            "the identity provider knows the persona owner (olga), the product does not as owner",
            "let the product have the user's membership",
        ),
        (
            "identity-provider-down",
            {name: "passed" if name == "test_of_nobody" else "infrastructure" for name in OTHERS_PASS},
            "the login cannot begin, it leads to an error: 500",
            "at whether the identity provider is there",
        ),
    ],
    ids=["identity provider", "product", "no identity provider"],
)
def test_only_tests_of_a_persona_that_cannot_sign_in_fail_and_they_say_on_which_side(
    journeys, scenario, classes, summary, next_step
):
    suite = journeys(scenario, tests=PERSONAS)

    def add_outsider(preview):
        viewer = {key: preview["personas"]["viewer"][key] for key in ("username", "password")}
        preview["personas"]["outsider"] = {**viewer, "refused": {"status": [403], "contains": "not a member"}}

    suite.change(add_outsider)
    ran = suite.run("-n", "2")

    assert ran.classes == classes, ran.output
    owner = ran.test("test_of_the_owner").failure
    assert owner.summary.startswith(summary)
    assert next_step in owner.next_step
    assert f"persona owner: {summary}" in ran.output, "said before the tests"
    (personas,) = [each["personas"] for each in ran.events if each["event"] == "personas"]
    problems = {each["name"] for each in personas if each["problem"]}
    assert ("owner" in problems, "viewer" in problems) == (True, classes["test_of_the_viewer"] != "passed")
    if classes is OTHERS_PASS:
        outsider = ran.test("test_of_one_who_is_let_in_though_turned_away_was_said").failure
        assert outsider.summary == "the persona outsider is not turned away as it must be"
        assert "200 at /: Home Orders Welcome, vera" in outsider.details


EXPIRES = """
import json
from gatehouse.preview.route import Route

FIRST = {}


def session(persona):
    cookies = json.loads(persona.storage_state.read_text())["cookies"]
    return next(each["value"] for each in cookies if each["name"] == "authjs.session-token")


@pytest.mark.persona("owner")
def test_of_the_first_session(preview, persona):
    FIRST["session"] = session(persona)
    deadline = time.monotonic() + 60
    me = preview.urls["platform"] + "/api/me"
    while Route().request("GET", me, storage_state=persona.storage_state).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.persona("owner")
def test_of_the_second_session(page, persona):
    assert FIRST["session"] != session(persona)
    pytest.fail(f"planted {session(persona)} {persona.password}")
"""


def test_after_a_session_has_expired_the_next_test_is_signed_in_again_and_that_session_is_secret_as_well(
    journeys,
):
    suite = journeys("sessions-expire", tests=EXPIRES)

    ran = suite.run()

    assert ran.classes["test_of_the_first_session"] == "passed", ran.output
    assert ran.test("test_of_the_second_session").failure.summary == "planted [redacted] [redacted]"
    assert "planted [redacted] [redacted]" in ran.output


OVER_HTTPS = """
@pytest.mark.persona("owner")
def test_an_owner_who_has_signed_in(page, preview):
    page.goto(preview.urls["platform"])
    expect(page.get_by_role("heading", name="Welcome, olga")).to_be_visible()
    names = {each["name"] for each in page.context.cookies()}
    assert {"__Secure-authjs.session-token", "__Host-authjs.csrf-token"} <= names


def test_contexts_of_the_tests_own(browser, playwright, preview):
    with browser.new_context() as context:
        assert context.new_page().goto(preview.urls["www"]).ok
    requests = playwright.request.new_context()
    assert requests.get(preview.urls["www"]).ok
    requests.dispose()
"""


def test_over_https_with_an_authority_of_ones_own_personas_and_contexts_of_the_tests_own_work(journeys):
    suite = journeys("self-signed-certificate", tests=OVER_HTTPS)
    suite.change(lambda preview: preview.update(tls={"ca_file": str(suite.platform.authority)}))

    ran = suite.run()

    assert set(ran.classes.values()) == {"passed"}, ran.output


REDEPLOYED = """
def test_that_fails_once_the_site_is_deployed_anew(page, preview):
    page.goto(preview.urls["www"])
    deadline = time.monotonic() + 60
    while not os.path.exists("go-on"):
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    expect(page.get_by_text("nothing like it")).to_be_visible(timeout=100)
"""


def test_the_deployed_system_is_told_as_it_was_when_the_test_failed(journeys):
    suite = journeys("redeployed-during-tests", tests=REDEPLOYED)

    with suite.begin() as process:
        eventually(lambda: suite.platform.call(restarted), seconds=60)
        (suite.folder / "go-on").touch()
        ran = suite.ended(process)

    report = ran.test("test_that_fails_once_the_site_is_deployed_anew").report
    # The old pods may still be there, and are told then, too.
    deployed = report.partition("deployed system at that moment:")[2].partition("\ntrace:")[0]
    assert "Application pr-7-www was deployed anew (www-" in deployed, ran.output
    assert ran.results.problems[0].failure_class == "untrusted"


def restarted(systems):
    """Whether a pod of the public site is ready that was made by its restart."""
    sets = systems.store.select(REPLICA_SET, "pr-7")
    new = [
        each for each in sets if "restartedAt" in str(each["spec"]["template"]["metadata"].get("annotations"))
    ]
    return any(each.get("status", {}).get("readyReplicas") for each in new)
