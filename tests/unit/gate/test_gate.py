"""Each way in which evidence can be short, false, stale or about something else keeps the gate closed."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from gatehouse.gate.decide import decide
from gatehouse.gate.inputs import Subject, read_bundle
from gatehouse.gate.policy import Policy
from gatehouse.gate.rules import RULES
from gatehouse.gate.verdict import EXIT_CODES, PRECEDENCE, Question, VerdictClass
from tests.support.bundles import (
    COMMIT,
    PULL_REQUEST,
    REPOSITORY,
    failure,
    leak,
    phases,
    proof,
    write_bundle,
)

POLICY = {
    "schema": 1,
    "suites": {
        "smoke": {"min_executed": 2},
        "preview": {"deployment_proof": True},
        "task": {"leak_proof": True},
    },
}
PROOFS = (proof("start"), proof("end"))


@pytest.fixture
def good(tmp_path):
    """A set of bundles that opens the gate."""
    return {
        "smoke": write_bundle(tmp_path / "smoke", "smoke"),
        "preview": write_bundle(tmp_path / "preview", "preview", extra=PROOFS),
        "task": write_bundle(tmp_path / "task", "task", extra=(leak(),)),
    }


def judge(folders, policy=POLICY, now=None, **subject):
    asked = {"repository": REPOSITORY, "pull_request": PULL_REQUEST, "commit": COMMIT, **subject}
    bundles = [read_bundle(folder) for folder in (folders.values() if isinstance(folders, dict) else folders)]
    return decide(
        Question(Policy.model_validate(policy), Subject(**asked), bundles, now or datetime.now(UTC))
    )


def closed_by(verdict, rule, verdict_class):
    found = [(reason.rule, reason.verdict_class) for reason in verdict.reasons]
    assert (rule, verdict_class) in found, verdict.reasons
    assert verdict.exit_code == EXIT_CODES[verdict.verdict_class] != 0
    return verdict


def replaced(good, suite, folder, *arguments, **keywords):
    """The good set with one bundle in the place of the suite's own."""
    return {**good, suite: write_bundle(folder, suite, *arguments, **keywords)}


def rewrite(path, change):
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_complete_fresh_and_matching_evidence_opens_the_gate(good):
    verdict = judge(good)

    assert verdict.reasons == ()
    assert verdict.exit_code == 0
    assert verdict.as_data()["verdict"] == "open"
    assert set(verdict.as_data()["suites"]) == {"smoke", "preview", "task"}


# --- missing and short ---


@pytest.mark.parametrize("suite", ["smoke", "preview", "task"])
def test_a_required_suite_that_is_missing(good, suite):
    del good[suite]

    closed_by(judge(good), "missing_suites", VerdictClass.INCOMPLETE)


def test_no_evidence_at_all(good):
    assert len(judge([]).reasons) == 3


def test_two_bundles_that_claim_to_be_the_same_suite(good, tmp_path):
    good["again"] = write_bundle(tmp_path / "again", "smoke")

    closed_by(judge(good), "missing_suites", VerdictClass.INCOMPLETE)


def test_the_same_bundle_handed_over_twice(good):
    closed_by(judge([*good.values(), good["smoke"]]), "contradictions", VerdictClass.UNTRUSTED)


def test_a_suite_that_the_policy_does_not_know(good, tmp_path):
    good["other"] = write_bundle(tmp_path / "other", "nightly")

    closed_by(judge(good), "missing_suites", VerdictClass.INCOMPLETE)


def test_a_path_that_is_no_bundle(good, tmp_path):
    good["smoke"] = tmp_path / "nowhere"

    closed_by(judge(good), "unfinished_runs", VerdictClass.INCOMPLETE)


def test_nothing_was_collected(good, tmp_path):
    closed_by(
        judge(replaced(good, "smoke", tmp_path / "x", {}, exit_status=5)),
        "nothing_ran",
        VerdictClass.INCOMPLETE,
    )


def test_everything_was_skipped(good, tmp_path):
    tests = {name: phases(name, outcome="skipped") for name in ("a", "b", "c")}

    verdict = judge(replaced(good, "smoke", tmp_path / "x", tests, exit_status=0))

    closed_by(verdict, "nothing_ran", VerdictClass.INCOMPLETE)
    closed_by(verdict, "skipped_tests", VerdictClass.INCOMPLETE)


