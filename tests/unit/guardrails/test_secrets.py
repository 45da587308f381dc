import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.guardrails.rules import secrets
from gatehouse.guardrails.secret_shapes import looks_random
from tests.support.guard_rails import case, diff, told

# Put together here, so that no line of this file holds one.
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
KEY = f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{BODY}\n-----END RSA PRIVATE KEY-----\n"
RANDOM = "q8Zr2LwV7nKp4TgXc1Ys9DfH"
CERTAIN = {
    "private key": KEY,
    "private key in one line": KEY.replace("\n", "\\n"),
    "GitHub": "ghp" + "_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "GitHub fine": "github" + "_pat_11Q8ZR2LW0vKnPtGxCyDfH_mNoPqRsTuVwXyZ9274098365kTgXcYsDfHqZrLwVnKpBm",
    "GitLab": "glpat" + "-a1B2c3D4e5F6g7H8i9J0",
    "AWS": "AK" + "IAQ3EGR7TZ5LPMW2XK",
    "Slack": "xoxb" + "-2938475610-a9b8c7d6e5f4g3h2",
    "Stripe": "sk" + "_live_a9B8c7D6e5F4g3H2i1J0k9L8",
    "Google": "AI" + "zaSyB9c8d7e6f5g4h3i2j1k0l9m8n7o6p5q4r",
    "Azure": "AccountKey=" + "a9B8c7D6e5F4g3H2i1J0" * 4 + "kTgXcY==",
    "Vault": "hvs" + ".CAESIJ9a8B7c6D5e4F3g2H1i0J",
}


def found(text, path="services/a.py", old="", **settings):
    return told(secrets, case(diff(path, old, text), **settings))


@pytest.mark.parametrize("text", CERTAIN.values(), ids=CERTAIN)
def test_what_leaves_no_doubt_is_red_for_everybody(text):
    assert found(f"first\n{text}\n") == [("new-secret", "services/a.py", 2, "everybody")]


@pytest.mark.parametrize("text", CERTAIN.values(), ids=CERTAIN)
@pytest.mark.parametrize("path", ["services/tests/a.py", "pkg/testdata/key.pem", "a_test.go", "README.md"])
def test_among_test_data_it_is_red_only_for_named_profiles(text, path):
    assert [weight for *_, weight in found(text, path)] == ["profiles"]


@pytest.mark.parametrize(
    ("path", "text", "weight"),
    [
        ("a.py", f'API_TOKEN = "{RANDOM}"', "profiles"),
        ("a.json", f'{{"clientSecret": "{RANDOM}"}}', "profiles"),
        ("values.yaml", f"  password: {RANDOM}", "profiles"),
        (".env", f"GITHUB_TOKEN={RANDOM}", "profiles"),
        ("a.go", f'apiKey := "{RANDOM}"', "profiles"),
        ("a.py", f'URL = "postgres://shop:{RANDOM}@db/shop"', "profiles"),
        ("tests/a.py", f'API_TOKEN = "{RANDOM}"', "nobody"),
    ],
)
def test_a_random_value_beside_the_name_of_a_secret_is_red_for_named_profiles(path, text, weight):
    assert [each for *_, each in found(text, path)] == [weight]


@pytest.mark.parametrize(
    "text",
    [
        'token = "<your token here>"',
        'token = "${GITHUB_TOKEN}"',
        'token = os.environ["GITHUB_TOKEN"]',
        'password = "changeme-changeme-1"',
        'password = "correct-horse-battery-staple"',
        'secret_name = "coder-cli-auth-2"',
        "token: a-name-of-a-secret-object",
        'token_file = "/var/run/secrets/token1"',
        'API_KEY = "example-1234567890abcdefgh"',
        f'checksum = "{RANDOM}"',
        "if '-----BEGIN RSA PRIVATE " + "KEY-----' in text:",
        "token = ghp_short",
        "ghp" + "_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AK" + "IAIOSFODNN7EXAMPLE",
        "http://user:pass@host/",
        "token = token_of(persona, realm_of_shop2)",
        f"token = {RANDOM}",
    ],
)
def test_what_only_speaks_of_secrets_is_no_violation(text):
    assert found(text) == []


def test_only_added_lines_count():
    text = f"x\n{CERTAIN['GitHub']}\n"

    assert found(text + "y\n", old=text) == []
    assert found("y\n" + text, old=text) == []


def test_a_second_copy_of_a_secret_is_an_addition():
    text = f"{CERTAIN['GitHub']}\n"

    assert len(found(text + text, old=text)) == 1


def test_a_secret_that_is_only_staged_is_found():
    given = case(diff("a.py", "", "", staged=CERTAIN["GitHub"]))

    assert len(told(secrets, given)) == 1


def test_a_line_that_says_it_is_none_is_a_note():
    assert [weight for *_, weight in found(f"{CERTAIN['GitHub']}  # gatehouse: not a secret")] == ["nobody"]


def test_files_can_be_left_out():
    assert found(CERTAIN["GitHub"], secrets={"ignored_files": ["a.py"]}) == []


def test_binary_files_are_not_searched():
    assert found("\0" + CERTAIN["GitHub"]) == []


def test_a_file_full_of_secrets_is_told_in_a_few_lines():
    assert len(found(f"{CERTAIN['GitHub']}\n" * 100)) == 5


@pytest.mark.parametrize("text", CERTAIN.values(), ids=CERTAIN)
def test_the_value_is_never_shown(text):
    (violation,) = secrets.check(case(diff("a.py", "", text)))

    values = [part for part in text.split() if len(part) > 15]
    assert not [part for part in values if part in f"{violation} {violation.next_step}"]


@given(st.text(alphabet=string.ascii_lowercase + "-_ ", max_size=80))
def test_words_are_never_random(text):
    assert not looks_random(text)


@given(st.text(max_size=300))
def test_any_text_can_be_searched(text):
    told(secrets, case(diff("a.yaml", "", text)))
