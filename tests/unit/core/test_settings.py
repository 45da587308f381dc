from pathlib import Path

import pytest

from gatehouse.core.errors import EnvironmentProblem, SettingsError, UsageError
from gatehouse.core.settings import (
    SecretSource,
    Settings,
    choose_target,
    find_settings_file,
    load_settings,
)

GOOD = """\
version: 1
default_target: dev
targets:
  dev:
    coder:
      url: https://coder.dev.example.com/
      token: {env: DEV_CODER_TOKEN}
    preview:
      application_selector: preview/pr={number}
      urls:
        www: https://www-pr-{number}.dev.example.com
      product_images: [ghcr.io/acme/*]
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "gatehouse.yaml"
        path.write_text(text)
        return path

    return write


def message(path):
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    return str(caught.value).replace(str(path), "gatehouse.yaml")


def test_a_good_file_is_loaded(write):
    settings = load_settings(write(GOOD))

    target = settings.targets["dev"]
    assert target.coder.url == "https://coder.dev.example.com"
    assert target.coder.token == SecretSource(env="DEV_CODER_TOKEN")
    assert target.preview.urls["www"] == "https://www-pr-{number}.dev.example.com"


def test_no_file_and_an_empty_file_mean_the_defaults(write):
    assert load_settings(None) == load_settings(write("")) == Settings()


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (
            ("      url:", "      ulr:"),
            6,
            ["targets.dev.coder.ulr: unknown key", "did you mean 'url'", "accepted: app,"],
        ),
        (("version: 1", "version: 2"), 1, ["version: input should be 1"]),
        (("https://coder.dev.example.com/", "coder.dev"), 6, ["https://coder.example.com", "'coder.dev'"]),
        (("https://coder.", "https://me:pw12345678@coder."), 6, ["literal secret"]),
        (
            ("{env: DEV_CODER_TOKEN}", "abcDEF0123-456789"),
            7,
            ["a literal secret is not accepted", "{env: NAME}"],
        ),
        (("{env: DEV_CODER_TOKEN}", "{env: A, file: b}"), 7, ["exactly one of"]),
        (("preview/pr={number}", "preview/pr={pr}"), 9, ["unknown placeholder {pr}"]),
        (("[ghcr.io/acme/*]", "12"), 12, ["product_images", "valid list", "found 12"]),
        (
            ("default_target: dev", "default_target: prod"),
            1,
            ["default_target is 'prod'", "targets are: dev"],
        ),
        (("  dev:\n", "  dev:\n    coder: {}\n"), 6, ["'coder' is already set at line 5"]),
        (("targets:", "targets: ["), 5, ["not valid YAML"]),
        (("ghcr.io/acme/*", "ghp_0123456789abcdefghijABCDEFGHIJ012345"), 12, ["literal secret", "revoke"]),
    ],
)
def test_a_fault_is_named_with_its_line_and_the_accepted_form(write, change, line, says):
    assert change[0] in GOOD
    text = message(write(GOOD.replace(*change, 1)))

    assert f"gatehouse.yaml:{line}" in text
    for words in says:
        assert words in text


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "\0"])
def test_what_is_not_a_mapping_is_refused(write, text):
    assert "gatehouse.yaml" in message(write(text))


def test_a_huge_or_unreadable_file_is_refused(write, tmp_path):
    assert "larger than" in message(write("#" * 2_000_000))
    assert "cannot be read" in message(tmp_path)
    assert "cannot be read" in message(tmp_path / "missing.yaml")


def test_the_file_named_by_the_environment_comes_before_the_one_in_the_folder(write):
    beside = write(GOOD)

    assert find_settings_file(beside.parent, {}) == beside
    assert find_settings_file(beside.parent, {"GATEHOUSE_CONFIG": "/x.yaml"}) == Path("/x.yaml")
    assert find_settings_file(Path("/nonexistent"), {}) is None


def test_with_nothing_configured_the_embedded_platform_is_the_target():
    assert choose_target(Settings(), None, {}) == ("embedded", None)


def test_the_option_comes_before_the_environment_before_the_file(write):
    settings = load_settings(write(GOOD.replace("targets:\n", "targets:\n  prod: {}\n")))

    assert choose_target(settings, "prod", {"GATEHOUSE_TARGET": "dev"})[0] == "prod"
    assert choose_target(settings, None, {"GATEHOUSE_TARGET": "prod"})[0] == "prod"
    assert choose_target(settings, None, {})[0] == "dev"


def test_the_only_target_is_the_default_and_several_must_be_chosen_from(write):
    one = load_settings(write("targets: {dev: {}}\n"))
    assert choose_target(one, None, {})[0] == "dev"

    two = load_settings(write("targets: {dev: {}, stage: {}}\n"))
    with pytest.raises(UsageError, match="which target is to be tested") as caught:
        choose_target(two, None, {"CODER_URL": "https://coder.example.com"})
    assert caught.value.expected == "one of: dev, stage"


def test_the_cluster_and_the_repository_of_the_environment_override_the_file(write):
    text = "targets: {dev: {kubernetes: {kubeconfig: /file}, github: {repository: a/file}}}\n"
    _, target = choose_target(
        load_settings(write(text)), None, {"KUBECONFIG": "/k", "GITHUB_REPOSITORY": "acme/shop"}
    )
    assert (str(target.kubernetes.kubeconfig), target.github.repository) == ("/k", "acme/shop")

    _, target = choose_target(load_settings(write(text)), None, {"KUBECONFIG": "/k:/l"})
    assert target.kubernetes.kubeconfig is None  # the library merges them


def test_an_environment_that_names_a_server_is_a_target_without_any_file():
    name, target = choose_target(
        Settings(),
        None,
        {
            "CODER_URL": "https://coder.example.com",
            "CODER_SESSION_TOKEN": "t",
            "ARGOCD_SERVER": "argocd.example.com",
            "KUBECONFIG": "/k",
            "GITHUB_REPOSITORY": "acme/shop",
        },
    )

    assert name == "environment"
    assert target.coder.url == "https://coder.example.com"
    assert target.argocd.server == "https://argocd.example.com"
    assert target.kubernetes is not None
    assert target.github.repository == "acme/shop"
    assert target.embedded is False


def test_the_environment_overrides_addresses_and_tokens_of_the_file(write):
    _, target = choose_target(
        load_settings(write(GOOD)), None, {"CODER_URL": "http://localhost:1", "CODER_SESSION_TOKEN": "t"}
    )

    assert target.coder.url == "http://localhost:1"
    assert target.coder.token == SecretSource(env="CODER_SESSION_TOKEN")


def test_an_unknown_target_is_refused_with_the_known_ones(write):
    with pytest.raises(UsageError, match="no target 'prd'") as caught:
        choose_target(load_settings(write(GOOD)), "prd", {})

    assert "dev, environment, embedded" in caught.value.expected


def test_an_unusable_address_in_the_environment_is_refused():
    with pytest.raises(UsageError, match="environment does not name a usable platform") as caught:
        choose_target(Settings(), None, {"CODER_URL": "ftp://x"})
    assert (
        caught.value.seen
        == "coder.url: expected an address such as https://coder.example.com, found 'ftp://x'"
    )


def test_a_secret_is_read_from_the_environment_or_a_file_and_its_absence_is_said(tmp_path):
    path = tmp_path / "token"
    path.write_text(" abc \n")

    assert SecretSource(env="T").read({"T": "xyz"}) == "xyz"
    assert SecretSource(file=path).read({}) == "abc"
    with pytest.raises(EnvironmentProblem, match="variable T is not set"):
        SecretSource(env="T").read({"T": " "})
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        SecretSource(file=tmp_path / "missing").read({})
    path.write_text("\n")
    with pytest.raises(EnvironmentProblem, match="is empty"):
        SecretSource(file=path).read({})
