"""The short answer: the verdict, the first actionable error, and the command to run again."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from gatehouse.evidence.results import Failure, RunResults, Status, TestResult

#: Characters of digest.md, at most.
LIMIT = 2000

#: Reasons of skipped tests that are shown, at most.
SKIP_REASONS = 3

#: Flaky tests that are named, at most.
FLAKY_NAMES = 3

#: Classes of failure in the order in which they explain each other: the first is most likely the cause.
CAUSES_FIRST = ("guard rail", "environment", "untrusted", "infrastructure", "leak", "product")

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class FirstError:
    """The error to look at first."""

    failure_class: str
    test: str
    summary: str
    details: str
    next_step: str
    rerun: str


@dataclass(frozen=True)
class Digest:
    """`verdict` is passed, failed, interrupted or nothing ran; `counts` as in the record's results."""

    verdict: str
    suites: tuple[str, ...]
    counts: dict[str, int]
    first_error: FirstError | None
    more: int
    evidence: str
    notes: tuple[str, ...] = field(default=())

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, for digest.json."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The digest as text: the verdict, then the first error and the command to run again last."""
        counted = ", ".join(f"{count} {name}" for name, count in self.counts.items() if name != "collected")
        lines = [f"{'+'.join(self.suites) or 'run'}: {self.verdict} ({counted or 'nothing collected'})"]
        lines += self.notes
        lines.append(f"evidence: {self.evidence}")
        if error := self.first_error:
            lines.append(f"first error ({error.failure_class}): {error.test}")
            lines += [f"  {line}" for line in [error.summary, *error.details.splitlines()]]
            if error.next_step:
                lines.append(f"  next: {error.next_step}")
            if self.more:
                lines.append(f"  and {self.more} more")
            lines.append(f"run again: {error.rerun}")
        return lines

    def markdown(self) -> str:
        """The lines in at most `LIMIT` characters, for digest.md; details are cut first."""
        lines = self.lines()
        text = "\n".join(lines) + "\n"
        if len(text) <= LIMIT:
            return text
        tail = "\n".join(lines[-2:])[-LIMIT // 2 :]
        return text[: LIMIT - len(tail) - 3] + "…\n" + tail + "\n"


def make_digest(
    results: RunResults, exit_status: int, evidence: str, command: Sequence[str], notes: Sequence[str] = ()
) -> Digest:
    """Sum a run up. `command` is what runs the suite again; the failing test is added to it."""
    failures = _failures(results)
    first = min(failures, key=lambda pair: _rank(pair[1]), default=None)
    return Digest(
        verdict=_verdict(results, exit_status),
        suites=tuple(results.started.get("suites", ())),
        counts=results.counts,
        first_error=_first_error(first, command) if first else None,
        more=max(len(failures) - 1, 0),
        evidence=evidence,
        notes=tuple(notes),
    )


def skip_notes(results: RunResults) -> list[str]:
    """A line for each reason for which tests were skipped, at most `SKIP_REASONS`."""
    reasons = Counter(
        test.last.reason.removeprefix("Skipped: ")
        for test in results.tests.values()
        if test.status is Status.SKIPPED
    )
    lines = [
        f"skipped: {reason[:200]}" + (f" ({count} tests)" if count > 1 else "")
        for reason, count in reasons.most_common(SKIP_REASONS)
    ]
    more = len(reasons) - len(lines)
    return [*lines, *([f"skipped: for {more} more reasons"] if more else [])]


def flaky_notes(results: RunResults) -> list[str]:
    """A line that names the tests that passed only after a failed attempt."""
    names = [test.id for test in results.flaky]
    if not names:
        return []
    more = f" and {len(names) - FLAKY_NAMES} more" if len(names) > FLAKY_NAMES else ""
    return [f"flaky: {len(names)} passed only on a retry: {'; '.join(names[:FLAKY_NAMES])}{more}"]


def _verdict(results: RunResults, exit_status: int) -> str:
    if results.interrupted or exit_status == 2:
        return "interrupted"
    executed = [
        test for test in results.tests.values() if test.status not in (Status.SKIPPED, Status.NOT_RUN)
    ]
    if results.red or results.collection_errors or results.problems or exit_status not in (0, 5):
        return "failed"
    return "passed" if executed and exit_status == 0 else "nothing ran"


def _failures(results: RunResults) -> list[tuple[TestResult | None, Failure]]:
    """Every failure with its test, in order of collection; a problem of the run as a whole has no test."""
    found: list[tuple[TestResult | None, Failure]] = [(None, each) for each in results.problems]
    found += [(None, each) for each in results.collection_errors]
    for test in results.red:
        if results.interrupted and test.status is Status.NOT_RUN:
            continue  # the interruption is why, and the verdict says so
        failure = test.failure or Failure("infrastructure", "collected, but no result was recorded")
        found.append((test, failure))
    return found


def _rank(failure: Failure) -> int:
    known = failure.failure_class in CAUSES_FIRST
    return CAUSES_FIRST.index(failure.failure_class) if known else len(CAUSES_FIRST)


def _first_error(first: tuple[TestResult | None, Failure], command: Sequence[str]) -> FirstError:
    test, failure = first
    rerun = shlex.join([*command, test.id] if test else command)
    return FirstError(
        failure_class=failure.failure_class,
        test=test.id if test else failure.where or "the run as a whole",
        summary=_plain(failure.summary)[:400],
        details=_shortened(_plain(failure.details or (test.report.partition("\n")[2] if test else ""))),
        next_step=_plain(failure.next_step),
        rerun=rerun,
    )


def _shortened(text: str) -> str:
    lines = [line[:240] for line in text.splitlines() if line.strip()]
    return "\n".join(lines[:8])


def _plain(text: str) -> str:
    """Text without terminal control sequences: what a tool printed is data, not commands to a terminal."""
    return _CONTROL.sub("", text)
