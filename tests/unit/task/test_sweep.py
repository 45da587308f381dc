"""What a sweep may remove: decided without asking anyone, and never because of a name alone."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest

from gatehouse.core.errors import Conflict, PermissionDenied, UsageError
from gatehouse.core.lease import Holder
from gatehouse.core.ledger import Entry, Ledger, outstanding, owner
from gatehouse.core.settings import Target
from gatehouse.kube.client import CLAIMS, NAMESPACES, SECRETS
from gatehouse.kube.inventory import Found, Inventory
from gatehouse.task.sweep.candidates import Found as Candidates
from gatehouse.task.sweep.candidates import from_ledgers, ledgers_below, ledgers_in
from gatehouse.task.sweep.judge import Decision, judge, name_agrees
from gatehouse.task.sweep.leftovers import is_removable, remove_leftovers
from gatehouse.task.sweep.model import Candidate, Context, Outcome, Row, Source, Swept
from gatehouse.task.sweep.report import EXIT_CODES, as_json, table
from gatehouse.task.sweep.sweep import Wanted, sweep
from tests.support.clock import FakeClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE, LATER = "2025-12-31T22:00:00+00:00", "2026-01-01T02:00:00+00:00"
RUN = "20251231T220000Z-abc123"
URL = "https://coder.example.com"


def entry(name="gate-task-abc123-0c0ffe", expires=LATER, **more):
    values = {"kind": "workspace", "owner": "ada@host", "run": RUN, "created": BEFORE, **more}
    return Entry(name=name, expires=expires, **values)


def judged(source=Source.LEDGER, holder=Holder.UNKNOWN, asked=None, named=False, **more):
    candidate = Candidate(entry(**more), source, holder, named=named)
    return judge(candidate, NOW, kinds={"workspace"}, coder_url=URL, run=asked)


# --- the lease ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "expires", "decision"),
    [
        (Holder.ALIVE, LATER, Decision.ALONE),
        (Holder.ALIVE, BEFORE, Decision.ALONE),
        (Holder.ENDED, LATER, Decision.REMOVE),
        (Holder.UNKNOWN, LATER, Decision.ALONE),
        (Holder.UNKNOWN, BEFORE, Decision.REMOVE),
        (Holder.UNKNOWN, "soon", Decision.ALONE),
    ],
)
def test_what_a_ledger_says_may_go_once_its_run_has_ended_or_where_nobody_knows_its_time_is_over(
    holder, expires, decision
):
    assert judged(holder=holder, expires=expires).decision is decision


@pytest.mark.parametrize("more", [{"outlives_run": True}, {"name": "gate-canary-abc123-0c0ffe"}])
@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("holder", Holder)
def test_what_was_left_behind_on_purpose_goes_only_when_its_time_is_over(more, source, holder):
    assert judged(source, holder, asked=RUN, owner=owner(), **more).decision is Decision.ALONE
    assert judged(source, holder, expires=BEFORE, **more).decision is Decision.REMOVE


# --- names and labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [Source.CODER, Source.CLUSTER])
def test_without_a_ledger_only_what_is_labelled_and_expired_may_go(source):
    assert judged(source, expires=BEFORE).decision is Decision.REMOVE
    assert judged(source, expires=LATER).decision is Decision.ALONE
    assert judged(source, expires="").decision is Decision.ALONE


@pytest.mark.parametrize("missing", [{"run": ""}, {"owner": ""}, {"run": "", "owner": ""}])
def test_a_name_alone_is_never_enough(missing):
    judgement = judged(Source.CODER, expires=BEFORE, **missing)

    assert judgement.decision is Decision.REFUSE
    assert "nothing but its name" in judgement.why


def test_a_name_that_does_not_lead_back_to_the_run_it_claims_is_refused():
    judgement = judged(Source.CODER, expires=BEFORE, name="gate-task-def456-0c0ffe")

    assert judgement.decision is Decision.REFUSE
    assert "does not lead back to the run" in judgement.why


def test_ones_own_run_may_be_named_before_its_time_is_over_and_nobody_elses():
    assert judged(Source.CODER, asked=RUN, owner=owner()).decision is Decision.REMOVE
    assert judged(Source.CODER, asked=RUN, owner="bob@host").decision is Decision.ALONE


def test_a_name_leads_back_to_its_run_by_a_part_of_its_own():
    assert name_agrees("gate-task-abc123-0c0ffe", RUN)
    assert not name_agrees("gate-task-xabc123-0c0ffe", RUN)


# --- other kinds, other deployments ------------------------------------------------------------------------


def test_a_kind_that_this_version_does_not_know_is_refused():
    judgement = judged(holder=Holder.ENDED, kind="bucket")

    assert judgement.decision is Decision.REFUSE
    assert "'bucket'" in judgement.why


@pytest.mark.parametrize(("named", "decision"), [(True, Decision.REFUSE), (False, Decision.ALONE)])
def test_what_was_made_on_another_deployment_is_not_touched_and_told_where_its_ledger_was_named(
    named, decision
):
    judgement = judged(holder=Holder.ENDED, named=named, where={"coder": "https://other.example.com"})

    assert judgement.decision is decision
    assert "https://other.example.com" in judgement.why


# --- which of them -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "covered"),
    [
        (Wanted(), True),
        (Wanted(run=RUN), True),
        (Wanted(run="other"), False),
        (Wanted(older_than=7200), True),
        (Wanted(older_than=7201), False),
        (Wanted(run="other", older_than=1), False),
    ],
)
def test_run_and_age_narrow_down_what_is_swept(wanted, covered):
    assert wanted.covers(Candidate(entry(), Source.LEDGER), NOW) is covered


def test_what_has_no_age_that_is_known_is_never_old_enough():
    assert not Wanted(older_than=0).covers(Candidate(entry(created="?"), Source.LEDGER), NOW)


# --- ledgers -----------------------------------------------------------------------------------------------


def bundle(root, name, *entries):
    folder = root / name
    folder.mkdir()
    ledger = Ledger(folder / "ledger-main.jsonl")
    for each in entries:
        ledger.intend("workspace", each, RUN, 60)
    ledger.close()
    return folder


def test_ledgers_are_found_in_bundles_by_name_and_below_a_folder_each_once(tmp_path):
    one, two = bundle(tmp_path, "one", "a"), bundle(tmp_path, "two", "b")
    (tmp_path / "latest").symlink_to("two")

    assert ledgers_in([one, two / "ledger-main.jsonl", tmp_path / "latest"]) == [
        one / "ledger-main.jsonl",
        two / "ledger-main.jsonl",
    ]
    assert len(ledgers_below(tmp_path)) == 2
    assert ledgers_below(tmp_path / "nowhere") == []


def test_a_bundle_that_is_not_there_is_a_mistake_of_the_command_line(tmp_path):
    with pytest.raises(UsageError, match="there is no"):
        ledgers_in([tmp_path / "nowhere"])


def test_a_ledger_that_cannot_be_read_hides_nothing_of_the_others(tmp_path):
    one = bundle(tmp_path, "one", "a") / "ledger-main.jsonl"
    found = from_ledgers([tmp_path / "missing.jsonl", one], named=True)

    assert [each.entry.name for each in found.candidates] == ["a"]
    assert "missing.jsonl cannot be read" in found.problems[0]


def test_what_the_ledger_says_is_not_overridden_by_what_is_found_elsewhere():
    found = Candidates([Candidate(entry(id="1"), Source.LEDGER), Candidate(entry("b"), Source.LEDGER)])
    found.add(
        [Candidate(entry("renamed", id="1"), Source.CODER), Candidate(entry("b", id="2"), Source.CODER)]
    )
    found.add([Candidate(entry("c", id="3"), Source.CLUSTER)])

    assert [(each.entry.name, each.source.value) for each in found.candidates][2:] == [("c", "cluster")]


# --- what may be deleted in the cluster --------------------------------------------------------------------

OURS = {"gatehouse/run": RUN, "gatehouse/owner": "ada-host"}


def found(kind=SECRETS, name="s", namespace="coder", labels=None, **more):
    item = {"metadata": {"name": name, "labels": OURS if labels is None else labels}}
    return Found(kind.plural, namespace, name, f"uid-{name}", resource=kind, item=item, **more)


def removable(each, *strangers):
    return is_removable(each, entry(), Inventory((each,), strangers=strangers))


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"gatehouse/run": RUN},
        {"gatehouse/owner": "ada-host"},
        {**OURS, "gatehouse/run": "another"},
        {**OURS, "gatehouse/owner": "bob-host"},
    ],
)
def test_only_what_says_whose_it_is_by_both_labels_is_deleted(labels):
    assert removable(found())
    assert not removable(found(labels=labels))


def test_what_is_going_or_goes_with_its_owner_is_not_deleted_again():
    assert not removable(found(ending=True))
    assert not removable(found(owners=("ReplicaSet rs",)))


def test_a_namespace_that_holds_something_of_anyone_elses_is_not_deleted():
    namespace = found(NAMESPACES, "ws", "")

    assert removable(namespace)
    assert removable(namespace, found(namespace="elsewhere"))
    assert not removable(namespace, found(namespace="ws"))


def test_an_entry_without_run_or_owner_makes_nothing_removable():
    nobody = found(labels={"gatehouse/run": "", "gatehouse/owner": ""})

    assert not is_removable(nobody, entry(run="", owner=""), Inventory((nobody,)))


class Cluster:
    def __init__(self, refusals=None):
        self.deleted, self.refusals = [], refusals or {}

    def delete(self, kind, name, namespace, uid):
        if error := self.refusals.get(name):
            raise error
        self.deleted.append((kind, name, namespace, uid))


def test_objects_are_deleted_as_the_ones_that_were_seen_and_what_is_refused_is_told():
    inventory = Inventory(
        (found(name="a"), found(CLAIMS, "b"), found(name="c"), found(name="d"), found(name="e", labels={}))
    )
    cluster = Cluster({"b": PermissionDenied("Kubernetes refuses (403)", seen="no"), "c": Conflict("409")})

    done = remove_leftovers(cluster, inventory, entry())

    assert cluster.deleted == [(SECRETS, "a", "coder", "uid-a"), (SECRETS, "d", "coder", "uid-d")]
    assert done == [
        "deleted secrets coder/a",
        "could not delete persistentvolumeclaims b: Kubernetes refuses (403): no",
        "deleted secrets coder/d",
    ]


# --- the whole of it ---------------------------------------------------------------------------------------


class Clock(FakeClock):
    def now(self):
        return NOW


class Coder:
    url = URL

    def within(self, _deadline):
        return nullcontext()


def context(act=True):
    return Context(Target(), Coder(), None, (), act, 60.0, Clock())


def handled(outcome, seen):
    def handler(_context, candidate, why):
        seen.append((candidate.entry.name, why))
        return Row(candidate, "running", "deleted in Coder", outcome)

    return {"workspace": handler}


def test_what_was_proved_gone_is_noted_in_its_ledger_and_what_is_left_is_not(tmp_path):
    ledger = bundle(tmp_path, "one", "a") / "ledger-main.jsonl"
    for outcome, names in ((Outcome.LEFT, ["a"]), (Outcome.UNVERIFIED, ["a"]), (Outcome.CLEAN, [])):
        swept = sweep(context(), from_ledgers([ledger], named=True), Wanted(), handlers=handled(outcome, []))
        assert [each.name for each in outstanding(ledger)] == names
        assert swept.outcome is outcome


def test_who_only_looks_writes_nothing_down(tmp_path):
    ledger = bundle(tmp_path, "one", "a") / "ledger-main.jsonl"
    sweep(
        context(act=False),
        from_ledgers([ledger], named=True),
        Wanted(),
        handlers=handled(Outcome.CLEAN, []),
    )

    assert [each.name for each in outstanding(ledger)] == ["a"]


def test_a_ledger_that_cannot_be_written_afterwards_is_told(tmp_path, monkeypatch):
    ledger = bundle(tmp_path, "one", "a") / "ledger-main.jsonl"
    candidates = from_ledgers([ledger], named=True)
    ledger.unlink()
    ledger.mkdir()

    swept = sweep(context(), candidates, Wanted(), handlers=handled(Outcome.CLEAN, []))

    assert "is gone, but" in swept.problems[0]
    assert swept.outcome is Outcome.UNVERIFIED


def test_handlers_are_only_given_what_may_be_removed():
    seen = []
    candidates = Candidates(
        [
            Candidate(entry("living"), Source.LEDGER, Holder.ALIVE),
            Candidate(entry("ended"), Source.LEDGER, Holder.ENDED),
            Candidate(entry("other", kind="bucket"), Source.LEDGER, Holder.ENDED),
        ]
    )
    swept = sweep(context(), candidates, Wanted(), handlers=handled(Outcome.CLEAN, seen))

    assert seen == [("ended", "its run has ended")]
    assert [row.outcome for row in swept.rows] == [Outcome.ALONE, Outcome.CLEAN, Outcome.UNVERIFIED]
    assert swept.outcome is Outcome.UNVERIFIED


# --- what it says ------------------------------------------------------------------------------------------


def row(outcome, name="gate-task-1", **more):
    return Row(Candidate(entry(name), Source.LEDGER), "running", "deleted in Coder", outcome, **more)


@pytest.mark.parametrize(
    ("rows", "problems", "code"),
    [
        ([], [], 0),
        ([row(Outcome.CLEAN), row(Outcome.ALONE)], [], 0),
        ([row(Outcome.CLEAN), row(Outcome.LEFT), row(Outcome.UNVERIFIED)], ["x"], 11),
        ([row(Outcome.CLEAN), row(Outcome.UNVERIFIED)], [], 3),
        ([row(Outcome.CLEAN)], ["secrets in the cluster: forbidden"], 3),
    ],
)
def test_the_exit_code_is_that_of_the_worst(rows, problems, code):
    assert EXIT_CODES[Swept(True, rows, problems).outcome] == code


def test_the_table_has_a_line_for_each_its_reasons_below_and_what_to_do_last():
    swept = Swept(False, [row(Outcome.LEFT, details=("pods ws/p: nobody has deleted it",))], ["x: forbidden"])
    lines = table(swept, NOW).splitlines()

    assert lines[0].split() == ["NAME", "RUN", "OWNER", "AGE", "STATE", "DONE", "PROOF"]
    assert lines[1].split() == [
        *("gate-task-1", RUN, "ada@host", "2h", "running", "deleted", "in", "Coder", "left")
    ]
    assert lines[2:] == [
        "  gate-task-1: pods ws/p: nobody has deleted it",
        "could not be looked at: x: forbidden",
        "sweep: 1 left",
        "next: run again with --delete to remove it",
    ]


def test_where_nothing_was_found_one_line_says_so():
    assert table(Swept(True), NOW) == "sweep: nothing found"


def test_the_json_has_the_same():
    swept = Swept(True, [row(Outcome.CLEAN)])
    data = json.loads(as_json(swept, "dev", NOW))

    assert (data["outcome"], data["acted"], data["target"]) == ("clean", True, "dev")
    assert data["rows"][0]["age_seconds"] == 7200
    assert data["rows"][0]["source"] == "ledger"
