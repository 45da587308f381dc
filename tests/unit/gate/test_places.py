"""A suite that must have run inside and outside of the cluster: what opens the gate, and what does not."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gatehouse.gate.decide import decide
from gatehouse.gate.inputs import Subject, read_bundle
from gatehouse.gate.policy import Policy
from gatehouse.gate.verdict import Question
from tests.support.bundles import (
    COMMIT,
    PULL_REQUEST,
    REPOSITORY,
    failure,
    leak,
    phases,
    write_bundle,
)

UNVERIFIED = "Skipped: unverified: the target has no kubernetes section"
REFUSED = "Skipped: unverified: the identity may not list pods"
ABSENT = "Skipped: not configured: the cluster has no ExternalSecrets"


def skipped(test, reason):
    return phases(test, outcome="skipped", reason=reason)


def red(test):
    return phases(test, outcome="failed", failure=failure())


def of(**tests):
    """Events by test: a word for how it ended, or the reason for which it was skipped."""
    made = {"passed": phases, "failed": red}
    return {
        name: made[how](name) if how in made else skipped(name, how) if how else []
        for name, how in tests.items()
    }


def deployment(id_="deployment-1", version="v2.37.0"):
    return {"event": "coder_deployment", "id": id_, "version": version}


TOLD = (deployment(),)


@pytest.fixture
def make(tmp_path):
    """Writes a bundle of the smoke suite from a place."""
    count = iter(range(9))

    def make(place, tests, *, told=TOLD, extra=(), **more):
        inside = {"inside": True, "outside": False, "nowhere": None}[place]
        folder = tmp_path / f"{next(count)}-{place}"
        return write_bundle(folder, "smoke", tests, extra=(*told, *extra), inside=inside, **more)

    return make


def judge(*folders, **smoke):
    policy = {"schema": 1, "suites": {"smoke": {"run_from": ["outside", "inside"], **smoke}}}
    bundles = [read_bundle(folder) for folder in folders]
    subject = Subject(REPOSITORY, PULL_REQUEST, COMMIT)
    return decide(Question(Policy.model_validate(policy), subject, bundles, datetime.now(UTC)))


def said(verdict, rule):
    """The messages of a rule's reasons, which closed the gate."""
    assert verdict.exit_code != 0
    return [reason.message for reason in verdict.reasons if reason.rule == rule]


# --- what opens -------------------------------------------------------------------------------------------


def test_what_could_not_be_looked_at_from_outside_is_settled_by_the_run_inside(make):
    outside = make("outside", of(edge="passed", pods=UNVERIFIED))
    inside = make("inside", of(edge="passed", pods="passed"))

    verdict = judge(outside, inside)

    assert verdict.reasons == ()
    smoke = verdict.as_data()["suites"]["smoke"]
    assert (smoke["place"], smoke["others"][0]["place"]) == ("outside", "inside")


def test_the_other_way_round_as_well_and_in_any_order(make):
    outside = make("outside", of(edge="passed", pods=UNVERIFIED))
    inside = make("inside", of(edge=REFUSED, pods="passed"))

    assert judge(inside, outside).reasons == ()


def test_seen_from_inside_a_check_may_turn_out_not_to_apply_if_the_policy_agrees_to_the_reason(make):
    outside = make("outside", of(edge="passed", secrets=UNVERIFIED))
    inside = make("inside", of(edge="passed", secrets=ABSENT))

    assert judge(outside, inside, allowed_skips=["not configured: *"]).reasons == ()
    assert "secrets was verified nowhere" in said(judge(outside, inside), "skipped_tests")[0]


def test_tests_that_ran_at_either_place_count_once(make):
    outside = make("outside", of(edge="passed", pods=UNVERIFIED))
    inside = make("inside", of(edge="passed", pods="passed"))

    assert judge(outside, inside, min_executed=2).reasons == ()
    (words,) = said(judge(outside, inside, min_executed=3), "nothing_ran")
    assert "executed 2 tests, of at least 3; 2 collected" in words


def test_one_of_the_places_can_prove_that_nothing_is_left(make):
    outside = make("outside", of(edge="passed", gone=UNVERIFIED))
    inside = make("inside", of(edge="passed", gone="passed"), extra=(leak(),))
    left = make("inside", of(edge="passed", gone="passed"), extra=(leak("left", ["pods ws/pod"]),))

    assert judge(outside, inside, leak_proof=True).reasons == ()
    assert said(judge(outside, left, leak_proof=True), "leaks")


