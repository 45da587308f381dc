import pytest

from gatehouse.core.errors import PermissionDenied, UsageError
from gatehouse.core.ledger import Entry
from gatehouse.core.settings import Target
from gatehouse.task.planes import Answer, load_planes, looks

MADE = Entry("workspace", "gate-task-1", "ada@host", "run-1", "", "")


def empty(_target, _made):
    return Answer("database")


def branches(_target, made):
    return Answer("branches", [f"agent/{made.name}"])


def forbidden(_target, _made):
    raise PermissionDenied("GitHub refuses (403)", seen="Resource not accessible")


def broken(_target, _made):
    raise KeyError("token")


def wordless(_target, _made):
    return None


def look(plane):
    (one,) = looks([plane], Target(), MADE)
    return one()


def test_a_plane_is_given_the_target_and_what_was_made():
    assert look(branches) == Answer("branches", ["agent/gate-task-1"])
    assert look(empty).outcome == "clean"


@pytest.mark.parametrize(
    ("plane", "words"),
    [
        (forbidden, "GitHub refuses (403): Resource not accessible"),
        (broken, "KeyError: 'token'"),
        (wordless, "expected an Answer"),
    ],
)
def test_a_plane_that_fails_has_verified_nothing(plane, words):
    answer = look(plane)

    assert answer.outcome == "unverified"
    assert words in answer.unverified


def test_planes_are_named_by_module_and_function():
    assert load_planes([f"{__name__}:empty"]) == [empty]


@pytest.mark.parametrize("name", ["nowhere.to.be.found:x", "json:nothing", "json", ":", ""])
def test_a_plane_that_is_not_there_is_said(name):
    with pytest.raises(UsageError, match="cannot be loaded") as caught:
        load_planes([name])
    assert "task.planes" in caught.value.expected
