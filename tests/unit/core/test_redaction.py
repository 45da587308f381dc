import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.core.redaction import MASK, Redactor


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef0123456789",
        "token ghs_1234567_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "https://host/api?coder_session_token=abcDEF0123-456789abcdefghijklmnop&x=1",
        "Coder-Session-Token: abcDEF0123-456789abcdefghijklmnop",
        "postgres://user:hunter2hunter2@db/coder",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
    ],
)
def test_text_in_the_shape_of_a_secret_is_masked_without_knowing_it(text):
    redacted = Redactor().text(text)

    assert MASK in redacted
    for secret in (
        "abcdef0123456789",
        "ghs_1234567",
        "c2lnbmF0dXJl",
        "ghp_0123",
        "456789abcdef",
        "hunter2",
        "MIIE",
    ):
        assert secret not in redacted


@pytest.mark.parametrize(
    "text",
    ["the task failed", "commit 4a99876a038661a1c0ffee", "GET /api/v2/users/me 200", "token: missing", ""],
)
def test_ordinary_text_is_left_alone(text):
    assert Redactor().text(text) == text


@given(st.text(min_size=8).filter(lambda text: len(text.strip()) >= 8), st.text(), st.text())
def test_a_known_secret_is_never_left_in_any_encoding(secret, before, after):
    secret = secret.strip()
    redactor = Redactor([secret])

    for encoded in (
        secret,
        quote(secret, safe=""),
        base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode(),
    ):
        assert encoded.rstrip("=") not in redactor.text(before + encoded + after).replace(MASK, "\0")


def test_values_of_variables_named_as_secrets_are_known_but_paths_are_not():
    redactor = Redactor.from_environment(
        {
            "GITHUB_TOKEN": "opaque-value-1",
            "CI_TOKEN_FILE": "opaque-value-2",
            "API_TOKEN": "/run/secrets/token",
            "HOME": "/root",
        }
    )

    assert redactor.text("opaque-value-1 opaque-value-2 /run/secrets/token") == (
        f"{MASK} opaque-value-2 /run/secrets/token"
    )


def test_structured_data_is_masked_by_key_and_by_value():
    data = {
        "session_token": "short",
        "secretName": "gh-auth",
        "items": [{"url": "http://u:longpassword@h"}],
        "n": 3,
    }

    assert Redactor().data(data) == {
        "session_token": MASK,
        "secretName": "gh-auth",
        "items": [{"url": f"http://u:{MASK}@h"}],
        "n": 3,
    }