def test_without_the_demand_one_bundle_from_anywhere_is_enough_and_two_are_too_many(make):
    outside = make("outside", of(edge="passed"))
    inside = make("inside", of(edge="passed"))
    old = make("nowhere", of(edge="passed"), told=())

    for each in (outside, inside, old):
        assert judge(each, run_from=[]).reasons == ()
    assert said(judge(outside, inside, run_from=[]), "missing_suites")


def test_a_single_place_can_be_demanded(make):
    inside = make("inside", of(edge="passed"))

    assert judge(inside, run_from=["inside"]).reasons == ()
    assert said(judge(make("outside", of(edge="passed")), run_from=["inside"]), "places")


# --- which bundles there are ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (["outside"], "there is no evidence of the suite smoke from inside the cluster"),
        (["inside"], "there is no evidence of the suite smoke from outside the cluster"),
        (["outside", "outside"], "2 bundles of the suite smoke were made outside the cluster"),
        (["inside", "inside"], "2 bundles of the suite smoke were made inside the cluster"),
        (["outside", "inside", "inside"], "2 bundles of the suite smoke were made inside the cluster"),
        (["outside", "nowhere"], "comes from a place that its record does not name"),
        (["outside", "inside", "nowhere"], "comes from a place that its record does not name"),
    ],
)
def test_exactly_one_bundle_for_each_place(make, places, words):
    verdict = judge(*[make(place, of(edge="passed")) for place in places])

    assert any(words in each for each in said(verdict, "places"))


def test_none_at_all_is_a_missing_suite(make):
    assert said(judge(), "missing_suites")


@pytest.mark.parametrize("value", ["true", 1, "inside", None])
def test_a_record_that_names_its_place_in_other_words_names_none(make, tmp_path, value):
    outside = make("outside", of(edge="passed"))
    odd = write_bundle(tmp_path / "odd", "smoke", of(edge="passed"), extra=(deployment(),), inside=value)

    assert said(judge(outside, odd), "places")


# --- what was verified ------------------------------------------------------------------------------------


def test_what_was_verified_nowhere_closes_with_both_reasons(make):
    outside = make("outside", of(edge="passed", pods=UNVERIFIED))
    inside = make("inside", of(edge="passed", pods=REFUSED))

    first, second = said(judge(outside, inside), "skipped_tests")

    assert first == (
        "pods was verified nowhere (outside: unverified: the target has no kubernetes section; "
        "inside: unverified: the identity may not list pods)"
    )
    assert "verified nowhere (inside:" in second


@pytest.mark.parametrize("elsewhere", ["failed", "Skipped: because", ABSENT, None])
def test_unverified_is_accepted_for_nothing_but_a_pass_elsewhere(make, elsewhere):
    outside = make("outside", of(edge="passed", pods=UNVERIFIED))
    inside = make("inside", of(edge="passed", pods=elsewhere), exit_status=None if elsewhere else 1)

    assert any("pods was verified nowhere" in each for each in said(judge(outside, inside), "skipped_tests"))


def test_a_skip_for_another_reason_is_not_settled_by_a_pass_elsewhere(make):
    outside = make("outside", of(edge="passed", pods="Skipped: I did not feel like it"))
    inside = make("inside", of(edge="passed", pods="passed"))

    assert said(judge(outside, inside), "skipped_tests") == ["pods was skipped: I did not feel like it"]


def test_an_expected_failure_elsewhere_verifies_nothing(make):
    expected = [
        {"test": "pods", "attempt": 1, "phase": "setup", "outcome": "passed", "seconds": 0.0},
        {"test": "pods", "attempt": 1, "phase": "call", "outcome": "skipped", "seconds": 0.0, "xfail": True},
    ]
    outside = make("outside", of(edge="passed", pods=UNVERIFIED))
    inside = make("inside", {**of(edge="passed"), "pods": expected})

    assert "inside: xfailed" in said(judge(outside, inside), "skipped_tests")[0]


@pytest.mark.parametrize("place", ["outside", "inside"])
def test_a_failure_at_one_place_is_not_made_good_by_a_pass_at_the_other(make, place):
    other = {"outside": "inside", "inside": "outside"}[place]

    verdict = judge(make(place, of(edge="failed")), make(other, of(edge="passed")))

    assert said(verdict, "failures") == ["edge: it broke"]


