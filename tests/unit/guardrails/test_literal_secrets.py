import io
import tarfile

import pytest

from gatehouse.core.guardrail_settings import GuardrailSettings
from gatehouse.guardrails.literal_secrets import secrets_in_archive, secrets_in_variables
from gatehouse.guardrails.workspace_contract import contract_violations

TOKEN = "ghp_" + "k3J9sD7fQ2mZ8xW5vB1nL6cR4tY0hG3pA9eU"

DEVCONTAINER, INSTRUCTIONS, MARKER = (
    ".devcontainer/coder/devcontainer.json",
    "AGENTS.md",
    ".ameide/agent-profile",
)


def archive(**files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for name, text in files.items():
            entry = tarfile.TarInfo(name.replace("__", "."))
            entry.size = len(text)
            made.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_a_secret_in_a_variable_is_told_by_name_and_kind_and_never_by_value():
    (found,) = secrets_in_variables([("GITHUB_TOKEN", TOKEN), ("HOME", "/root")])

    assert found == "GITHUB_TOKEN holds a token of GitHub"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://coder:s3cr3t-9f8a7b@db/coder"),
        ("API_KEY", "f81d4fae7dec11d0a76500a0c91e6bf6"),
        ("SSH_PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n"),
    ],
)
def test_passwords_in_addresses_random_values_and_keys_are_secrets(name, value):
    assert len(secrets_in_variables([(name, value)])) == 1


def test_plain_values_are_no_secrets():
    plain = [
        ("TOKEN_FILE", "/run/secrets/token"),
        ("API_KEY", "changeme"),
        ("URL", "https://example.com/a?b=c"),
    ]

    assert secrets_in_variables(plain) == []


def test_a_secret_in_a_templates_source_is_told_by_file_and_line():
    source = archive(main__tf=f'variable "x" {{}}\nlocals {{ t = "{TOKEN}" }}\n', README__md="plain")

    assert secrets_in_archive(source) == ["main.tf:2: a token of GitHub"]


def test_what_is_no_archive_is_an_error():
    with pytest.raises(ValueError, match="no tar archive"):
        secrets_in_archive(b"<html>sign in</html>")


def violations(root="/workspaces/code/repo", **files):
    named = {
        DEVCONTAINER: '{"image": "base"}',
        INSTRUCTIONS: None,
        f"../{INSTRUCTIONS}": "Work in repo/.",
        MARKER: None,
        **files,
    }
    return contract_violations(GuardrailSettings(), root, named)


def test_a_checkout_in_the_layout_of_its_profile_keeps_the_contract():
    assert violations() == []


def test_a_checkout_without_instructions_beside_it_is_told():
    (found,) = violations(**{f"../{INSTRUCTIONS}": None})

    assert "no instructions for agents beside repo/" in str(found)


def test_a_checkout_in_the_folder_of_another_profile_than_its_marker_names_is_told():
    (found,) = violations(root="/workspaces/gitops/repo", **{MARKER: "code\n"})

    assert "in the folder of the profile gitops" in str(found)


def test_a_devcontainer_that_needs_docker_is_told():
    (found,) = violations(**{DEVCONTAINER: '{"mounts": ["source=/var/run/docker.sock"]}'})

    assert "docker.sock" in str(found)


def test_a_checkout_that_is_not_the_platforms_is_not_judged():
    assert violations(**{DEVCONTAINER: None}) is None
