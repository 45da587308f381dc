"""Where a run is, as it is drawn in a terminal and as it is told in a log."""

import io

import pytest

from gatehouse.core import waiting
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import TerminalState
from gatehouse.core.waiting import announced, wait_until
from gatehouse.smoke.awaited import AwaitedByCheck, read_awaited, write_awaited
from gatehouse.smoke.progress import Board, title
from gatehouse.smoke.status_lines import StatusLines
from tests.support.clock import FakeClock

EDGE, OTHER = "suites/smoke/test_edge.py::test_a_name", "suites/smoke/test_edge.py::test_b_name[inside]"
WORKSPACE = "suites/smoke/test_workspace.py::test_it_becomes_ready"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def board(clock):
    board = Board(clock.monotonic)
    board.collected([EDGE, OTHER, WORKSPACE])
    return board


def run(board, test, outcome="passed"):
    board.started(test)
    board.reported(test, "call", outcome)
    return board.finished(test)


def test_what_runs_for_how_long_how_many_are_left_and_what_is_awaited(board, clock):
    run(board, EDGE, "failed")
    board.started(WORKSPACE)
    clock.sleep(12)
    board.awaits(WORKSPACE, "start: pull: the image is being pulled")
    clock.sleep(3)

    assert board.lines() == [
        "1 of 3 checks done, 1 red",
        "  15 s  workspace: it becomes ready",
        "   3 s    awaited: start: pull: the image is being pulled",
    ]


def test_checks_of_several_workers_are_shown_beside_each_other(board):
    board.started(EDGE)
    board.started(WORKSPACE)

    assert board.lines()[1:] == ["   0 s  edge: a name", "   0 s  workspace: it becomes ready"]


def test_a_subsystem_is_told_once_when_its_last_check_has_ended(board, clock):
    assert run(board, EDGE) == ""
    clock.sleep(2)
    assert run(board, OTHER, "skipped") == "edge: 1 passed, 1 skipped (2.0 s)"


def test_what_fails_in_set_up_or_teardown_is_red(board):
    board.started(EDGE)
    board.reported(EDGE, "call", "passed")
    board.reported(EDGE, "teardown", "failed")
    board.finished(EDGE)
    board.started(OTHER)
    board.reported(OTHER, "setup", "failed")

    assert board.finished(OTHER).startswith("edge: 2 failed")


def test_a_log_tells_a_long_stage_once_and_again_only_after_long_silence(board, clock):
    board.started(WORKSPACE)
    board.awaits(WORKSPACE, "start: init")
    clock.sleep(19)
    assert board.long_stages() == []
    clock.sleep(1)
    assert board.long_stages() == ["workspace: awaited for 20 s: start: init"]
    clock.sleep(59)
    assert board.long_stages() == []
    clock.sleep(1)
    assert board.long_stages() == ["workspace: awaited for 80 s: start: init"]
    board.awaits(WORKSPACE, "start: scripts")
    assert board.long_stages() == []


def test_workers_that_report_the_same_collection_count_it_once(board):
    board.collected([EDGE, OTHER, WORKSPACE])

    assert board.total == 3


def test_the_id_of_a_check_reads_as_a_sentence():
    assert title(OTHER) == "edge: b name [inside]"


# --- what is awaited -------------------------------------------------------------------------------------


@pytest.fixture
def told():
    told = []
    awaited = AwaitedByCheck(lambda check, words: told.append((check, words)))
    awaited.check = WORKSPACE
    waiting.listeners.append(awaited)
    yield told
    waiting.listeners.remove(awaited)


def test_the_innermost_wait_is_told_and_the_one_around_it_again_when_it_is_over(told, clock):
    states = iter(["pending", "running"])

    def observe():
        with announced("Coder", "asked again: 503"):
            return next(states)

    wait_until(
        observe,
        what="start of workspace 4ccd9ca2",
        ready=lambda state: state == "running",
        deadline=Deadline.after(10, clock),
    )

    assert told == [
        (WORKSPACE, words)
        for words in (
            *("Coder: asked again: 503", "", "start: pending"),
            *("Coder: asked again: 503", "start: pending", "start: running", ""),
        )
    ]


def test_a_wait_that_fails_is_over(told, clock):
    with pytest.raises(TerminalState):
        wait_until(
            lambda: "x",
            what="it",
            ready=lambda _state: False,
            failed=lambda _state: "it has failed",
            deadline=Deadline.after(10, clock),
        )

    assert told[-1] == (WORKSPACE, "")


def test_what_workers_await_is_read_by_the_controller(tmp_path):
    write_awaited(tmp_path / "gw0.json", WORKSPACE, "start: pull")
    write_awaited(tmp_path / "gw1.json", EDGE, "")
    write_awaited(tmp_path / "nowhere" / "gw2.json", EDGE, "lost")

    assert list(read_awaited(tmp_path)) == [(WORKSPACE, "start: pull"), (EDGE, "")]


# --- the terminal ----------------------------------------------------------------------------------------


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("LINES", "24")
    return io.StringIO()


def test_lines_are_cut_at_the_width_of_the_window(terminal):
    StatusLines(terminal, terminal).show(["x" * 40])

    assert "x" * 18 + "…" in terminal.getvalue()
    assert "x" * 19 not in terminal.getvalue()


def test_lines_are_taken_away_before_pytest_writes_on(terminal):
    status = StatusLines(terminal, terminal)
    status.show(["12 of 66"])
    drawn = len(terminal.getvalue())
    status.write(".")
    status.write(".")

    after = terminal.getvalue()[drawn:]
    assert after.endswith("..")
    assert after.count("\x1b[2K") == 1
