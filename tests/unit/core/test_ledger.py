import json

import pytest

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.ledger import Ledger, outstanding, owner


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.jsonl")


def test_what_is_intended_is_on_disk_before_anything_is_made(ledger):
    ledger.intend("workspace", "one", "run-1", ttl_seconds=60)

    (entry,) = outstanding(ledger.path)
    assert (entry.kind, entry.name, entry.run, entry.id) == ("workspace", "one", "run-1", None)
    assert entry.expires > entry.created


def test_an_entry_stays_until_it_is_proved_gone(ledger):
    ledger.intend("workspace", "one", "run-1", 60)
    ledger.created("one", "id-1")
    ledger.intend("workspace", "two", "run-1", 60)
    assert [(entry.name, entry.id) for entry in outstanding(ledger.path)] == [("one", "id-1"), ("two", None)]

    ledger.gone("one")
    assert [entry.name for entry in outstanding(ledger.path)] == ["two"]


def test_a_last_line_that_is_cut_short_does_not_hide_the_others(ledger):
    ledger.intend("workspace", "one", "run-1", 60)
    with ledger.path.open("a") as file:
        file.write('{"event": "intend", "name": "tw')

    assert [entry.name for entry in outstanding(ledger.path)] == ["one"]


def test_two_processes_may_write_the_same_file(ledger):
    Ledger(ledger.path).intend("workspace", "one", "run-1", 60)
    Ledger(ledger.path).intend("workspace", "two", "run-2", 60)

    assert len([json.loads(line) for line in ledger.path.read_text().splitlines()]) == 2


def test_without_a_ledger_nothing_may_be_made(tmp_path):
    with pytest.raises(EnvironmentProblem, match="nothing is created"):
        Ledger(tmp_path / "missing" / "ledger.jsonl").intend("workspace", "one", "run-1", 60)


def test_the_owner_is_the_ci_job_where_there_is_one(monkeypatch):
    monkeypatch.setenv("GITHUB_RUN_ID", "42")
    assert owner() == "github-run-42"

    monkeypatch.delenv("GITHUB_RUN_ID")
    assert "@" in owner()
