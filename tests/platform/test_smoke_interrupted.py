"""The smoke suite and `gatehouse baseline` are interrupted: what they made is deleted, or told and accounted for."""

import pytest

from tests.platform.conftest import eventually
from tests.platform.interruptible import Interruptible, InterruptibleSuite, living, stick

WORKSPACE = "suites/smoke/test_workspace.py"


def built(platform):
    """Whether the build of a workspace has succeeded."""
    return platform.call(
        lambda systems: any(build.job.status == "succeeded" for _, build in systems.database.builds())
    )


def deleting(platform):
    """Whether a workspace is being deleted."""
    return platform.call(
        lambda systems: any(build.transition == "delete" for _, build in systems.database.builds())
    )


@pytest.mark.parametrize(
    ("how", "workers"),
    [("press_ctrl_c", ()), ("terminate", ("-n", "2"))],
    ids=["Ctrl-C", "SIGTERM with two workers"],
)
def test_an_interrupted_suite_deletes_its_workspaces_and_leaves_an_honest_bundle(
    start, tmp_path, how, workers
):
    platform = start("agent-never-connects")
    suite = InterruptibleSuite(platform, tmp_path, WORKSPACE, *workers)
    (name,) = suite.made()
    getattr(suite, how)()
    suite.end()

    assert suite.exit_code == 2, suite.output
    assert living(platform) == []
    assert suite.outstanding() == []
    assert suite.manifest["exit_status"] == 2
    assert "passed" not in suite.manifest["counts"]
    assert f"what was made is being deleted first ({name})" in suite.output
    assert "left behind" not in suite.output
    assert "smoke: interrupted" in suite.output


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_second_ctrl_c_ends_at_once_and_the_last_lines_say_what_is_left_and_how_to_remove_it(
    start, tmp_path, workers
):
    platform = start("agent-never-connects")
    suite = InterruptibleSuite(platform, tmp_path, WORKSPACE, *workers)
    (name,) = suite.made()
    eventually(lambda: built(platform))
    stick(platform)
    suite.press_ctrl_c()
    eventually(lambda: deleting(platform))
    suite.press_ctrl_c()
    suite.end(30)

    assert suite.exit_code == 2, suite.output
    assert living(platform) == [each.name for each in suite.outstanding()] == [name]
    assert suite.manifest["exit_status"] == 2
    assert f"left behind: the workspace {name}; to remove it: coder delete {name} --yes" in "\n".join(
        suite.output.splitlines()[-4:]
    )


def test_an_interrupted_baseline_says_which_canaries_are_there_and_keeps_what_was_recorded(start, tmp_path):
    platform = start("agent-never-connects")
    folder = tmp_path / "before"
    baseline = Interruptible(platform, tmp_path, "gatehouse.cli", "baseline", str(folder))
    (name,) = baseline.made()
    baseline.press_ctrl_c()
    baseline.end()

    assert baseline.exit_code == 130, baseline.output
    assert living(platform) == [each.name for each in baseline.outstanding()] == [name]
    assert (folder / "baseline.json").exists()
    last = "\n".join(baseline.output.splitlines()[-4:])
    assert f"left behind: the workspace {name}; to remove it: coder delete {name} --yes" in last
    assert "the baseline is not complete" in last
