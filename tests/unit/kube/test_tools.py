import subprocess

import pytest

from gatehouse.core.smoke_settings import ToolSettings
from gatehouse.kube.tools import Outcome, has_version, outcomes, script, tool_problems


@pytest.mark.parametrize(
    ("text", "wanted", "there"),
    [
        ("Python 3.14.2", "3.14", True),
        ("Python 3.14.2", "3.1", False),
        ("3.14.2\n3.13.9", "3.13", True),
        ("git version 2.53.0", ">=2.40", True),
        ("git version 2.39.1", ">=2.40", False),
        ("git version 2.39.1", ">=2.39.1", True),
        ("go version go1.26.1 linux/amd64", "1.26", True),
        ("rg 15.1.0\nfeatures: pcre2 10.45", ">=16", False),
        ("v24.1.0", "24", True),
        ("124.1.0", "24", False),
        ("no number", ">=1", False),
    ],
)
def test_versions_are_compared_part_by_part(text, wanted, there):
    assert has_version(text, wanted) is there


def test_commands_run_one_by_one_whatever_becomes_of_the_others():
    commands = ["echo one", "exit 3", "no-such-tool-here", "cat", "printf 'a\\nb'; echo lost >&2"]

    printed = subprocess.run(
        ["sh", "-c", script(commands)], capture_output=True, text=True, timeout=30, check=True
    )

    found = outcomes(printed.stdout, len(commands))
    assert [each.exit_code for each in found] == [0, 3, 127, 0, 0]
    assert [found[0].output, found[3].output, found[4].output] == ["one", "", "a\nblost"]


def test_commands_that_were_not_reached_have_no_exit_code():
    first = outcomes("1.0\n\n--gatehouse-tool-- 0\n2.", 3)

    assert [each.exit_code for each in first] == [0, None, None]


def test_each_tool_that_is_not_as_promised_is_a_line():
    tools = {
        "git": ToolSettings(command="git --version", version=">=2.40"),
        "zig": ToolSettings(command="zig version"),
        "python": ToolSettings(command="mise ls python", version=["3.14", "3.13"]),
        "go": ToolSettings(command="go version"),
        "bun": ToolSettings(command="bun --version"),
    }
    found = {
        "git": Outcome("git version 2.39.1", 0),
        "zig": Outcome("sh: zig: not found", 127),
        "python": Outcome("3.14.2", 0),
        "go": Outcome("", None),
        "bun": Outcome("1.3", 0),
    }

    assert tool_problems(tools, found) == [
        "git: no version >=2.40: `git --version`: git version 2.39.1",
        "zig: not there: `zig version`: sh: zig: not found",
        "python: no version 3.13: `mise ls python`: 3.14.2",
        "go: nobody knows: `go version` was not reached in time",
    ]
