"""The judge of a whole environment: each of its states, and what comes before what."""

import pytest

from gatehouse.argocd.judge import TERMINAL, Judgement, State
from gatehouse.preview.judge import EnvironmentSnapshot, judge_environment
from gatehouse.preview.stages import Stage

COMMIT, OTHER = "a" * 40, "b" * 40


def applications(**states):
    return {name: Judgement(state, f"{name}'s reason") for name, state in states.items()}


READY = applications(www=State.READY, platform=State.READY)


def judged(**seen):
    return judge_environment(COMMIT, EnvironmentSnapshot(**{"applications": READY, "probe": "", **seen}))


def test_all_applications_ready_and_right_answers_are_ready():
    assert judged(head=COMMIT).state is State.READY


@pytest.mark.parametrize(
    ("seen", "state", "stage", "words"),
    [
        ({"applications": {}}, State.ABSENT, Stage.GENERATION, "no Application"),
        ({"absent": "1 of 2"}, State.ABSENT, Stage.GENERATION, "1 of 2"),
        ({"absent": "0 of 2", "generator_error": "401"}, State.FAILED, Stage.GENERATION, "401"),
        (
            {"pending_images": {"www": "shop/www:1"}},
            State.ROLLING_OUT,
            Stage.IMAGES,
            "image pending: shop/www:1",
        ),
        ({"pods": {"www": "its pod is Pending"}}, State.ROLLING_OUT, Stage.ROLLOUT, "its pod is Pending"),
        ({"probe": None}, State.PROBING, Stage.EDGE, "are asked"),
        ({"probe": "answered 503"}, State.PROBING, Stage.EDGE, "answered 503"),
        ({"probe": "answered 503", "overdue": "too long"}, State.TIMED_OUT, Stage.EDGE, "too long"),
        ({"head": OTHER}, State.SUPERSEDED, None, "bbbbbbbbbbbb now"),
        ({"closed": True}, State.GONE, None, "is closed"),
    ],
)
def test_what_is_seen_decides_state_stage_and_words(seen, state, stage, words):
    judgement = judged(**seen)

    assert (judgement.state, judgement.stage) == (state, stage)
    assert words in judgement.reason


@pytest.mark.parametrize(
    "state", [each for each in State if each not in TERMINAL and each is not State.READY]
)
def test_an_environment_is_as_far_as_its_least_advanced_application(state):
    judgement = judged(applications={**READY, **applications(late=state)})

    assert (judgement.state, judgement.application, judgement.reason) == (state, "late", "late's reason")


@pytest.mark.parametrize("state", [State.FAILED, State.BLOCKED, State.GONE])
def test_an_application_that_cannot_get_ready_decides_for_all(state):
    judgement = judged(applications={**READY, **applications(late=State.STALE, bad=state)})

    assert (judgement.state, judgement.application) == (state, "bad")


def test_an_application_whose_image_is_pending_has_not_failed():
    seen = {"applications": applications(www=State.FAILED), "pending_images": {"www": "shop/www:1"}}

    assert judged(**seen).state is State.ROLLING_OUT


def test_an_error_of_a_generator_that_has_made_everything_is_no_failure():
    assert judged(generator_error="rate limit").state is State.READY


def test_a_spent_budget_does_not_end_what_is_ready_and_keeps_what_has_failed():
    assert judged(overdue="too long").state is State.READY
    assert judged(applications=applications(www=State.FAILED), overdue="too long").state is State.FAILED


def test_a_moved_head_comes_before_everything_else():
    assert judged(head=OTHER, applications=applications(www=State.FAILED)).state is State.SUPERSEDED
