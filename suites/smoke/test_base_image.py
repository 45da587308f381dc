"""The image of workspaces has the tools that are promised, and they work without a human step."""

import pytest

from gatehouse.core.problems import require_none
from gatehouse.kube.tools import outcomes, script, tool_problems


def test_every_tool_is_there_in_the_version_that_is_promised(run_in_workspace, smoke_settings, evidence):
    settings = smoke_settings.base_image
    if not settings.tools:
        pytest.skip("not configured: no tool of the base image is declared (smoke.base_image.tools)")
    commands = [tool.command for tool in settings.tools.values()]
    result = run_in_workspace(["sh", "-c", script(commands)], settings.timeout_seconds)
    found = dict(
        zip(settings.tools, outcomes(result.stdout.decode(errors="replace"), len(commands)), strict=True)
    )
    evidence.attach("tools.json", {name: vars(each) for name, each in found.items()})

    require_none(tool_problems(settings.tools, found))


def test_tools_are_signed_in_without_a_human_step(run_in_workspace, smoke_settings):
    commands = smoke_settings.workspace.authenticated
    if not commands:
        pytest.skip("not configured: no command shows who is signed in (smoke.workspace.authenticated)")
    result = run_in_workspace(["sh", "-c", script(commands)])
    found = outcomes(result.stdout.decode(errors="replace"), len(commands))

    require_none(
        [
            f"{command} ended with {each.exit_code}: {each.words}"
            for command, each in zip(commands, found, strict=True)
            if each.exit_code != 0
        ]
    )
