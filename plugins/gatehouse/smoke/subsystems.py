"""The state of each subsystem, out of the results of its tests: a pure decision, and a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from gatehouse.evidence.results import BAD, Attempt, RunResults, Status, TestResult
from gatehouse.smoke.regressions import Regression, likely

#: How reasons of skips begin that are answers: nobody was allowed to look, or there is no such thing here.
UNVERIFIED, NOT_CONFIGURED = "unverified: ", "not configured: "

#: The class of failures that say nothing about the platform: a token or a tool on this side.
ENVIRONMENT = "environment"

#: Types of failures that say nothing about it, either: the server refused for the number of requests only.
NO_ANSWER = frozenset({"RateLimited"})

#: The test that asks Coder for a sign of life. While it is red, nothing else that is asked of Coder tells more.
SIGN_OF_LIFE = "test_control_plane.py::test_the_process_answers"

#: The property by which a test belongs to another subsystem than its file says.
PROPERTY = "subsystem"


class State(StrEnum):
    """What is known of a subsystem, the worst first."""

    BROKEN = "broken"
    NO_VERDICT = "no verdict"
    UNVERIFIED = "unverified"
    NOT_RUN = "not run"
    WORKS = "works"
    NOT_CONFIGURED = "not configured"


@dataclass(frozen=True)
class RedTest:
    """A red test: what the server said, the class of regressions it looks like, and what to do next."""

    id: str
    words: str
    next_step: str
    regression: Regression | None


@dataclass
class Subsystem:
    """The tests of one file, counted by what they say."""

    name: str
    tests: dict[State, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    red: list[RedTest] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def state(self) -> State:
        """The worst of its tests; what is not configured counts only where there is nothing else."""
        return next((state for state in State if self.tests.get(state)), State.NOT_RUN)

    @property
    def counted(self) -> str:
        """How many tests say what."""
        return ", ".join(f"{self.tests[state]} {state}" for state in State if self.tests.get(state))


def subsystems(results: RunResults, suite: str = "smoke") -> list[Subsystem]:
    """All subsystems of a run, in the order of their tests."""
    found: dict[str, Subsystem] = {}
    silent = any(test.id.endswith(SIGN_OF_LIFE) and test.status in BAD for test in results.tests.values())
    for test in results.tests.values():
        if test.suite != suite:
            continue
        name = test.properties.get(PROPERTY) or subsystem_of(test.file or test.id)
        _add(found.setdefault(name, Subsystem(name)), test, silent=silent)
    _share_likenesses(found.values())
    return list(found.values())


def _share_likenesses(found: Iterable[Subsystem]) -> None:
    """What says the same is of one class, also where a test about something else met it."""
    known = {red.words: red.regression for each in found for red in each.red if red.regression}
    for each in found:
        each.red = [replace(red, regression=red.regression or known.get(red.words)) for red in each.red]


def subsystem_of(path: str) -> str:
    """`suites/smoke/test_control_plane.py` is about the control plane."""
    return PurePosixPath(path.split("::")[0]).stem.removeprefix("test_").replace("_", " ")


def _add(subsystem: Subsystem, test: TestResult, *, silent: bool) -> None:
    state = _state(test.status, test.last)
    subsystem.tests[state] = subsystem.tests.get(state, 0) + 1
    subsystem.seconds += test.seconds
    if state in (State.UNVERIFIED, State.NOT_CONFIGURED):
        reason = _reason(test.last)
        subsystem.reasons += [reason] if reason not in subsystem.reasons else []
    if test.status in BAD and test.failure:
        failure = test.failure
        words = "\n".join([failure.summary, failure.details, failure.where])
        likeness = likely(test.id, words, failure.type, silent=silent)
        subsystem.red.append(RedTest(test.id, failure.summary, failure.next_step, likeness))


def _state(status: Status, attempt: Attempt) -> State:
    if status in BAD:
        if status is Status.NOT_RUN:
            return State.NOT_RUN
        says_nothing = [
            each.failure_class == ENVIRONMENT or each.type in NO_ANSWER for each in attempt.failures
        ]
        return State.NO_VERDICT if says_nothing and all(says_nothing) else State.BROKEN
    if status is Status.SKIPPED:
        return State.NOT_CONFIGURED if _reason(attempt).startswith(NOT_CONFIGURED) else State.UNVERIFIED
    return State.WORKS


def _reason(attempt: Attempt) -> str:
    return attempt.reason.removeprefix("Skipped: ")


@dataclass(frozen=True)
class Version:
    """What has which version, and had before the upgrade where that is known."""

    name: str
    now: str
    before: str = ""


def clock_words(seconds_ahead: float) -> str:
    """A line about a clock of Coder's that differs from this machine's by so many seconds."""
    seconds = abs(seconds_ahead)  # known to a few seconds only
    amount = timedelta(seconds=60 * round(seconds / 60) if seconds > 90 else round(seconds))
    side = "ahead of" if seconds_ahead > 0 else "behind"
    return (
        f"clock: Coder's is {amount} {side} this machine's (ages and lifetimes are counted by the server's own clock); "
        "next: have both synchronised"
    )


def lines(
    found: Iterable[Subsystem], versions: Mapping[str, Version], differences: Iterable[str]
) -> list[str]:
    """The table of subsystems, versions, differences, and what to do about each failure, as lines of text."""
    rows = [(each.name, str(each.state), each.counted) for each in found]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
    text = [f"{name:<{widths[0]}}  {state:<{widths[1]}}  {counted}".rstrip() for name, state, counted in rows]
    for version in versions.values():
        change = f"{version.before} → {version.now}" if version.before else version.now
        text.append(f"{version.name}: {change}")
    text += differences
    for subsystem in found:
        text += [
            f"{subsystem.name}: {reason}" for reason in subsystem.reasons if reason.startswith(UNVERIFIED)
        ]
    for alike in _alike(red for subsystem in found for red in subsystem.red):
        text += _advice(alike)
    return text


def _alike(red: Iterable[RedTest]) -> list[list[RedTest]]:
    """Red tests that say the same belong together: one cause is told once, with the first test that met it."""
    groups: dict[tuple[str, str], list[RedTest]] = {}
    for each in red:
        groups.setdefault((each.words, each.next_step), []).append(each)
    return list(groups.values())


def _advice(alike: list[RedTest]) -> list[str]:
    red, others = alike[0], len(alike) - 1
    text = [red.id + (f" and {others} more" if others else ""), f"  {red.words}"]
    if red.regression:
        text += [f"  like: {red.regression.title} ({red.regression.links[0]})"]
    step = red.next_step or (red.regression.next_step if red.regression else "")
    return text + ([f"  next: {step}"] if step else [])
