"""Each task that has a file of its own (`tasks/*.task.yaml`, `--gate-task FILE`) does what it says."""

from gatehouse.task.definition import load_definition


def test_the_task_succeeds_and_leaves_nothing_behind(task_file, task_settings, perform_task):
    report = perform_task(load_definition(task_file, task_settings))

    if report.error:
        raise report.error
    assert report.outcome == "passed"
