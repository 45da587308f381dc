import pytest

from gatehouse.smoke.subsystems import clock_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3599, "is 1:00:00 ahead of"),
        (-3602, "is 1:00:00 behind"),
        (5, "is 0:00:05 ahead of"),
        (-90, "is 0:01:30 behind"),
    ],
)
def test_a_clock_that_differs_is_told_with_its_direction_as_exactly_as_it_is_known(seconds, words):
    assert f"clock: Coder's {words} this machine's" in clock_words(seconds)
