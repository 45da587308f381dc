import pytest

from gatehouse.core.errors import UsageError
from gatehouse.core.guardrail_settings import GuardrailSettings
from gatehouse.guardrails.profiles import find_profile


def profile(tmp_path, option=None, marker=None, variable=None, variable_name=None, **settings):
    environment = {"AMEIDE_AGENT_PROFILE": variable} if variable is not None else {}
    if variable_name:
        settings["variable"] = variable_name
    found = find_profile(
        GuardrailSettings.model_validate(settings),
        option=option,
        marker=marker,
        environment=environment,
        root=tmp_path,
    )
    return found.name, found.source, found.binding


def test_the_option_comes_before_all(tmp_path):
    assert profile(tmp_path, "sre", "code", "gitops") == ("sre", "--gate-profile", True)


def test_the_marker_at_the_base_comes_before_the_environment(tmp_path):
    assert profile(tmp_path, None, "gitops\n", "code") == (
        "gitops",
        ".ameide/agent-profile at the base",
        True,
    )


def test_the_environment_comes_before_what_the_policy_says(tmp_path):
    assert profile(tmp_path, variable="sre", default_profile="gitops") == (
        "sre",
        "AMEIDE_AGENT_PROFILE",
        True,
    )


def test_the_policy_can_name_a_profile_that_is_then_binding(tmp_path):
    name, _, binding = profile(tmp_path, default_profile="code")

    assert (name, binding) == ("code", True)


def test_without_a_name_it_is_a_guess_and_not_binding(tmp_path):
    assert profile(tmp_path) == ("code", "a guess from the folders", False)


def test_what_looks_like_a_gitops_repository_is_guessed_to_be_one(tmp_path):
    (tmp_path / "applicationsets").mkdir()
    assert profile(tmp_path)[0] == "gitops"

    (tmp_path / "services").mkdir()
    assert profile(tmp_path)[0] == "code"


@pytest.mark.parametrize("name", ["365fo", "external-executor"])
def test_the_external_executor_has_an_alias(tmp_path, name):
    assert profile(tmp_path, marker=name)[0] == "external-executor"


@pytest.mark.parametrize(
    "given", [{"option": "root"}, {"marker": "root"}, {"variable": "root"}, {"marker": " \n"}]
)
def test_a_name_that_is_no_profile_is_an_error_that_lists_them(tmp_path, given):
    with pytest.raises(UsageError, match="does not exist") as caught:
        profile(tmp_path, **given)

    assert "code, gitops, sre, external-executor, 365fo" in caught.value.expected


def test_profiles_of_ones_own_can_be_added(tmp_path):
    assert profile(tmp_path, option="data", profiles={"data": {"allowed": ["/data/"]}})[0] == "data"


def test_the_name_of_the_variable_is_a_setting(tmp_path):
    assert profile(tmp_path, variable="sre", variable_name="OTHER") == (
        "code",
        "a guess from the folders",
        False,
    )


@pytest.mark.parametrize("setting", [{"default_profile": "root"}, {"aliases": {"x": "root"}}])
def test_a_setting_that_names_no_profile_is_refused(setting):
    with pytest.raises(ValueError, match="the profiles are: code"):
        GuardrailSettings.model_validate(setting)
