import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.ledger import Entry, Ledger, moment_of, outstanding, owner, read_ledger


@pytest.fixture
def ledger(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    ledger = Ledger(folder / "ledger.jsonl")
    yield ledger
    ledger.close()


def names(ledger):
    return [entry.name for entry in outstanding(ledger.path)]


def test_what_is_intended_is_on_disk_before_anything_is_made(ledger):
    ledger.intend("workspace", "one", "run-1", ttl_seconds=60)

    (entry,) = outstanding(ledger.path)
    assert (entry.kind, entry.name, entry.run, entry.id) == ("workspace", "one", "run-1", None)
    assert entry.expires > entry.created


def test_an_entry_is_read_as_it_was_written(ledger):
    where = {"coder": "https://coder.example.com", "user": "u-1"}
    written = ledger.intend(
        "job", "one", "run-1", 60, where=where, may_exist=["a Git branch"], outlives_run=True
    )

    assert outstanding(ledger.path) == [written]


def test_an_entry_stays_until_it_is_proved_gone(ledger):
    ledger.intend("workspace", "one", "run-1", 60)
    ledger.created("one", "id-1")
    ledger.intend("workspace", "two", "run-1", 60)
    assert [(entry.name, entry.id) for entry in outstanding(ledger.path)] == [("one", "id-1"), ("two", None)]

    ledger.gone("one")
    assert names(ledger) == ["two"]


def test_an_entry_of_an_older_version_has_no_place_and_no_lease(ledger):
    line = {"event": "intend", "kind": "workspace", "name": "one", "owner": "ada@host", "run": "r"}
    ledger.path.write_text(json.dumps({**line, "created": "2026-01-01", "expires": "2026-01-02"}) + "\n")

    (entry,) = outstanding(ledger.path)
    assert (entry.where, entry.lease, entry.outlives_run) == ({}, None, False)


# --- lines that are not as they should be ------------------------------------------------------------------


def test_a_last_line_that_is_cut_short_does_not_hide_the_others(ledger):
    ledger.intend("workspace", "one", "run-1", 60)
    with ledger.path.open("a") as file:
        file.write('{"event": "intend", "name": "tw')

    assert names(ledger) == ["one"]
    assert read_ledger(ledger.path).problems == ()


def test_what_is_written_after_a_line_that_was_cut_short_is_read(ledger):
    ledger.intend("workspace", "one", "run-1", 60)
    with ledger.path.open("a") as file:
        file.write('{"event": "intend", "name": "tw')
    ledger.intend("workspace", "three", "run-1", 60)

    reading = read_ledger(ledger.path)
    assert [entry.name for entry in reading.entries] == ["one", "three"]
    assert reading.problems == ()


def test_a_line_written_by_another_process_behind_one_that_was_cut_short_is_read(ledger):
    ledger.intend("workspace", "one", "run-1", 60)
    whole = ledger.path.read_text()
    ledger.path.write_text('{"event": "intend", "name": "tw' + whole)

    assert names(ledger) == ["one"]


@given(st.data())
def test_a_ledger_cut_at_any_byte_never_loses_a_whole_line_and_never_invents_one(tmp_path_factory, data):
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.jsonl")
    for number in range(3):
        ledger.intend("workspace", f"w{number}", "run", 60)
    ledger.close()
    content = ledger.path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    ledger.path.write_bytes(content[:cut])

    whole = content[: cut + 1].count(b"\n")  # a line that lacks only its end is whole, too
    assert names(ledger) == [f"w{number}" for number in range(whole)]
    assert read_ledger(ledger.path).problems == ()


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        '["event"]',
        '{"event": "renamed", "name": "one"}',
        '{"event": "intend", "name": "one"}',
        '{"event": "created", "name": "unknown", "id": "1"}',
    ],
)
def test_a_line_that_nobody_understands_is_told(ledger, line):
    ledger.path.write_text(f"{line}\n")

    reading = read_ledger(ledger.path)
    assert reading.entries == ()
    assert f"{ledger.path}:1" in reading.problems[0]