@pytest.mark.parametrize("pattern", ["unverified: *", "*", "unverified:*", "unver*"])
def test_a_policy_that_lets_everything_unverified_pass_contradicts_itself(pattern):
    with pytest.raises(ValidationError, match="by which a test that was verified at no place would pass"):
        judge(allowed_skips=[pattern])


def test_a_policy_may_still_agree_to_a_certain_thing_that_nobody_can_verify(make):
    outside = make("outside", of(edge="passed", latency="Skipped: unverified: no latency in the report"))
    inside = make("inside", of(edge="passed", latency="Skipped: unverified: no latency in the report"))

    assert judge(outside, inside, allowed_skips=["unverified: no latency in *"]).reasons == ()


def test_a_place_that_is_named_twice_is_refused():
    with pytest.raises(ValidationError, match="names a place twice"):
        judge(run_from=["inside", "inside"])


# --- one platform, the same tests -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"target": "staging"}, "not of one target (outside: dev; inside: staging)"),
        ({"told": (deployment("deployment-2"),)}, "not of one Coder deployment"),
        ({"told": (deployment(version="v2.38.0"),)}, "inside: deployment-1 v2.38.0"),
        ({"told": ()}, "inside: unknown"),
        ({"told": (deployment(""),)}, "inside: unknown"),
        ({"told": (deployment(), deployment("deployment-2"))}, "inside: unknown"),
    ],
    ids=["target", "deployment", "version", "not told", "empty", "two deployments"],
)
def test_both_places_must_be_of_the_same_platform(make, changed, words):
    verdict = judge(make("outside", of(edge="passed")), make("inside", of(edge="passed"), **changed))

    assert any(words in each for each in said(verdict, "same_platform"))
    assert verdict.exit_code == 13


def test_two_runs_that_do_not_say_of_which_deployment_they_are_do_not_fit(make):
    outside, inside = (make(place, of(edge="passed"), told=()) for place in ("outside", "inside"))

    assert said(judge(outside, inside), "same_platform")


def test_another_selection_of_tests_at_one_place_closes_the_gate(make):
    outside = make("outside", of(edge="passed", pods=UNVERIFIED, login="passed"))
    inside = make("inside", of(edge="passed", pods="passed"))

    (words,) = said(judge(outside, inside), "same_tests")

    assert words == "the smoke run from inside lacks tests that the other has: login"


def test_a_test_that_was_unverified_at_one_place_and_not_selected_at_the_other_is_named_by_both_rules(make):
    outside = make("outside", of(edge="passed", pods=UNVERIFIED))
    inside = make("inside", of(edge="passed"))

    verdict = judge(outside, inside)

    assert said(verdict, "same_tests")
    assert "inside: not in its inventory" in said(verdict, "skipped_tests")[0]


# --- all combinations -------------------------------------------------------------------------------------

HOW = ["passed", "failed", UNVERIFIED, ABSENT, "Skipped: because", "absent"]


def verified(here, there):
    """Whether a test that ended so at two places says that the platform is well, or that it is not concerned."""
    accepted = ("passed", ABSENT)
    both = {here, there}
    return both <= {*accepted, UNVERIFIED} and both != {UNVERIFIED}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(HOW), st.sampled_from(HOW)), min_size=1, max_size=4))
def test_the_gate_opens_exactly_when_every_test_was_verified_somewhere_and_failed_nowhere(endings):
    names = [f"test_{number}" for number in range(len(endings))]
    with tempfile.TemporaryDirectory() as scratch:
        folders = []
        for index, place in enumerate(("outside", "inside")):
            tests = of(
                **{
                    name: how[index]
                    for name, how in zip(names, endings, strict=True)
                    if how[index] != "absent"
                }
            )
            ran = any(how[index] in ("passed", "failed") for how in endings)
            red_ = any(how[index] == "failed" for how in endings)
            status = 1 if red_ else 0 if ran else 5
            folder = Path(scratch) / place
            inside = place == "inside"
            folders.append(
                write_bundle(folder, "smoke", tests, extra=TOLD, inside=inside, exit_status=status)
            )

        verdict = judge(*folders, allowed_skips=["not configured: *"])

    ran_at_each = all(any(how[index] == "passed" for how in endings) for index in range(2))
    assert (verdict.exit_code == 0) == (all(verified(*how) for how in endings) and ran_at_each)
