"""Logs followed over streams that are cut, silent, late or missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.coder.errors import LostAnswer
from gatehouse.coder.follow import follow
from gatehouse.coder.models import LogLine
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound, PermissionDenied, Transient, UnexpectedAnswer, WaitTimeout
from tests.support.clock import FakeClock


class Log:
    """A log of so many lines; each stream shows so many of them and is cut."""

    what = "log"

    def __init__(self, total, streams=(), late=0.0, reads=()):
        self.total = total
        self.written = 0
        self.streams = list(streams)
        self.late = late
        self.reads = list(reads)
        self.opened = []

    def stream(self, after):
        self.opened.append(after)
        step = self.streams.pop(0) if self.streams else 0
        if isinstance(step, Exception):
            raise step
        for number in range(after + 1, min(after + step, self.total) + 1):
            self.written = max(self.written, number)
            yield line(number)
        yield None
        raise LostAnswer("cut")

    def lines(self, after):
        if self.reads:
            raise self.reads.pop(0)
        return [line(number) for number in range(after + 1, self.written + 1)]

    def ended(self):
        done = self.written >= self.total
        if not self.streams:
            self.written = self.total  # it goes on whether anybody watches or not
        return done


def line(number):
    return LogLine(id=number, output=f"line {number}")


def numbers(log, clock=None, seconds=60, after=0):
    clock = clock or FakeClock()
    return [each.id for each in follow(log, Deadline.after(seconds, clock), after=after)]


def test_a_stream_that_is_cut_is_resumed_after_the_last_line():
    log = Log(9, streams=[3, 2, 4])

    assert numbers(log) == list(range(1, 10))
    assert log.opened == [0, 3, 5]


@given(st.integers(0, 40), st.lists(st.integers(0, 10), max_size=8))
def test_every_line_is_told_once_and_in_order_wherever_streams_are_cut(total, streams):
    assert numbers(Log(total, streams), seconds=10_000) == list(range(1, total + 1))


def test_lines_from_a_given_one_on_can_be_followed():
    assert numbers(Log(9, streams=[9]), after=4) == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("refusal", [UnexpectedAnswer("no upgrade"), NotFound("404"), Transient("503")])
def test_where_there_are_no_streams_the_log_is_read(refusal):
    assert numbers(Log(5, streams=[refusal] * 3)) == [1, 2, 3, 4, 5]


def test_lines_repeated_by_a_server_are_told_once():
    log = Log(4)
    log.stream = lambda _after: iter([line(1), line(2), line(2), line(1), line(3)])
    log.written = 4

    assert numbers(log) == [1, 2, 3, 4]


def test_lines_that_arrive_after_the_end_are_waited_for():
    clock = FakeClock()
    log = Log(2, streams=[2], late=1.0)

    def late_lines(after):
        return [line(3)] if clock.elapsed >= 1 and after < 3 else []

    log.lines = late_lines
    assert numbers(log, clock) == [1, 2, 3]


def test_a_last_line_written_just_before_the_end_is_not_missed():
    """The log ends between the moment its lines are read and the next question."""
    log = Log(2)
    log.written = 1
    read = log.lines

    def lines_and_one_more(after):
        seen = read(after)
        log.written = 2
        return seen

    log.lines, log.ended = lines_and_one_more, lambda: log.written == 2
    assert numbers(log) == [1, 2]


def test_a_read_that_fails_for_a_while_loses_nothing():
    assert numbers(Log(5, streams=[2], reads=[Transient("503"), Transient("503")])) == [1, 2, 3, 4, 5]


def test_a_log_that_never_ends_is_left_at_the_deadline_with_its_last_line():
    clock = FakeClock()
    log = Log(100, streams=[2] * 1000)
    log.ended = lambda: False
    log.stream = lambda after: iter([line(1), line(2)] if after < 2 else [])

    with pytest.raises(WaitTimeout, match="not ended within 30 s") as caught:
        numbers(log, clock, seconds=30)
    assert caught.value.seen == "last line: line 2"
    assert clock.elapsed == 30


@pytest.mark.parametrize("refusal", [PermissionDenied("403"), NotFound("404")])
def test_a_refusal_to_read_ends_it(refusal):
    with pytest.raises(type(refusal)):
        numbers(Log(5, reads=[refusal]))