def test_fewer_tests_ran_than_the_policy_demands(good, tmp_path):
    closed_by(
        judge(replaced(good, "smoke", tmp_path / "x", {"a": phases("a")})),
        "nothing_ran",
        VerdictClass.INCOMPLETE,
    )


def test_a_skip_whose_reason_is_not_agreed_and_one_whose_reason_is(good, tmp_path):
    tests = {
        **{name: phases(name) for name in "ab"},
        "c": phases("c", outcome="skipped", reason="unverified: no cluster"),
    }
    bundles = replaced(good, "smoke", tmp_path / "x", tests)
    closed_by(judge(bundles), "skipped_tests", VerdictClass.INCOMPLETE)

    allowing = {**POLICY, "suites": {**POLICY["suites"], "smoke": {"allowed_skips": ["unverified: *"]}}}
    assert judge(bundles, allowing).exit_code == 0


def test_a_collected_test_without_a_result(good, tmp_path):
    bundles = replaced(
        good,
        "smoke",
        tmp_path / "x",
        collected=["suites/smoke/test_a.py::one", "lost"],
        tests={"suites/smoke/test_a.py::one": None},
        exit_status=0,
    )

    verdict = closed_by(judge(bundles), "nothing_ran", VerdictClass.INCOMPLETE)
    closed_by(verdict, "contradictions", VerdictClass.UNTRUSTED)


# --- red ---


@pytest.mark.parametrize(
    ("kind", "verdict_class", "code"),
    [
        ("product", VerdictClass.PRODUCT, 1),
        ("infrastructure", VerdictClass.INFRASTRUCTURE, 10),
        ("environment", VerdictClass.INFRASTRUCTURE, 10),
        ("leak", VerdictClass.LEAK, 11),
        ("untrusted", VerdictClass.UNTRUSTED, 13),
        ("unheard of", VerdictClass.INFRASTRUCTURE, 10),
    ],
)
def test_a_failure_closes_with_the_class_of_whoever_was_at_fault(good, tmp_path, kind, verdict_class, code):
    tests = {"a": phases("a"), "b": phases("b"), "c": phases("c", outcome="failed", failure=failure(kind))}

    verdict = closed_by(judge(replaced(good, "smoke", tmp_path / "x", tests)), "failures", verdict_class)

    assert verdict.exit_code == code
    assert verdict.reasons[0].message == "c: it broke"


def test_a_problem_of_a_run_as_a_whole(good, tmp_path):
    problem = {"event": "problem", "failure": failure("environment", "no browser")}

    closed_by(
        judge(replaced(good, "smoke", tmp_path / "x", extra=(problem,))),
        "failures",
        VerdictClass.INFRASTRUCTURE,
    )


def test_a_test_that_could_not_be_collected(good, tmp_path):
    error = {"event": "collection_error", "failure": failure("infrastructure", "cannot be collected")}

    closed_by(
        judge(replaced(good, "smoke", tmp_path / "x", extra=(error,))),
        "failures",
        VerdictClass.INFRASTRUCTURE,
    )


def test_a_crashed_worker(good, tmp_path):
    crash = {
        "test": "a",
        "attempt": 1,
        "phase": "crash",
        "outcome": "failed",
        "failure": failure("infrastructure"),
    }
    tests = {"a": [crash], "b": phases("b"), "c": phases("c")}

    closed_by(judge(replaced(good, "smoke", tmp_path / "x", tests)), "failures", VerdictClass.INFRASTRUCTURE)


@pytest.mark.parametrize("status", [1, 3, 4, 70])
def test_an_exit_status_that_nothing_explains(good, tmp_path, status):
    closed_by(
        judge(replaced(good, "smoke", tmp_path / "x", exit_status=status)),
        "failures",
        VerdictClass.INFRASTRUCTURE,
    )


def test_an_interrupted_run(good, tmp_path):
    extra = ({"event": "interrupted", "by": "SIGTERM"},)

    verdict = judge(replaced(good, "smoke", tmp_path / "x", extra=extra, exit_status=2))

    assert closed_by(verdict, "unfinished_runs", VerdictClass.INTERRUPTED).exit_code == 14


def test_a_run_that_was_killed(good, tmp_path):
    closed_by(
        judge(replaced(good, "smoke", tmp_path / "x", finish=False)),
        "unfinished_runs",
        VerdictClass.INCOMPLETE,
    )


