import pytest

from gatehouse.core.errors import UsageError
from gatehouse.core.task_settings import TaskSettings
from gatehouse.task.channels import choose

DECLARED = {"gatehouse_command", "ref"}
REFUSED = "this identity may not create pods/exec"


def task(channel="auto"):
    return TaskSettings(template="task", channel=channel)


@pytest.mark.parametrize(
    ("declared", "exec_refused", "name", "reason"),
    [
        (DECLARED, "", "script", "the template declares gatehouse_command"),
        (DECLARED, REFUSED, "script", "the template declares gatehouse_command"),
        ({"ref"}, "", "exec", "the template declares no gatehouse_command, and commands in pods are allowed"),
        ({"ref"}, REFUSED, "terminal", REFUSED),
    ],
)
def test_the_best_channel_that_can_be_used_is_chosen_and_says_why(declared, exec_refused, name, reason):
    channel = choose(task(), declared, exec_refused)

    assert (channel.name, channel.reason) == (name, reason)


@pytest.mark.parametrize("name", ["script", "exec", "terminal"])
def test_a_channel_that_is_asked_for_is_taken(name):
    assert choose(task(name), DECLARED, "").name == name


def test_a_channel_that_is_asked_for_and_cannot_be_used_is_refused():
    with pytest.raises(UsageError, match="no parameter gatehouse_command"):
        choose(task("script"), {"ref"}, "")
    with pytest.raises(UsageError) as caught:
        choose(task("exec"), DECLARED, REFUSED)
    assert caught.value.seen == REFUSED
