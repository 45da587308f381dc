"""The verdict: every rule is asked, and only the absence of every reason opens the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gatehouse.gate.inputs import BundleInput, Subject
from gatehouse.gate.policy import Policy

SCHEMA = 1


class VerdictClass(StrEnum):
    """Why a gate is closed; `OPEN` only when there is no reason at all."""

    OPEN = "open"
    PRODUCT = "product"
    INFRASTRUCTURE = "infrastructure"
    LEAK = "leak"
    INCOMPLETE = "incomplete"
    UNTRUSTED = "untrusted"
    INTERRUPTED = "interrupted"
    FLAKY = "flaky"
    GUARD_RAIL = "guard rail"


EXIT_CODES = {
    VerdictClass.OPEN: 0,
    VerdictClass.PRODUCT: 1,
    VerdictClass.INFRASTRUCTURE: 10,
    VerdictClass.LEAK: 11,
    VerdictClass.INCOMPLETE: 12,
    VerdictClass.UNTRUSTED: 13,
    VerdictClass.INTERRUPTED: 14,
    VerdictClass.FLAKY: 15,
    VerdictClass.GUARD_RAIL: 16,
}

#: Which class a verdict gets when several hold: evidence that cannot be trusted says nothing about the rest.
PRECEDENCE = (
    VerdictClass.UNTRUSTED,
    VerdictClass.GUARD_RAIL,
    VerdictClass.INCOMPLETE,
    VerdictClass.INTERRUPTED,
    VerdictClass.LEAK,
    VerdictClass.PRODUCT,
    VerdictClass.FLAKY,
    VerdictClass.INFRASTRUCTURE,
)


@dataclass(frozen=True)
class Reason:
    """One thing that keeps the gate closed. `evidence` is the bundle it was seen in; `next` what to do."""

    rule: str
    verdict_class: VerdictClass
    message: str
    evidence: str = ""
    next: str = ""


@dataclass(frozen=True)
class Question:
    """All that the rules look at."""

    policy: Policy
    subject: Subject
    bundles: Sequence[BundleInput]
    now: datetime

    def of_suite(self, name: str) -> list[BundleInput]:
        """The bundles that are about a suite."""
        return [bundle for bundle in self.bundles if name in bundle.suites]


@dataclass(frozen=True)
class Verdict:
    """The answer. There is no way to make an open one with a reason left."""

    reasons: tuple[Reason, ...]
    subject: Subject
    suites: dict[str, dict[str, Any]]
    allow_embedded: bool

    @property
    def verdict_class(self) -> VerdictClass:
        """The first class in `PRECEDENCE` among the reasons."""
        found = {reason.verdict_class for reason in self.reasons}
        return next((each for each in PRECEDENCE if each in found), VerdictClass.OPEN)

    @property
    def exit_code(self) -> int:
        """The exit code of `gatehouse gate`."""
        return EXIT_CODES[self.verdict_class]

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, without policy and inputs, which the caller adds."""
        return {
            "schema": SCHEMA,
            "verdict": "closed" if self.reasons else "open",
            "class": str(self.verdict_class),
            "exit_code": self.exit_code,
            "allow_embedded": self.allow_embedded,
            "subject": asdict(self.subject),
            "suites": self.suites,
            "reasons": [
                {
                    "rule": reason.rule,
                    "class": str(reason.verdict_class),
                    "message": reason.message,
                    "evidence": reason.evidence,
                    "next": reason.next,
                }
                for reason in self.reasons
            ],
        }
