import json

import pytest

from gatehouse.core import errors
from gatehouse.core.answers import SHOWN, failure, server_words


def classified(status, body="{}", content_type="application/json", **arguments):
    return failure("Coder", "GET /x", status, content_type, body, **arguments)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_json_success_is_no_failure(status):
    assert classified(status) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.UsageError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (410, errors.NotFound),
        (412, errors.Conflict),
        (415, errors.UsageError),
        (429, errors.RateLimited),
        (500, errors.ServerFault),
        (418, errors.InfrastructureError),
        (502, errors.Transient),
        (503, errors.Transient),
        (504, errors.Transient),
    ],
)
def test_each_status_has_its_class(status, kind):
    assert type(classified(status)) is kind


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404])
def test_html_means_that_somebody_else_answered_whatever_the_status(status):
    error = classified(status, "<html><title>Sign in</title>", "text/html; charset=utf-8")

    assert type(error) is errors.UnexpectedAnswer
    assert "Sign in" in error.seen
    assert "proxy" in error.next_step


def test_an_empty_answer_with_status_200_is_not_a_success():
    assert type(classified(200, "", "")) is errors.UnexpectedAnswer


def test_a_gateways_html_error_is_still_transient():
    assert type(classified(502, "<html>Bad Gateway</html>", "text/html")) is errors.Transient


def test_a_rate_limit_says_when_to_try_again():
    assert "try again in 17 s" in str(classified(429, retry_after="17"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "no", "detail": "really"}, "no; really"),
        ({"message": "bad", "validations": [{"field": "name", "detail": "too long"}]}, "bad; name: too long"),
        ({"error": {"grpc_code": 7, "message": "permission denied"}}, "permission denied"),
        ({"kind": "Status", "message": 'pods "x" not found'}, 'pods "x" not found'),
        ({"message": None}, '{"message": null}'),
    ],
)
def test_the_servers_own_words_are_found_in_every_shape_of_error(body, words):
    assert server_words(json.dumps(body)) == words


def test_text_is_quoted_on_one_line_and_cut():
    assert server_words("a\n  b\tc") == "a b c"
    assert len(server_words("x" * 10_000)) == SHOWN + 1
