import base64

import pytest

from gatehouse.core.errors import EnvironmentProblem, PermissionDenied
from gatehouse.core.journey_settings import PersonaSettings
from gatehouse.preview.personas.credentials import CredentialReader, Credentials

KEYS = {"username": "OWNER_USERNAME", "password": "OWNER_PASSWORD"}


def settings(kind, **where):
    if kind == "secret":
        key = {"namespace": "shop-pr-{number}", "name": "personas"}
        return PersonaSettings.model_validate({part: {"secret": {**key, "key": KEYS[part]}} for part in KEYS})
    return PersonaSettings.model_validate({part: {kind: where.get(part, KEYS[part])} for part in KEYS})


def encoded(**values):
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


def reader(read_secret=None, **environment):
    return CredentialReader(7, "c" * 40, read_secret, environment)


def refusal(reader, persona):
    with pytest.raises(EnvironmentProblem) as caught:
        reader.read("owner", persona)
    return caught.value


def test_credentials_come_from_variables():
    found = reader(OWNER_USERNAME="olga", OWNER_PASSWORD=" planted \n").read("owner", settings("env"))

    assert found == Credentials("olga", "planted")


def test_credentials_come_from_files(tmp_path):
    for name, text in (("user", "olga\n"), ("pass", "pl änted\n")):
        (tmp_path / name).write_text(text)

    found = reader().read("owner", settings("file", username=tmp_path / "user", password=tmp_path / "pass"))

    assert found == Credentials("olga", "pl änted")


def test_credentials_come_from_a_secret_in_the_pull_requests_namespace():
    asked = []

    def read(name, namespace):
        asked.append((name, namespace))
        return encoded(OWNER_USERNAME="olga", OWNER_PASSWORD="pl änted\n")

    assert reader(read).read("owner", settings("secret")) == Credentials("olga", "pl änted")
    assert set(asked) == {("personas", "shop-pr-7")}


def test_a_password_is_not_shown_when_it_is_printed():
    assert "planted" not in f"{Credentials('olga', 'planted')!r}"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (
            {},
            "the user name of the persona owner is not there: the environment variable OWNER_USERNAME is not set",
        ),
        (
            {"OWNER_USERNAME": "olga", "OWNER_PASSWORD": "  "},
            "the password of the persona owner is not there: the environment variable OWNER_PASSWORD is not set",
        ),
    ],
)
def test_a_variable_that_is_missing_or_empty_is_named(environment, words):
    error = refusal(reader(**environment), settings("env"))

    assert error.summary == words
    assert error.next_step.startswith("export OWNER_")


def test_a_file_that_is_missing_or_empty_is_named(tmp_path):
    missing = settings("file", username=tmp_path / "missing", password=tmp_path / "empty")
    assert "missing cannot be read" in refusal(reader(), missing).summary

    (tmp_path / "missing").write_text("olga")
    (tmp_path / "empty").write_text("")
    assert refusal(reader(), missing).summary.startswith(
        "the password of the persona owner is not there: the token file"
    )


def test_a_target_without_a_cluster_cannot_read_a_secret():
    error = refusal(reader(), settings("secret"))

    assert "the target has no kubernetes section" in error.summary
    assert error.where == "Secret shop-pr-7/personas, key OWNER_USERNAME"
    assert "kubernetes section" in error.next_step


def test_a_secret_that_may_not_be_read_says_why():
    def forbidden(_name, _namespace):
        raise PermissionDenied("secrets is forbidden", seen="User gatehouse cannot get")

    error = refusal(reader(forbidden), settings("secret"))

    assert error.summary == "the user name of the persona owner cannot be read: secrets is forbidden"
    assert (error.seen, bool(error.next_step)) == ("User gatehouse cannot get", True)


@pytest.mark.parametrize(
    ("secret", "seen"),
    [
        (None, "no such Secret"),
        ({}, "no such Secret"),
        ({"metadata": {}}, "a Secret with the keys none"),
        ({"data": None, "metadata": {}}, "a Secret with the keys none"),
        (encoded(OTHER="1", ANOTHER="2"), "a Secret with the keys ANOTHER, OTHER"),
        ({"data": {"OWNER_USERNAME": ""}}, "a Secret with the keys OWNER_USERNAME"),
    ],
)
def test_a_secret_or_a_key_that_is_missing_is_said_with_what_there_is(secret, seen):
    error = refusal(reader(lambda *_: secret), settings("secret"))

    assert (error.summary, error.seen) == ("the user name of the persona owner is not there", seen)


@pytest.mark.parametrize("value", ["not base64!", "YQ", base64.b64encode(b"\xff\xfe\x00").decode()])
def test_a_value_that_is_no_text_in_base64_is_said_without_quoting_it(value):
    error = refusal(reader(lambda *_: {"data": {"OWNER_USERNAME": value}}), settings("secret"))

    assert error.summary.startswith("the user name of the persona owner is not readable")
    assert value not in f"{error}"


def test_a_value_of_blanks_is_empty():
    error = refusal(reader(lambda *_: encoded(OWNER_USERNAME=" \n")), settings("secret"))

    assert error.summary == "the user name of the persona owner is empty"