def test_a_pass_only_after_a_failed_attempt(good, tmp_path):
    tests = {
        "a": phases("a"),
        "b": [*phases("b", outcome="failed", failure=failure()), *phases("b", attempt=2)],
    }
    bundles = replaced(good, "smoke", tmp_path / "x", tests)
    assert closed_by(judge(bundles), "flaky_tests", VerdictClass.FLAKY).exit_code == 15

    tolerant = {**POLICY, "suites": {**POLICY["suites"], "smoke": {"max_flaky": 1}}}
    assert judge(bundles, tolerant).exit_code == 0


# --- leaks ---


@pytest.mark.parametrize("outcome", ["left", "unverified", "unheard of"])
def test_a_leak_proof_that_is_not_clean(good, tmp_path, outcome):
    verdict = judge(replaced(good, "task", tmp_path / "x", extra=(leak(outcome, ["pods ws/pod"]),)))

    assert closed_by(verdict, "leaks", VerdictClass.LEAK).exit_code == 11


def test_a_task_suite_without_any_leak_proof(good, tmp_path):
    closed_by(judge(replaced(good, "task", tmp_path / "x")), "leaks", VerdictClass.INCOMPLETE)


# --- about something else ---


@pytest.mark.parametrize(
    ("what", "value"),
    [("repository", "acme/other"), ("pull_request", 8), ("commit", "b" * 40), ("commit", "a" * 39)],
)
def test_evidence_about_another_subject(good, what, value):
    verdict = closed_by(judge(good, **{what: value}), "subject", VerdictClass.UNTRUSTED)

    assert verdict.exit_code == 13


@pytest.mark.parametrize("commit", [None, "", "a" * 12])
def test_evidence_that_names_no_or_a_short_commit(good, tmp_path, commit):
    closed_by(
        judge(replaced(good, "smoke", tmp_path / "x", subject={"commit": commit})),
        "subject",
        VerdictClass.UNTRUSTED,
    )


def test_evidence_of_a_checkout_with_local_changes(good, tmp_path):
    closed_by(
        judge(replaced(good, "smoke", tmp_path / "x", subject={"dirty": True})),
        "subject",
        VerdictClass.UNTRUSTED,
    )


def test_evidence_that_is_too_old_or_from_the_future(good):
    closed_by(judge(good, now=datetime.now(UTC) + timedelta(hours=25)), "age", VerdictClass.UNTRUSTED)
    closed_by(judge(good, now=datetime.now(UTC) - timedelta(hours=1)), "age", VerdictClass.UNTRUSTED)


def test_evidence_of_the_embedded_platform_unless_it_is_allowed(good, tmp_path):
    bundles = replaced(good, "smoke", tmp_path / "x", embedded=True)
    assert closed_by(judge(bundles), "embedded_target", VerdictClass.UNTRUSTED).exit_code == 13

    allowed = judge(bundles, {**POLICY, "allow_embedded": True})
    assert allowed.exit_code == 0
    assert allowed.as_data()["allow_embedded"] is True


@pytest.mark.parametrize(
    "proofs",
    [
        (),
        (proof("start"),),
        (proof("end"),),
        (proof("start", outcome="base images"), proof("end")),
        (proof("start"), proof("end", outcome="mixed images")),
        (proof("start", commit="b" * 40), proof("end")),
        (proof("start"), proof("end", commit="b" * 40)),
        (proof("start"), proof("end", outcome="could not tell")),
    ],
    ids=[
        "none",
        "no end",
        "no start",
        "base images",
        "mixed after",
        "other commit",
        "redeployed",
        "could not tell",
    ],
)
def test_a_preview_that_was_not_proved_to_be_of_this_commit_before_and_after(good, tmp_path, proofs):
    verdict = judge(replaced(good, "preview", tmp_path / "x", extra=proofs))

    assert closed_by(verdict, "deployment_proof", VerdictClass.UNTRUSTED).exit_code == 13


def test_a_preview_that_never_got_ready_is_a_failure_and_not_a_matter_of_trust(good, tmp_path):
    failed = {
        "event": "deployment_proof",
        "stage": "start",
        "outcome": "failed",
        "failure": failure("product", "crash"),
    }
    tests = {
        "a": [
            {"test": "a", "attempt": 1, "phase": "setup", "outcome": "failed", "failure": failure("product")}
        ]
    }

    verdict = judge(replaced(good, "preview", tmp_path / "x", tests, extra=(failed,)))

    assert verdict.verdict_class is VerdictClass.PRODUCT


# --- forged ---


