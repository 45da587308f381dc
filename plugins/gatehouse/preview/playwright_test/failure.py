"""What an attempt of Playwright Test means for its item: a pass, a skip, or an error in Playwright's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from gatehouse.core.errors import (
    GatehouseError,
    InfrastructureError,
    NotInstalled,
    ProductFailure,
    Unreachable,
    WrongSubject,
    error_of,
)
from gatehouse.preview.playwright_test.ending import Ending
from gatehouse.preview.playwright_test.results import Attempt

#: Lines of Playwright's message that are shown after the first.
MOST_LINES = 30

_NO_BROWSER = re.compile(
    r"Executable doesn't exist|Host system is missing dependencies|browserType\.\w+: .*[Ff]ailed to launch"
)
_NO_ANSWER = re.compile(
    r"net::ERR_(NAME_|CONNECTION_|ADDRESS_|INTERNET_|TIMED_OUT|CERT_|SSL_)|NS_ERROR_(UNKNOWN_HOST|CONNECTION)"
    r"|getaddrinfo |ECONNREFUSED|ECONNRESET"
)
_STACK = re.compile(r"\s+at .+:\d+:\d+\)?\s*$")


class Kind(StrEnum):
    """What an attempt came to."""

    PASSED = "passed"
    SKIPPED = "skipped"
    EXPECTED_FAILURE = "expected failure"
    FAILED = "failed"


@dataclass(frozen=True)
class Judgement:
    """`reason` of a skip or an expected failure; `error` of a failure."""

    kind: Kind
    reason: str = ""
    error: GatehouseError | None = None


@dataclass(frozen=True)
class Place:
    """Where a test is, and how it is run again: alone, and with a browser to look at.

    Places are shown relative to `root`.
    """

    root: str
    where: str
    again: str
    headed: str

    @property
    def next_step(self) -> str:
        """Both commands."""
        return f"run it alone: {self.again}\n  with a browser to look at: {self.headed}"


def judged(attempt: Attempt, place: Place, because: str = "") -> Judgement:
    """What an attempt means. `because` says why tests that did not run may not have."""
    if attempt.journey.get("left"):
        return Judgement(Kind.FAILED, error=_left(attempt, place))
    if attempt.did_not_run or attempt.status == "interrupted":
        return Judgement(Kind.FAILED, error=_did_not_run(attempt, place, because))
    if not attempt.as_expected:
        return Judgement(Kind.FAILED, error=_failure(attempt, place))
    if attempt.status == "skipped":
        return Judgement(Kind.SKIPPED, _reason(attempt, "skip", "fixme"))
    if attempt.status == "passed":
        return Judgement(Kind.PASSED)
    return Judgement(Kind.EXPECTED_FAILURE, _reason(attempt, "fail"))


def not_run(ending: Ending | None, place: Place, *, running: bool, because: str = "") -> GatehouseError:
    """A test without any result: its process was killed before, or Playwright left it out."""
    if ending is not None and ending.refused:
        return error_of(ending.refused)
    state = "had begun and has no result" if running else "did not run"
    if ending is not None and ending.by_itself:
        return ProductFailure(
            f"it {state}",
            expected="a result of every test that `playwright test --list` shows",
            seen=because or f"Playwright Test {ending}",
            where=place.where,
            next_step=place.next_step,
        )
    return InfrastructureError(
        f"it {state}: Playwright Test {ending or 'did not end'}",
        seen=because,
        where=place.where,
        next_step=place.next_step,
    )


def words(message: str, fallback: str) -> tuple[str, str]:
    """The first line of an error, and those after it that are not its stack."""
    lines = [line for line in message.strip().splitlines() if line.strip() and not _STACK.match(line)]
    if not lines:
        return fallback, ""
    rest = lines[1 : MOST_LINES + 1]
    if len(lines) > MOST_LINES + 1:
        rest.append(f"… and {len(lines) - MOST_LINES - 1} more lines")
    return lines[0].strip().removeprefix("Error: "), "\n    ".join(line.strip() for line in rest)


def _failure(attempt: Attempt, place: Place) -> GatehouseError:
    if attempt.status == "passed":
        message = "Expected to fail, but passed."
        return ProductFailure(
            message, expected="a failure (test.fail)", where=place.where, next_step=place.next_step
        )
    first = attempt.errors[0] if attempt.errors else None
    summary, seen = words(first.message if first else "", f"the attempt is {attempt.status}")
    if more := len(attempt.errors) - 1:
        seen += f"\n    and {more} more: " + "; ".join(
            words(each.message, "")[0] for each in attempt.errors[1:4]
        )
    if first and first.snippet:
        seen += "\n" + first.snippet.rstrip()
    kind: type[GatehouseError] = ProductFailure
    if first and _NO_BROWSER.search(first.message):
        kind = NotInstalled
    elif first and _NO_ANSWER.search(summary):
        kind = Unreachable
    where = first.place.removeprefix(f"{place.root}/") if first and first.place else place.where
    return kind(summary, seen=seen.strip("\n"), where=where, next_step=place.next_step)


def _left(attempt: Attempt, place: Place) -> GatehouseError:
    left = [str(each) for each in attempt.journey["left"]]
    return WrongSubject(
        f"the journey left the preview: {left[0]}",
        expected="pages of the preview's origins, the identity provider's and preview.other_origins",
        seen="; ".join([*left[1:5], *(words(each.message, "")[0] for each in attempt.errors[:1])]),
        where=place.where,
        next_step=place.next_step,
    )


def _did_not_run(attempt: Attempt, place: Place, because: str) -> GatehouseError:
    state = "was interrupted" if attempt.status == "interrupted" else "did not run"
    summary, seen = words(attempt.errors[0].message if attempt.errors else "", "")
    return ProductFailure(
        f"it {state}" + (f": {summary}" if summary else ""),
        seen=seen or because,
        where=place.where,
        next_step=place.next_step,
    )


def _reason(attempt: Attempt, *kinds: str) -> str:
    described = [text for kind, text in attempt.annotations if kind in kinds and text]
    return "; ".join(described) or next((kind for kind, _ in attempt.annotations if kind in kinds), "skipped")
