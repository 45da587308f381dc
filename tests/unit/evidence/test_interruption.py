import pytest

from gatehouse.evidence.plugin import pytest_keyboard_interrupt


class BetweenTwoLines:
    """A frame at an instruction of Python's own making: its line is None, from which pytest takes one."""

    @property
    def lineno(self):
        return None - 1


def test_an_interruption_that_came_between_two_lines_can_be_shown_all_the_same():
    with pytest.raises(KeyboardInterrupt) as caught:
        raise KeyboardInterrupt
    frames = len(caught.traceback)
    caught.traceback.append(BetweenTwoLines())

    pytest_keyboard_interrupt(caught)

    assert len(caught.traceback) == frames
    assert "KeyboardInterrupt" in str(caught.getrepr())