def forge_green_junit(folder):
    path = folder / "junit.xml"
    path.write_text(path.read_text().replace("testsuites", "testsuites ", 1))


def forge_remove_a_file(folder):
    (folder / "attachments" / "note.txt").unlink()


def forge_add_a_file(folder):
    (folder / "attachments" / "extra.txt").write_text("x")


def forge_link_a_file(folder):
    note = folder / "attachments" / "note.txt"
    note.rename(folder.parent / "note.txt")
    note.symlink_to(folder.parent / "note.txt")


def forge_drop_a_line_of_the_record(folder):
    path = folder / "record.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:3] + lines[4:]))


def forge_record_and_its_digest(folder):
    """Change a result and repair the manifest for it, as somebody who knows the format would."""
    path = folder / "record.jsonl"
    path.write_text(path.read_text().replace('"exit_status": 0', '"exit_status": 1'))
    import hashlib

    def repair(manifest):
        data = path.read_bytes()
        manifest["files"]["record.jsonl"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    rewrite(folder / "manifest.json", repair)


def forge_the_manifests_commit(folder):
    rewrite(folder / "manifest.json", lambda manifest: manifest["subject"].update(commit="c" * 40))


def forge_the_manifests_counts(folder):
    rewrite(folder / "manifest.json", lambda manifest: manifest["counts"].update(passed=99))


def forge_the_manifests_target(folder):
    rewrite(folder / "manifest.json", lambda manifest: manifest["target"].update(embedded=True))


def forge_no_manifest(folder):
    (folder / "manifest.json").unlink()


def forge_truncated_manifest(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:-40])


def forge_no_record(folder):
    (folder / "record.jsonl").unlink()


def forge_truncated_junit(folder):
    path = folder / "junit.xml"
    path.write_text(path.read_text()[:-30])


def forge_document_type(folder):
    path = folder / "junit.xml"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>' + path.read_text().split("?>", 1)[1]
    )


def forge_unknown_encoding(folder):
    path = folder / "junit.xml"
    path.write_text('<?xml version="1.0" encoding="ttf-8"?>' + path.read_text().split("?>", 1)[1])


FORGERIES = [value for name, value in sorted(globals().items()) if name.startswith("forge_")]


@pytest.mark.parametrize("suite", ["smoke", "preview", "task"])
@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__.removeprefix("forge_"))
def test_no_forgery_opens_the_gate(good, suite, forge):
    forge(good[suite])

    verdict = judge(good)

    assert verdict.reasons
    assert verdict.exit_code in (12, 13)


def test_files_swapped_between_two_good_bundles(good):
    shutil.copy(good["smoke"] / "record.jsonl", good["task"] / "record.jsonl")

    closed_by(judge(good), "altered_files", VerdictClass.UNTRUSTED)


def test_a_bundle_copied_from_another_pull_request(good, tmp_path):
    bundles = replaced(good, "smoke", tmp_path / "x", subject={"pull_request": 8, "commit": "b" * 40})

    closed_by(judge(bundles), "subject", VerdictClass.UNTRUSTED)


# --- the verdict ---


def test_several_classes_at_once_give_the_most_basic_one(good, tmp_path):
    tests = {"a": phases("a", outcome="failed", failure=failure())}
    bundles = replaced(good, "smoke", tmp_path / "x", tests)
    forge_add_a_file(bundles["task"])

    verdict = judge(bundles)

    assert verdict.verdict_class is VerdictClass.UNTRUSTED
    assert {reason.verdict_class for reason in verdict.reasons} >= {
        VerdictClass.PRODUCT,
        VerdictClass.INCOMPLETE,
    }
    assert verdict.reasons[0].verdict_class is VerdictClass.UNTRUSTED


def test_every_class_has_its_place_in_the_order_and_its_own_exit_code():
    assert set(PRECEDENCE) == set(VerdictClass) - {VerdictClass.OPEN}
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)


def test_every_rule_is_asked():
    import pkgutil

    from gatehouse.gate import rules

    modules = {module.name for module in pkgutil.iter_modules(rules.__path__)}

    assert {rule.__module__.rsplit(".", 1)[-1] for rule in RULES} == modules


def test_every_reason_says_what_to_do_next(good, tmp_path):
    bundles = replaced(good, "smoke", tmp_path / "x", {"a": phases("a", outcome="failed", failure=failure())})
    for forge in FORGERIES[:4]:
        forge(bundles["task"])

    assert all(reason.next and reason.message for reason in judge(bundles).reasons)
