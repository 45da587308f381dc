import pytest

from gatehouse.coder.devcontainer import fallbacks


@pytest.mark.parametrize(
    "line",
    [
        "Failed to clone repository: authentication required",
        "Failed to clone repository for remote repo mode: x",
        "Failed to locate devcontainer.json: can't find devcontainer.json, is it a correct spec?",
        "Failed to parse devcontainer.json: line 3",
        "Failed to build: error building stage: x",
        "Falling back to the default image...",
        "No Dockerfile or image specified; falling back to the default image...",
        "Failed to run postCreateCommand: exit status 1",
        "#2: Failed to build: x",
        "  \x1b[31mFalling back to the default image...\x1b[0m ",
    ],
)
def test_what_the_builder_gives_up_on_is_found(line):
    assert len(fallbacks(["#1: Cloning", line, "ready"])) == 1


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: Failed to build installable wheels for some pyproject.toml based projects",
        "Failed to build wheel",
        "warning: Falling back to the default image viewer",
        "error: Failed to clone repository of a submodule",
        "Failed to run migrations",
        "",
    ],
)
def test_what_scripts_say_of_failures_of_their_own_is_not_taken_for_it(line):
    assert fallbacks([line]) == []
