"""How requests are sent: repeated where that is safe, and never where it is not."""

import httpx
import pytest

from gatehouse.coder.errors import LostAnswer, Redirected, TokenExpired
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import RateLimited, Transient, UnexpectedAnswer, WaitTimeout
from gatehouse.core.waiting import wait_until
from tests.support.coder_server import BUILD, TOKEN, USER, WORKSPACE, Routes, asking, client, error, ok

LIMITED = "You've been rate limited for sending too many requests!"


def limited(seconds):
    return error(429, LIMITED, headers={"Retry-After": str(seconds)})


def test_a_read_waits_as_long_as_a_rate_limit_asks_and_then_goes_on():
    coder, server, clock = client(limited(40), ok(USER))

    assert coder.me().username == "bot"
    assert clock.sleeps == [40]
    assert len(server.requests) == 2


def test_a_rate_limit_that_lasts_longer_than_there_is_time_is_an_error_at_once():
    coder, server, clock = client(limited(40), rate_limit_budget=30)

    with pytest.raises(RateLimited, match="try again in 40 s") as caught:
        coder.me()
    assert (caught.value.retry_after, clock.elapsed, len(server.requests)) == (40, 0, 1)
    assert LIMITED in caught.value.seen


def test_a_limit_that_never_ends_is_an_error_within_the_budget():
    coder, _, clock = client(limited(20))

    with pytest.raises(RateLimited):
        coder.me()
    assert clock.elapsed <= 75


def test_a_change_refused_for_its_number_is_sent_again_after_the_wait():
    routes = Routes(
        {
            "GET /api/v2/users/me": ok(USER),
            "POST /api/v2/users/me/workspaces": [limited(5), ok(WORKSPACE, 201)],
        }
    )
    coder, clock = asking(routes)

    assert coder.create_workspace("one", template_version_id="v").id == "w"
    assert len(routes.sent("POST")) == 2
    assert clock.sleeps == [5]


def test_a_wait_leaves_the_server_alone_for_as_long_as_it_asks():
    coder, server, clock = client(limited(20), ok(USER), rate_limit_budget=0)

    wait_until(
        coder.me, what="user", ready=lambda _user: True, deadline=Deadline.after(60, clock), interval=0.1
    )
    assert clock.elapsed == 20
    assert len(server.requests) == 2


def test_a_wait_that_a_rate_limit_outlasts_ends_at_its_deadline():
    coder, _, clock = client(limited(20), rate_limit_budget=0)

    with pytest.raises(WaitTimeout, match="limits the rate"):
        wait_until(
            coder.me, what="user", ready=lambda _user: True, deadline=Deadline.after(5, clock), interval=0.1
        )
    assert clock.elapsed == 5


def test_a_wait_bounds_what_its_calls_wait_for_themselves():
    coder, server, clock = client(limited(20), error(503))
    with coder.within(Deadline.after(10, clock)):
        with pytest.raises(RateLimited):
            coder.me()
        assert (clock.elapsed, len(server.requests)) == (0, 1)
        with pytest.raises(Transient):
            coder.me()
        assert clock.elapsed <= 10

    with pytest.raises(Transient):
        coder.me()
    assert clock.elapsed > 30


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "http://coder/login"])
def test_a_redirect_is_not_followed(target):
    coder, server, _ = client(httpx.Response(307, headers={"Location": target}), ok(USER))

    with pytest.raises(Redirected):
        coder.me()
    assert [str(request.url) for request in server.requests] == ["http://coder/api/v2/users/me"]


def test_the_token_is_taken_out_of_what_a_server_repeats():
    coder, _, _ = client(error(400, f"bad header {TOKEN}"))

    with pytest.raises(Exception, match="understand") as caught:
        coder.me()
    assert TOKEN not in str(caught.value)
    assert "[token]" in caught.value.seen


def test_a_token_whose_end_was_asked_for_is_later_said_to_have_expired():
    routes = Routes(
        {
            f"GET /api/v2/users/me/keys/{TOKEN[:10]}": ok({"id": "k", "expires_at": "2026-01-01T01:00:00Z"}),
            "GET /api/v2/users/me": error(401, "Nobody is signed in."),
        }
    )
    coder, clock = asking(routes)
    assert coder.token_seconds_left() == 3600

    clock.elapsed = 3601
    with pytest.raises(TokenExpired, match="2026-01-01 01:00:00"):
        coder.me()


def test_commands_and_queries_stay_out_of_messages():
    coder, _, _ = client(error(400))

    with pytest.raises(Exception, match="understand") as caught:
        coder.workspaces("owner:me secret")
    assert caught.value.where == "GET /api/v2/workspaces"
    assert "secret" not in str(caught.value)


def test_an_answer_that_cannot_be_decoded_is_no_answer():
    coder, _, _ = client(httpx.DecodingError("incorrect header check"))

    with pytest.raises(LostAnswer):
        coder.set_ttl("w", 60)


def test_cookies_that_an_app_sets_are_not_sent_with_other_calls():
    agent = {"id": "a", "name": "main", "status": "connected", "lifecycle_state": "ready"}
    running = {**WORKSPACE, "latest_build": {**BUILD, "resources": [{"agents": [agent]}]}}
    page = httpx.Response(200, text="page", headers={"Set-Cookie": "coder_session_token=other; Path=/"})
    coder, server, _ = client(ok(running), page, ok(USER))
    workspace = coder.workspace("w")

    assert coder.app(workspace, "editor").text == "page"
    coder.me()
    assert "Cookie" not in server.requests[-1].headers


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]"])
def test_an_answer_that_cannot_be_coders_says_what_was_expected(body):
    kind = "application/json" if body in (b"{}", b"[]") else "text/html"
    coder, _, _ = client(httpx.Response(200, content=body, headers={"Content-Type": kind}))

    with pytest.raises(UnexpectedAnswer) as caught:
        coder.build_info()
    assert caught.value.expected
    assert caught.value.where == "GET /api/v2/buildinfo"


def test_a_limit_that_has_outlasted_one_budget_is_not_waited_for_again_until_somebody_is_let_through():
    coder, server, clock = client(*[limited(30)] * 4, ok(USER), limited(10), ok(USER))
    with pytest.raises(RateLimited):
        coder.me()
    waited = clock.elapsed
    with pytest.raises(RateLimited):
        coder.me()

    assert clock.elapsed == waited == 60
    coder.me()
    coder.me()
    assert clock.elapsed == waited + 10
    assert len(server.requests) == 7
