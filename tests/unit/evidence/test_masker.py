"""What is masked by the name it stands beside, whether anybody declared it or not."""

import base64
import json

import pytest

from gatehouse.core.redaction import MASK, Redactor
from gatehouse.evidence.masker import Masker


def masked(data):
    return json.loads(Masker(Redactor()).document(json.dumps(data)))


@pytest.mark.parametrize(
    "name", ["Authorization", "cookie", "Set-Cookie", "Proxy-Authorization", "x-api-key", "X-Auth-Token"]
)
def test_values_of_headers_that_carry_credentials_are_masked(name):
    assert masked({"headers": [{"name": name, "value": "opaque"}]}) == {
        "headers": [{"name": name, "value": MASK}]
    }


def test_other_headers_are_left_alone():
    data = {"headers": [{"name": "Accept", "value": "text/html"}, {"name": "Host", "value": "shop"}]}
    assert masked(data) == data


def test_cookies_are_masked_whatever_they_are_called_and_keep_their_attributes():
    cookie = {"name": "theme", "value": "dark", "path": "/", "httpOnly": True}
    assert masked({"cookies": [cookie]}) == {"cookies": [{**cookie, "value": MASK}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h/?a=1&access_token=x&b=2", f"https://h/?a=1&access_token={MASK}&b=2"),
        ("user=bob&password=x%20y&go=1", f"user=bob&password={MASK}&go=1"),
        ("password=x", f"password={MASK}"),
        ("user%5Bpassword%5D=x&go=1", f"user%5Bpassword%5D={MASK}&go=1"),
        ('{"password":"x"}', f'{{"password":"{MASK}"}}'),
        ('{"body":"{\\"password\\":\\"x\\"}"}', f'{{"body":"{{\\"password\\":\\"{MASK}\\"}}"}}'),
        ('answered {"password": "x"} at once', f'answered {{"password": "{MASK}"}} at once'),
        ("sent {'password': 'x'}", f"sent {{'password': '{MASK}'}}"),
        (
            'form-data; name="password"\r\n\r\nx\r\n--boundary',
            f'form-data; name="password"\r\n\r\n{MASK}\r\n--boundary',
        ),
    ],
)
def test_fields_in_texts_are_masked_by_name(text, expected):
    assert masked({"text": text}) == {"text": expected}


@pytest.mark.parametrize(
    "text",
    [
        "if (a&&token=b) return",
        "https://h/?page=2&sort=name",
        "the password: forgotten",
        '{"passwordless": "yes", "tokens": 3}',
        "password == other",
    ],
)
def test_texts_that_only_speak_of_secrets_are_left_alone(text):
    assert masked({"text": text}) == {"text": text}


def test_bodies_in_base64_are_masked_as_what_they_are():
    body = base64.b64encode(b'{"password": "opaque", "n": 1}').decode()
    content = masked({"content": {"encoding": "base64", "text": body}})["content"]["text"]
    assert json.loads(base64.b64decode(content)) == {"password": MASK, "n": 1}


@pytest.mark.parametrize(
    "selector", ['internal:label="Password"i', "input[type=password]", "#passwd", 'internal:label="API key"i']
)
@pytest.mark.parametrize("parameter", ["value", "text"])
def test_what_is_typed_into_a_field_for_passwords_is_masked(selector, parameter):
    call = {"type": "before", "callId": "call@1", "method": "fill"}
    parameters = masked({**call, "params": {"selector": selector, parameter: "abc"}})["params"]
    assert parameters == {"selector": selector, parameter: MASK}


def test_what_is_logged_of_a_call_that_typed_a_password_is_masked():
    masker = Masker(Redactor())
    params = {"selector": "input[type=password]", "value": "abc"}
    masker.document(json.dumps({"type": "before", "callId": "call@1", "params": params}))

    line = json.dumps({"type": "log", "callId": "call@1", "message": '  fill("abc")'})
    assert masker.may_hold(line)
    assert json.loads(masker.document(line))["message"] == f'  fill("{MASK}")'


def test_what_is_typed_elsewhere_is_left_alone():
    call = {"type": "before", "callId": "call@1", "params": {"selector": "#user", "value": "bob"}}
    assert masked(call) == call


def test_values_of_password_fields_in_a_snapshot_are_masked():
    page = ["FORM", {}, ["INPUT", {"__playwright_value_": "abc", "type": "password"}]]
    assert masked({"html": page})["html"][2][1] == {"__playwright_value_": MASK, "type": "password"}


def test_masking_twice_changes_nothing_more():
    data = {
        "headers": [{"name": "Cookie", "value": "opaque"}],
        "url": "https://h/?token=opaque&x=1",
        "text": 'got {"password": "x"}\ncookie: a=b; opaque=1\nBearer abcdefghijkl',
    }
    once = masked(data)
    assert masked(once) == once


def test_a_number_that_is_a_known_secret_is_masked():
    text = Masker(Redactor(["4711471147"])).document('{"pin": 4711471147, "n": 4711}')
    assert json.loads(text) == {"pin": MASK, "n": 4711}
