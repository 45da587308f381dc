"""What state a whole preview environment is in, and why: a pure function, like the judge of one Application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatehouse.argocd.judge import TERMINAL, Judgement, State
from gatehouse.preview.stages import STAGE_OF, Stage

#: The order in which an environment becomes ready; it is as far as its least advanced Application.
_ORDER = {state: place for place, state in enumerate(State)}


@dataclass(frozen=True)
class EnvironmentSnapshot:
    """What is known of an environment at one moment; what has not been looked at is empty.

    `head` is the pull request's present head, `closed` whether it is closed. `absent` says which
    Applications the ApplicationSets have not made yet, `generator_error` why they may never.
    `pending_images` maps an Application to the image it asks for that its registry does not have.
    `pods` maps an Application to a pod that its health leaves out. `probe` says what is wrong with the answers
    at the hostnames; None while they have not been asked. `overdue` is what a spent budget is called.
    """

    applications: Mapping[str, Judgement] = field(default_factory=dict)
    head: str = ""
    closed: bool = False
    absent: str = ""
    generator_error: str = ""
    pending_images: Mapping[str, str] = field(default_factory=dict)
    pods: Mapping[str, str] = field(default_factory=dict)
    probe: str | None = None
    overdue: str = ""


@dataclass(frozen=True)
class EnvironmentJudgement:
    """A state, one line saying why, the stage that it belongs to, and the Application it is about, if any."""

    state: State
    reason: str = ""
    stage: Stage | None = None
    application: str = ""


def judge_environment(commit: str, seen: EnvironmentSnapshot) -> EnvironmentJudgement:
    """The state of the environment of a pull request at a full commit SHA."""
    if seen.closed:
        return EnvironmentJudgement(State.GONE, "the pull request is closed: its preview is going or gone")
    if seen.head and seen.head != commit:
        return EnvironmentJudgement(
            State.SUPERSEDED, f"the pull request's head is {seen.head[:12]} now, not {commit[:12]}"
        )
    for name, judgement in seen.applications.items():
        if judgement.state in TERMINAL and name not in seen.pending_images:
            return EnvironmentJudgement(judgement.state, judgement.reason, None, name)
    underway = _underway(seen)
    if underway.stage is Stage.GENERATION and seen.generator_error:
        return EnvironmentJudgement(State.FAILED, seen.generator_error, Stage.GENERATION)
    if underway.state is not State.READY and seen.overdue:
        return EnvironmentJudgement(
            State.TIMED_OUT,
            f"{seen.overdue}, and it is {underway.state}: {underway.reason}",
            underway.stage,
            underway.application,
        )
    return underway


def _underway(seen: EnvironmentSnapshot) -> EnvironmentJudgement:
    """How far an environment is that may still become ready."""
    if seen.absent or not seen.applications:
        return EnvironmentJudgement(
            State.ABSENT, seen.absent or "there is no Application for it yet", Stage.GENERATION
        )
    for name, image in seen.pending_images.items():
        return EnvironmentJudgement(
            State.ROLLING_OUT, f"image pending: {image} is not in the registry", Stage.IMAGES, name
        )
    name, least = min(seen.applications.items(), key=lambda entry: _ORDER[entry[1].state])
    if least.state is not State.READY:
        return EnvironmentJudgement(least.state, least.reason, STAGE_OF[least.state], name)
    for name, reason in seen.pods.items():
        return EnvironmentJudgement(State.ROLLING_OUT, reason, Stage.ROLLOUT, name)
    if seen.probe != "":
        return EnvironmentJudgement(State.PROBING, seen.probe or "the hostnames are asked", Stage.EDGE)
    return EnvironmentJudgement(State.READY, "every Application is ready, and every hostname answers")