def test_what_a_newer_version_says_besides_is_passed_over(ledger):
    ledger.intend("workspace", "one", "run-1", 60)
    line = {**json.loads(ledger.path.read_text()), "schema": 7, "colour": "blue"}
    ledger.path.write_text(json.dumps(line) + "\n")

    assert names(ledger) == ["one"]


def test_a_ledger_that_is_not_there_is_said(tmp_path):
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        read_ledger(tmp_path / "missing.jsonl")


# --- writing it ----------------------------------------------------------------------------------------------


def test_two_writers_may_write_the_same_file(ledger):
    Ledger(ledger.path).intend("workspace", "one", "run-1", 60)
    Ledger(ledger.path).intend("workspace", "two", "run-2", 60)

    assert names(ledger) == ["one", "two"]


def test_without_a_ledger_nothing_may_be_made(tmp_path):
    with pytest.raises(EnvironmentProblem, match="nothing is created"):
        Ledger(tmp_path / "missing" / "ledger.jsonl").intend("workspace", "one", "run-1", 60)


FULL = """
import resource, sys
from pathlib import Path
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.intend("workspace", "one", "run-1", 60)
resource.setrlimit(resource.RLIMIT_FSIZE, (ledger.path.stat().st_size + 40,) * 2)
try:
    ledger.intend("workspace", "two", "run-1", 60)
except EnvironmentProblem as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit of file sizes here")
def test_a_disk_that_is_full_while_a_line_is_written_stops_the_create_and_spoils_nothing(ledger):
    said = subprocess.run(
        [sys.executable, "-c", FULL, str(ledger.path)], capture_output=True, text=True, check=True
    )

    assert "nothing is created" in said.stdout
    assert "File too large" in said.stdout
    ledger.intend("workspace", "three", "run-2", 60)
    assert names(ledger) == ["one", "three"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_a_disk_that_is_full_from_the_start_stops_the_create(tmp_path):
    (tmp_path / "ledger.jsonl").symlink_to("/dev/full")

    with pytest.raises(EnvironmentProblem, match="nothing is created"):
        Ledger(tmp_path / "ledger.jsonl").intend("workspace", "one", "run-1", 60)


def test_a_sealed_folder_is_not_changed_by_what_is_proved_gone_later(ledger):
    ledger.intend("workspace", "one", "run-1", 60)
    ledger.intend("workspace", "two", "run-1", 60)
    (ledger.path.parent / "manifest.json").write_text("{}")
    before = ledger.path.read_bytes()

    ledger.gone("one")

    assert names(ledger) == ["two"]
    assert ledger.path.read_bytes() == before
    assert sorted(each.name for each in ledger.path.parent.iterdir()) == ["ledger.jsonl", "manifest.json"]


# --- times and owners ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires", "expired"),
    [
        ("2026-01-01T00:00:00+00:00", True),
        ("2026-01-01T00:00:00Z", True),
        ("2026-01-03T00:00:00+00:00", False),
        ("2026-01-01T00:00:00", False),
        ("soon", False),
        ("", False),
    ],
)
def test_only_a_time_that_can_be_read_can_be_over(expires, expired):
    entry = Entry("workspace", "one", "ada", "run", "", expires)

    assert entry.expired(datetime(2026, 1, 2, tzinfo=UTC)) is expired


def test_a_moment_keeps_its_zone():
    assert moment_of("2026-01-01T02:00:00+02:00") == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment_of("2026-01-01T02:00:00+02:00").utcoffset() == timedelta(hours=2)


def test_the_owner_is_the_ci_job_where_there_is_one(monkeypatch):
    monkeypatch.setenv("GITHUB_RUN_ID", "42")
    assert owner() == "github-run-42"

    monkeypatch.delenv("GITHUB_RUN_ID")
    assert "@" in owner()
