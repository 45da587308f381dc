from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.inner.model import Blame, Check, Package, Phase
from gatehouse.inner.schedule import next_to_start, slots, slowest_first

PACKAGE = Package(Path("/checkout"), "", "go.mod", "go")


def check(name, weight=1, resource=""):
    return Check(PACKAGE, name, Phase.UNIT, Blame.TEST, weight=weight, resource=resource)


A, B, C = check("a"), check("b"), check("c")


def test_the_slowest_start_first_and_strangers_in_the_middle():
    order = slowest_first([A, B, C], {"go.mod::a": 1.0, "go.mod::c": 9.0})

    assert [each.name for each in order] == ["c", "b", "a"]


def test_without_any_times_the_order_is_by_id():
    assert slowest_first([C, A, B], {}) == [A, B, C]


@pytest.mark.parametrize(("weight", "free"), [(1, True), (2, False), (0, False), (9, False)])
def test_a_check_waits_for_as_many_processors_as_it_uses(weight, free):
    assert (next_to_start([check("x", weight)], [A], workers=2) is not None) is free


def test_a_check_that_wants_more_than_there_is_runs_alone():
    greedy = check("greedy", weight=16)

    assert next_to_start([greedy], [], workers=2) is greedy
    assert next_to_start([A], [greedy], workers=2) is None


def test_who_waits_for_a_resource_lets_others_pass():
    holder, waits = check("holder", resource="cargo"), check("waits", resource="cargo")

    assert next_to_start([waits, A], [holder], workers=4) is A


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["", "x", "y"])), max_size=30),
    st.integers(1, 8),
)
def test_everything_gets_its_turn_and_never_more_than_there_is_room_for(wanted, workers):
    waiting = [check(str(number), weight, resource) for number, (weight, resource) in enumerate(wanted)]
    running = []
    while waiting or running:
        started = next_to_start(waiting, running, workers)
        if started is None:
            running.pop(0)
            continue
        waiting.remove(started)
        running.append(started)
        held = [each.resource for each in running if each.resource]
        assert len(held) == len(set(held))
        assert sum(slots(each, workers) for each in running) <= workers
