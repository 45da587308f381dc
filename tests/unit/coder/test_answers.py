from datetime import UTC, datetime

import httpx
import pytest

from gatehouse.coder import errors
from gatehouse.coder.answers import problem, rate_limit_wait
from gatehouse.core import errors as core

SIGNED_OUT = "You are signed out or your session has expired. Please sign in again to continue."
ENDED = datetime(2026, 1, 1, tzinfo=UTC)


def classified(status, message="no", detail="", *, content_type="application/json", **options):
    body = httpx.Response(200, json={"message": message, "detail": detail}).text
    return problem("GET /x", status, httpx.Headers({"Content-Type": content_type}), body, **options)


@pytest.mark.parametrize(
    ("status", "message", "detail", "kind"),
    [
        (401, SIGNED_OUT, 'API key expired at "2026-01-01 00:00:00 +0000 UTC".', errors.TokenExpired),
        (401, "Could not refresh expired Oauth token.", "", errors.TokenExpired),
        (401, SIGNED_OUT, "API key is invalid.", errors.TokenUnknown),
        (401, SIGNED_OUT, "API key secret is invalid.", errors.TokenUnknown),
        (401, SIGNED_OUT, "Invalid API key format: incorrect amount of API key parts", errors.TokenUnknown),
        (401, SIGNED_OUT, 'Cookie "coder_session_token" must be provided.', core.AuthenticationError),
        (401, 'User is not active (status = "suspended").', "", core.AuthenticationError),
        (403, "Forbidden.", "", core.PermissionDenied),
        (403, "Audit Log is a Premium feature. Contact sales!", "", errors.PremiumOnly),
        (404, "Resource not found or you do not have access to this resource", "", core.NotFound),
        (404, "Route not found.", "", errors.NoSuchCall),
        (
            404,
            "Healthcheck is in progress and did not complete in time. Try again in a few seconds.",
            "",
            core.Transient,
        ),
        (409, "A workspace build is already active.", "", errors.ActiveBuild),
        (409, 'Workspace "one" already exists.', "", core.Conflict),
        (410, 'Workspace "one" was deleted.', "", errors.Gone),
        (412, "Job is not in the expected state", "", core.Conflict),
        (426, "Upgrade Required", "", errors.UpgradeRequired),
        (429, "You've been rate limited for sending too many requests!", "", core.RateLimited),
        (500, "Internal error", "", core.ServerFault),
        (503, "database is migrating", "", core.Transient),
    ],
)
def test_each_refusal_has_its_kind_and_keeps_the_servers_words(status, message, detail, kind):
    found = classified(status, message, detail)

    assert type(found) is kind
    assert message in found.seen
    assert detail in found.seen
    assert found.where == "GET /x"


def test_a_404_says_that_the_token_may_just_not_see_it():
    assert "may not see" in classified(404, "Resource not found").next_step


def test_a_suspended_user_is_told_from_a_bad_token():
    assert "activated" in classified(401, 'User is not active (status = "suspended").').next_step


def test_a_refusal_after_the_known_end_of_the_token_means_that_it_expired():
    assert isinstance(classified(401, SIGNED_OUT, token_ended=ENDED), errors.TokenExpired)
    assert "2026-01-01 00:00:00" in classified(401, SIGNED_OUT, token_ended=ENDED).summary

    unknown = classified(401, SIGNED_OUT, "API key is invalid.", token_ended=ENDED)
    assert isinstance(unknown, errors.TokenUnknown)


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 409, 410, 500])
@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/plain", ""])
def test_what_is_not_json_is_not_coders_whatever_its_status(status, content_type):
    found = classified(status, "default backend - 404", content_type=content_type)

    assert type(found) is core.UnexpectedAnswer
    assert "proxy" in found.next_step


@pytest.mark.parametrize(
    ("status", "kind"), [(429, core.RateLimited), (502, core.Transient), (504, core.Transient)]
)
def test_what_passes_by_itself_passes_whoever_says_it(status, kind):
    assert type(classified(status, content_type="text/html")) is kind


def test_a_redirect_names_its_target_without_the_query_and_that_the_token_stayed():
    headers = httpx.Headers({"Location": "https://login.example/auth?state=secret"})
    found = problem("GET /x", 307, headers, "")

    assert type(found) is errors.Redirected
    assert "https://login.example/auth" in found.seen
    assert "secret" not in str(found)
    assert "not sent" in found.next_step


@pytest.mark.parametrize(("status", "json_expected"), [(200, True), (201, True), (204, True), (200, False)])
def test_a_success_is_no_problem(status, json_expected):
    kind = "application/json" if json_expected else "application/x-tar"

    assert classified(status, content_type=kind, json_expected=json_expected) is None


DATE = {"Date": "Thu, 01 Jan 2026 00:00:20 GMT"}
RESET = {"X-RateLimit-Reset": str(int(datetime(2026, 1, 1, 0, 1, tzinfo=UTC).timestamp()))}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:50 GMT", **DATE}, 30),
        # Coder always writes its whole window into Retry-After; the rest of the window is shorter.
        ({"Retry-After": "60", **RESET, **DATE, "X-RateLimit-Limit": "512"}, 41),
        ({"Retry-After": "60", **RESET, **DATE, "X-RateLimit-Limit": "12"}, 55),
        ({**RESET, **DATE}, 43),
        # Without the server's own time its moment says nothing.
        ({**RESET}, 0),
        ({"Retry-After": "60", "X-RateLimit-Reset": "1", **DATE}, 60),
    ],
)
def test_the_wait_after_a_429_is_what_the_server_says_by_its_own_clock(headers, seconds):
    assert rate_limit_wait(httpx.Headers(headers)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "detail", ['API key expired at "2026-01-01 00:00:00 +0000 UTC".', "API key is invalid."]
)
def test_a_token_that_is_no_longer_good_says_nothing_of_the_platform(detail):
    assert classified(401, SIGNED_OUT, detail).failure_class == "environment"
