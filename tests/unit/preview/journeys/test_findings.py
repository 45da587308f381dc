import json

import pytest

from gatehouse.preview.journeys.findings import LIMIT, SHOWN, Journey, is_foreign, origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://shop.example.com/a?b#c", "https://shop.example.com"),
        ("HTTPS://Shop.Example.COM/a", "https://shop.example.com"),
        ("https://shop.example.com:443/", "https://shop.example.com"),
        ("http://shop.example.com:80", "http://shop.example.com"),
        ("http://shop.example.com:443/", "http://shop.example.com:443"),
        ("https://shop.example.com:8443/", "https://shop.example.com:8443"),
        ("https://user:secret@shop.example.com/", "https://shop.example.com"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example"),
        ("https://xn--mnchen-3ya.example/", "https://xn--mnchen-3ya.example"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://shop.example.com:99999/", "http://shop.example.com"),
        ("about:blank", ""),
        ("about:srcdoc", ""),
        ("blob:https://shop.example.com/5f1c", ""),
        ("data:text/html,hello", ""),
        ("chrome-error://chromewebdata/", ""),
        ("CHROME://settings", ""),
        ("file:///tmp/report.html", ""),
        ("javascript:void(0)", ""),
        ("", ""),
        ("/a/path/only", ""),
        ("http://[not-an-address/", ""),
    ],
)
def test_origins_are_those_that_browsers_compare(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("url", "foreign"),
    [
        ("https://shop.example.com/login", False),
        ("https://SHOP.example.com:443/login", False),
        ("http://shop.example.com/", True),
        ("https://shop.example.com:8443/", True),
        ("https://shop.example.com.evil.example/", True),
        ("https://example.com/", True),
        ("about:blank", False),
        ("chrome-error://chromewebdata/", False),
        ("blob:https://evil.example/1", False),
    ],
)
def test_a_page_is_foreign_unless_its_whole_origin_is_allowed(url, foreign):
    assert is_foreign(url, {"https://shop.example.com"}) is foreign


def test_of_each_kind_so_many_findings_are_kept_and_each_only_so_long():
    journey = Journey()
    for number in range(LIMIT + 5):
        journey.add_console("error", f"{number} {'x' * SHOWN}", "y" * (SHOWN + 1))
        journey.add_answer("GET", f"http://shop/{number}/{'x' * SHOWN}", 500)
        journey.add_page(f"http://evil/{number}/{'x' * SHOWN}", ())

    assert len(journey.console) == len(journey.requests) == len(journey.left) == LIMIT
    texts = [journey.console[0]["text"], journey.console[0]["location"], journey.requests[0]["url"]]
    assert {len(each) for each in [*texts, journey.left[0]]} == {SHOWN}
    assert journey.console[0]["text"].startswith("0 ")


def test_answers_and_failures_share_one_limit():
    journey = Journey()
    for _ in range(LIMIT):
        journey.add_answer("GET", "http://shop/", 404)
    journey.add_failure("GET", "http://shop/", "net::ERR_CONNECTION_RESET")

    assert len(journey.requests) == LIMIT


def test_what_a_page_itself_gave_up_is_no_failure():
    journey = Journey()
    journey.add_failure("GET", "http://shop/a", "net::ERR_ABORTED")
    journey.add_failure("GET", "http://shop/b", "NS_BINDING_ABORTED")
    journey.add_failure("POST", "http://shop/c", "net::ERR_CONNECTION_RESET")

    assert journey.requests == [
        {"method": "POST", "url": "http://shop/c", "failure": "net::ERR_CONNECTION_RESET"}
    ]


def test_findings_travel_as_json_and_what_a_newer_version_adds_is_passed_over():
    journey = Journey(trace_id="1", console=[{"type": "error", "text": "a", "location": ""}], crashed=True)

    data = json.loads(json.dumps(journey.as_data())) | {"of_tomorrow": 1}

    assert Journey.from_data(data) == journey
    assert Journey.from_data({}) == Journey()


def test_two_journeys_share_nothing():
    one, other = Journey(), Journey()
    one.add_console("error", "a")

    assert other.console == []
