from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.support.guard_rails import diff

TEXTS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=8).map("\n".join)


def words(lines):
    return Counter(line for _, line in lines)


@given(TEXTS, TEXTS)
def test_added_and_removed_lines_are_what_one_version_holds_beyond_the_other(old, new):
    before, after = Counter(old.splitlines()), Counter(new.splitlines())
    del before[""], after[""]
    found = diff("x", old, new)

    assert words(found.added) == after - before
    assert words(found.removed) == before - after


@given(TEXTS, TEXTS)
def test_lines_have_their_own_numbers(old, new):
    lines = new.splitlines()

    assert all(lines[number - 1] == line for number, line in diff("x", old, new).added)
