import base64
import json
from datetime import UTC, datetime

import pytest

from gatehouse.argocd.token import TokenSource


def jwt(claims):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.signature"


def test_a_token_says_itself_when_it_ends():
    assert TokenSource.fixed(jwt({"exp": 1767225600})).expires_at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "token",
    [
        jwt({}),
        jwt({"exp": 0}),
        jwt({"exp": "soon"}),
        jwt([]),
        "opaque",
        "a.b.c",
        "a.!!!.c",
        jwt({"exp": 1e300}),
    ],
)
def test_a_token_that_does_not_say_when_it_ends_is_not_guessed_at(token):
    assert TokenSource.fixed(token).expires_at is None


def test_a_token_is_read_again_from_where_it_came_from():
    values = iter(["one", "one", "two"])
    source = TokenSource(lambda: next(values))

    assert (source.value, source.renew(), source.renew(), source.value) == ("one", False, True, "two")
