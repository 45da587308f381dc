"""What became of each collected test: a pure reading of the record's events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gatehouse.evidence.record import Event


class Status(StrEnum):
    """The final state of a test. Only `PASSED` is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    CRASHED = "crashed"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    NOT_RUN = "not run"


#: States that make a run red.
BAD = frozenset({Status.FAILED, Status.ERROR, Status.CRASHED, Status.NOT_RUN})


@dataclass
class Failure:
    """Why a test is red. `failure_class` is product, infrastructure, environment, leak or untrusted."""

    failure_class: str
    summary: str
    details: str = ""
    text: str = ""
    type: str = ""
    where: str = ""
    next_step: str = ""


@dataclass
class Attempt:
    """One run of a test, from set-up to teardown."""

    status: Status = Status.NOT_RUN
    seconds: float = 0.0
    reason: str = ""
    failures: list[Failure] = field(default_factory=list)
    phases: set[str] = field(default_factory=set)
    output: dict[str, str] = field(default_factory=dict)


@dataclass
class TestResult:
    """A collected test and all its attempts; the last one counts."""

    __test__ = False  # not a test class, though its name begins like one

    id: str
    suite: str = ""
    file: str = ""
    line: int | None = None
    attempts: list[Attempt] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    attachments: list[dict[str, str]] = field(default_factory=list)
    #: What a journey that failed says, in the order in which people look for the reason.
    report: str = ""
    #: Of a check of the inner suite: how it ended, the tests it ran, and the places it complained about.
    outcome: str = ""
    children: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def last(self) -> Attempt:
        """The attempt that counts."""
        return self.attempts[-1] if self.attempts else Attempt()

    @property
    def status(self) -> Status:
        """The final state."""
        return self.last.status

    @property
    def failure(self) -> Failure | None:
        """The first failure of the last attempt."""
        return next(iter(self.last.failures), None)

    @property
    def seconds(self) -> float:
        """The time of all attempts."""
        return sum(attempt.seconds for attempt in self.attempts)


@dataclass
class RunResults:
    """Everything a record says about a run."""

    started: Event = field(default_factory=dict)
    finished: Event | None = None
    tests: dict[str, TestResult] = field(default_factory=dict)
    collection_errors: list[Failure] = field(default_factory=list)
    problems: list[Failure] = field(default_factory=list)
    interrupted: str = ""
    proofs: list[Event] = field(default_factory=list)
    leaks: list[Event] = field(default_factory=list)
    #: The Coder deployments that the run was about.
    deployments: list[Event] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many tests there are of each state, and in all."""
        counted = Counter(str(test.status) for test in self.tests.values())
        return {"collected": len(self.tests)} | dict(sorted(counted.items()))

    @property
    def red(self) -> list[TestResult]:
        """The tests that make the run red, in the order of collection."""
        return [test for test in self.tests.values() if test.status in BAD]

    @property
    def flaky(self) -> list[TestResult]:
        """The tests that passed only after a failed attempt."""
        return [
            test
            for test in self.tests.values()
            if len(test.attempts) > 1 and test.status in (Status.PASSED, Status.XPASSED)
        ]


def honest_exit_status(status: int, results: RunResults) -> int:
    """Pytest's exit status, made worse where the record says so; never better.

    A run in which nothing was executed ends with 5, one that was stopped with 2, one whose record has a red
    test, an unexpected one, or one without a result with 1, whatever pytest made of it.
    """
    if status != 0:
        return status
    if results.interrupted:
        return 2
    if results.red or results.problems or results.collection_errors or results.unexpected:
        return 1
    executed = [test for test in results.tests.values() if test.status not in ("skipped", "not run")]
    return 0 if executed else 5


def read_results(events: Iterable[Event]) -> RunResults:
    """Fold the events of a record. Unknown events are passed over, so that newer records can be read."""
    results = RunResults()
    for event in events:
        match event["event"]:
            case "run_started":
                results.started = event
            case "collected":
                for item in event["items"]:
                    results.tests[item["id"]] = TestResult(
                        item["id"], item.get("suite", ""), item.get("file", ""), item.get("line")
                    )
            case "collection_error":
                results.collection_errors.append(_failure(event["failure"]))
            case "problem":
                results.problems.append(_failure(event["failure"]))
            case "phase":
                _add_phase(results, event)
            case "attachment":
                if event.get("test") in results.tests:
                    results.tests[event["test"]].attachments.append(
                        {key: str(event.get(key, "")) for key in ("name", "path", "media_type")}
                    )
            case "failure_report":
                if event.get("test") in results.tests:
                    results.tests[event["test"]].report = str(event.get("text", ""))
            case "check":
                if event.get("test") in results.tests:
                    test = results.tests[event["test"]]
                    test.outcome = str(event.get("outcome", ""))
                    test.children = list(event.get("tests", ()))
                    test.findings = list(event.get("findings", ()))
            case "deployment_proof":
                results.proofs.append(event)
            case "leak_proof":
                results.leaks.append(event)
            case "coder_deployment":
                results.deployments.append(event)
            case "withheld":
                for test in results.tests.values():
                    test.attachments = [each for each in test.attachments if each["path"] != event["path"]]
            case "interrupted":
                results.interrupted = results.interrupted or str(event.get("by", "interrupted"))
            case "run_finished":
                results.finished = event
    return results


def _add_phase(results: RunResults, event: Event) -> None:
    test = results.tests.get(event["test"])
    if test is None:
        # A report of something that was never collected: kept apart, so that nobody counts it as a pass.
        results.unexpected.append(event["test"])
        return
    number = int(event.get("attempt", 1))
    while len(test.attempts) < number:
        test.attempts.append(Attempt())
    attempt = test.attempts[number - 1]
    attempt.seconds += float(event.get("seconds", 0.0))
    attempt.phases.add(event["phase"])
    attempt.output |= event.get("output", {})
    test.properties |= {str(key): str(value) for key, value in event.get("properties", {}).items()}
    if event.get("failure"):
        attempt.failures.append(_failure(event["failure"]))
    if event.get("reason"):
        attempt.reason = event["reason"]
    attempt.status = _status(attempt.status, event)


def _status(before: Status, event: Event) -> Status:
    """The state of an attempt after one more phase. It never gets better once it is bad."""
    outcome, phase = event["outcome"], event["phase"]
    if phase == "crash":
        return Status.CRASHED
    if outcome == "failed" or event.get("failure"):
        return Status.FAILED if phase in ("call", "subtest") and before is not Status.ERROR else Status.ERROR
    if before in BAD and before is not Status.NOT_RUN:
        return before
    if outcome == "skipped":
        return Status.XFAILED if event.get("xfail") else Status.SKIPPED
    if phase == "call":
        return Status.XPASSED if event.get("xfail") else Status.PASSED
    return before


def _failure(data: dict[str, Any]) -> Failure:
    return Failure(
        failure_class=str(data.get("class", "infrastructure")),
        summary=str(data.get("summary", "")),
        details=str(data.get("details", "")),
        text=str(data.get("text", "")),
        type=str(data.get("type", "")),
        where=str(data.get("where", "")),
        next_step=str(data.get("next", "")),
    )
