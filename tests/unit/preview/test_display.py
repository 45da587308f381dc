"""What people see of a wait: few lines in a log, a table in a terminal."""

import io
import re

import pytest

from gatehouse.argocd.judge import Judgement, State
from gatehouse.core.waiting import Progress
from gatehouse.preview.display import NAME_WIDTH, ROWS, LiveDisplay, PlainDisplay
from gatehouse.preview.judge import EnvironmentSnapshot, judge_environment
from gatehouse.preview.look import Look
from tests.support.clock import FakeClock

COMMIT = "a" * 40


def look(reason="1 of 2", state=State.SYNCING, more=0):
    states = {"www": Judgement(state, reason), "platform": Judgement(State.READY)}
    states |= {f"part-{number:03}": Judgement(State.READY) for number in range(more)}
    snapshot = EnvironmentSnapshot(states)
    return Look(snapshot, judge_environment(COMMIT, snapshot))


class Plain:
    """A plain display and the wait that tells it, on a clock of their own."""

    def __init__(self):
        self.clock, self.lines = FakeClock(), []
        self.display = PlainDisplay(self.lines.append, monotonic=self.clock.monotonic)
        self.progress = Progress("preview of pull request 7")

    def see(self, seen, seconds=0.0):
        self.clock.sleep(seconds)
        self.display.looked(seen, {"sync": self.clock.elapsed})
        if self.progress.note(self.clock.elapsed, str(seen)):
            self.display.changed(self.progress)


@pytest.fixture
def plain():
    return Plain()


def test_each_state_has_one_line(plain):
    for seen in (look(), look(), look(state=State.ROLLING_OUT), look(state=State.READY)):
        plain.see(seen, 0.5)

    assert [re.sub(r" \(.*", "", line) for line in plain.lines] == [
        "preview: 1 of 2 Applications ready; www is syncing: 1 of 2",
        "preview: 1 of 2 Applications ready; www is rolling out: 1 of 2",
        "preview: 2 of 2 Applications ready; probing: the hostnames are asked",
    ]


def test_another_reason_for_the_same_state_has_a_line_only_after_a_while(plain):
    for number in range(100):
        plain.see(look(f"attempt {number}"), 0.1)

    assert len(plain.lines) == 2


def test_a_wait_in_which_nothing_happens_says_so_once_a_minute(plain):
    for _ in range(1200):
        plain.see(look(), 0.5)

    assert len(plain.lines) == 10


def test_no_answer_at_all_is_said_at_once(plain):
    plain.see(look())
    plain.progress.note(1.0, "no answer: Argo CD answered 504")
    plain.display.changed(plain.progress)

    assert plain.lines[-1] == "preview: no answer: Argo CD answered 504 (1.0 s)"


@pytest.fixture
def table(monkeypatch):
    """Shows looks in a terminal of so many columns; gives its text."""

    def show(*looks, columns=100):
        monkeypatch.setenv("COLUMNS", str(columns))
        file = io.StringIO()
        display = LiveDisplay(file)
        for seen in looks:
            display.looked(seen, {"sync": 1.0, "rollout": 2.0})
        display.close()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())

    return show


def test_a_terminal_shows_a_line_an_application_with_what_it_waits_for(table):
    shown = table(look("waiting for completion of hook [batch/Job/smoke]"))

    assert re.search(r"www +syncing +0 s +waiting for completion of hook \[batch/Job/smoke\]", shown)
    assert re.search(r"platform +ready", shown)
    assert "sync 1.0 s, rollout 2.0 s" in shown


def test_of_many_applications_those_that_are_late_are_shown(table):
    shown = table(look(more=ROWS + 20))

    assert "www" in shown
    assert "and 22 more" in shown


@pytest.mark.parametrize("columns", [80, 60])
def test_names_and_states_are_whole_however_long_the_reason_is(table, columns):
    reason = "waiting for healthy state of apps/Deployment/platform and 12 more resources " * 3
    states = {f"pr-7-{state}".replace(" ", "-").ljust(NAME_WIDTH, "x"): state for state in State}
    snapshot = EnvironmentSnapshot({name: Judgement(state, reason) for name, state in states.items()})

    shown = table(Look(snapshot, judge_environment(COMMIT, snapshot)), columns=columns)

    for name, state in states.items():
        assert re.search(rf"^{name} +{state}( |$)", shown, re.MULTILINE), shown
    assert max(map(len, re.split(r"[\r\n]+", shown))) <= columns


def test_a_name_that_is_too_long_is_cut_and_leaves_room_for_the_reason(table):
    snapshot = EnvironmentSnapshot({"x" * 60: Judgement(State.SYNCING, "1 of 2")})

    shown = table(Look(snapshot, judge_environment(COMMIT, snapshot)), columns=80)

    assert re.search(rf"^x{{{NAME_WIDTH - 1}}}… +syncing +0 s +1 of 2", shown, re.MULTILINE), shown
