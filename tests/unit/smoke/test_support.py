import threading

from gatehouse.core.errors import PermissionDenied
from gatehouse.smoke.support import collect


def refuse():
    raise PermissionDenied("not allowed", seen="403")


def test_each_source_is_asked_and_one_that_fails_hides_no_other():
    found = collect({"a": lambda: 1, "b": refuse, "c": lambda: [][0], "d": lambda: 2}, 10)

    assert (found["a"], found["d"]) == (1, 2)
    assert found["b"] == {"not collected": "not allowed\n  seen: 403"}
    assert found["c"]["not collected"].startswith("IndexError")


def test_a_source_that_never_answers_holds_nobody_up_and_keeps_what_was_there():
    never = threading.Event()

    found = collect({"a": lambda: 1, "b": never.wait, "c": lambda: 3}, 0.2)

    assert found["a"] == 1
    assert "no answer within" in found["b"]["not collected"]
    assert "no answer within" in found["c"]["not collected"]
    never.set()
