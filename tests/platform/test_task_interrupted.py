"""The task suite is interrupted while a command runs: its verdict is kept, and what it made is deleted or told."""

import pytest

from tests.platform.conftest import eventually
from tests.platform.interruptible import InterruptibleSuite, living, stick

TASKS = "suites/task/test_defined_tasks.py"
DEFINITION = "template: task\nchannel: exec\ncommand: echo begun > begun.txt; sleep 300\n"


@pytest.fixture
def suite(start, tmp_path):
    """A run of one task whose command is under way."""
    platform = start()
    definition = tmp_path / "long.task.yaml"
    definition.write_text(DEFINITION)
    suite = InterruptibleSuite(platform, tmp_path, TASKS, f"--gate-task={definition}", suite="task")
    suite.made()
    eventually(lambda: command_runs(platform), seconds=60)
    suite.platform = platform
    return suite


def command_runs(platform):
    """Whether the command has left its file on a volume."""
    return platform.call(lambda systems: list(systems.kubelet.volume_folder("").glob("**/begun.txt")))


@pytest.mark.parametrize("how", ["press_ctrl_c", "terminate"], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_task_is_deleted_and_leaves_an_honest_bundle(suite, how):
    getattr(suite, how)()
    suite.end()

    assert suite.exit_code == 2, suite.output
    assert "task: interrupted" in suite.output
    assert living(suite.platform) == []
    assert suite.outstanding() == []
    assert suite.manifest["exit_status"] == 2
    assert "passed" not in suite.manifest["counts"]


def test_a_second_ctrl_c_ends_at_once_and_says_what_is_left(suite):
    stick(suite.platform)
    suite.press_ctrl_c()
    eventually(lambda: deleting(suite.platform))
    suite.press_ctrl_c()
    suite.end(30)

    assert suite.exit_code == 2, suite.output
    (entry,) = suite.outstanding()
    assert living(suite.platform) == [entry.name]
    assert f"left behind: the workspace {entry.name}" in suite.output


def deleting(platform):
    return platform.call(
        lambda systems: any(build.transition == "delete" for _, build in systems.database.builds())
    )
