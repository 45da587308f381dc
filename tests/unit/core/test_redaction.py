import base64
import html
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.core import redaction
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


@pytest.mark.parametrize(
    "text",
    [
        "{'a': 'opaqu...value-1'}",
        "opaque-val...",
        "...que-value-1",
        "opaque\n[… 99 characters left out …]\n-1",
    ],
)
def test_what_is_left_of_a_secret_without_its_middle_is_masked(text):
    masked = Redactor(["opaque-value-1"]).text(text)

    assert MASK in masked
    assert "opaq" not in masked
    assert "que-" not in masked


def test_texts_with_something_left_out_are_left_alone():
    text = "loading... opaque [… 9 characters left out …] f(...args) value-2..."
    assert Redactor(["opaque-value-1"]).text(text) == text


@given(st.text(alphabet='ab\\"/ é&<>+%\n', min_size=8).filter(lambda text: len(text.strip()) >= 8))
def test_a_secret_is_found_however_documents_write_it(secret):
    secret = secret.strip()
    redactor = Redactor([secret])
    for spelling in (
        json.dumps(secret),
        json.dumps(json.dumps(secret)),
        html.escape(secret),
        quote_plus(secret),
        repr(secret),
        base64.urlsafe_b64encode(b"user:" + secret.encode()).decode(),
    ):
        assert MASK in redactor.text(f"x {spelling} x")
        assert redactor.contains_known(spelling.encode())


def test_a_secret_within_a_longer_text_in_base64_is_found():
    header = base64.b64encode(b"some-user:opaque-value-1:more").decode()
    assert Redactor(["opaque-value-1"]).contains_known(header.encode())


@pytest.mark.parametrize(
    "line", ["Cookie: sid=0123456789; a=b", "  - cookie: sid=0123456789", "x-api-key: 0123456789"]
)
def test_lines_of_headers_that_carry_credentials_are_masked(line):
    masked = Redactor().text(f"GET /\n{line}\naccept: */*")

    assert "0123456789" not in masked
    assert masked.endswith(f"{MASK}\naccept: */*")


def test_what_playwright_says_that_it_typed_into_a_password_field_is_masked():
    log = (
        'Locator.fill: Timeout\nCall log:\n  - waiting for get_by_label("Password")\n'
        '  -   - locator resolved to <input disabled type="password"/>\n  -   - fill("hunter2")\n  - waiting 20ms'
    )
    assert Redactor().text(log) == log.replace("hunter2", MASK)


ALPHABET = st.sampled_from(
    [
        "bearer ",
        "BEARER ",
        "ba\u017fic ",
        "Bas\u0131c ",
        "eyJ",
        "ghp_",
        "token=",
        "?",
        "://u:",
        "@",
        "a1b2c3d4e5f6",
        ".",
        " ",
        "é",
    ]
)


@given(st.lists(ALPHABET, max_size=12).map("".join))
def test_looking_for_words_first_finds_the_same_as_trying_every_shape(text):
    slow = text
    for _, shape in redaction._SHAPES:
        slow = shape.sub(redaction._mask_group, slow)

    assert Redactor().text(text) == slow
    assert Redactor().may_hold(text) or text == slow


def test_a_secret_of_several_lines_is_found_line_by_line():
    secret = "first-line-of-it-0123\nsecond-line-of-it-456"
    assert (
        Redactor([secret]).text("E   first-line-of-it-0123\nE   second-line-of-it-456")
        == f"E   {MASK}\nE   {MASK}"
    )


@pytest.mark.parametrize(
    "text",
    ["eyJ" * 100_000, "-----BEGIN PRIVATE KEY-----\n" * 5_000, '<input type="password">fill("' * 10_000],
)
def test_texts_full_of_beginnings_of_secrets_cost_no_more_than_others(text):
    started = time.process_time()

    assert Redactor().text(text) == text
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("CODER_AGENT_TOKEN=0b4f7f6e-1111-2222", "CODER_AGENT_TOKEN=[redacted]"),
        ("export DEPLOY_API_KEY='correct horse'", "export DEPLOY_API_KEY='[redacted]'"),
        ("DATABASE_PASSWORD=/not+a=path", "DATABASE_PASSWORD=[redacted]"),
        ("SESSION_TOKEN=/run/secrets/session", "SESSION_TOKEN=/run/secrets/session"),
        ("TOKEN=$(cat file)", "TOKEN=$(cat file)"),
        ("TOKENIZERS_PARALLELISM=false-or-true", "TOKENIZERS_PARALLELISM=false-or-true"),
    ],
)
def test_of_a_dump_of_the_environment_the_values_of_secrets_are_masked(line, shown):
    assert Redactor().text(f"HOME=/home/dev\n{line}\nPWD=/tmp") == f"HOME=/home/dev\n{shown}\nPWD=/tmp"
