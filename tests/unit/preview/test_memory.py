"""A wait that was cut off is gone on with; one that ended is not."""

import json
import os

import pytest

from gatehouse.preview.memory import LIFETIME, WaitMemory, WaitState

STATE = WaitState(250.0, {"generation": 250.0}, [(0.0, "no Application yet")])

#: The highest number of a process on any Linux is far below.
NO_PROCESS = 2**31 - 2


def memory(folder, at=1000.0, key="pr-7"):
    return WaitMemory(folder, key, now=lambda: at)


def cut_off(folder, at=1000.0):
    """What a process leaves that was killed while it waited."""
    memory(folder, at).save(STATE, at_once=True)
    (file,) = folder.glob("wait-*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "process": NO_PROCESS}))
    return file


def test_the_next_command_goes_on_with_what_was_spent_and_seen(tmp_path):
    cut_off(tmp_path)

    assert memory(tmp_path, at=1030.0).load() == STATE


def test_a_wait_for_something_else_starts_from_nothing(tmp_path):
    cut_off(tmp_path)

    assert memory(tmp_path, key="pr-8").load() is None


def test_a_wait_that_was_cut_off_long_ago_is_another_matter(tmp_path):
    cut_off(tmp_path)

    assert memory(tmp_path, at=1000.0 + LIFETIME + 1).load() is None


def test_a_wait_that_ended_by_itself_leaves_nothing(tmp_path):
    mine = memory(tmp_path)
    mine.save(STATE, at_once=True)
    mine.forget()

    assert memory(tmp_path).load() is None


def test_a_second_command_at_the_same_time_neither_takes_nor_disturbs_the_firsts(tmp_path):
    memory(tmp_path).save(STATE, at_once=True)
    (file,) = tmp_path.glob("wait-*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "process": os.getppid()}))
    before = file.read_text()

    second = memory(tmp_path)
    assert second.load() is None
    second.save(WaitState(), at_once=True)
    second.forget()

    assert file.read_text() == before


def test_between_changes_the_file_is_written_only_now_and_then(tmp_path):
    times = iter([1000.0, 1000.5, 1003.0])
    mine = WaitMemory(tmp_path, "pr-7", now=lambda: next(times))
    spent = []
    for seconds in (1.0, 2.0, 3.0):
        mine.save(WaitState(spent=seconds))
        (file,) = tmp_path.glob("wait-*.json")
        spent.append(json.loads(file.read_text())["spent"])

    assert spent == [1.0, 1.0, 3.0]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"spent": "x", "stages": {}, "history": []}', "null"])
def test_a_file_that_cannot_be_understood_is_no_wait(tmp_path, text):
    cut_off(tmp_path).write_text(text)

    assert memory(tmp_path).load() is None


def test_a_folder_that_cannot_be_written_does_not_end_a_wait(tmp_path):
    (tmp_path / "file").write_text("")
    mine = memory(tmp_path / "file" / "folder")

    mine.save(STATE, at_once=True)
    assert mine.load() is None
    mine.forget()
