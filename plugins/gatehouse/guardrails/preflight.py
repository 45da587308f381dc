"""Judges a checkout's change by its base's policy: what is red, what is only shown, and by which rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from gatehouse.core.base import Base
from gatehouse.core.changes import Changes
from gatehouse.core.checkout import Checkout
from gatehouse.core.guardrail_settings import AllowedViolation, GuardrailSettings
from gatehouse.guardrails.contents import LARGEST_FILE, read_diffs
from gatehouse.guardrails.model import Case, Violation, Weight, matches
from gatehouse.guardrails.policy import CONFIG_FILE, Policy, read_policy
from gatehouse.guardrails.profiles import find_profile
from gatehouse.guardrails.rules import RULES

SCHEMA = 1

#: Violations, and notes, that the file of evidence lists; the rest it counts.
LISTED = 200


@dataclass(frozen=True)
class Examination:
    """What the guard rails say. Red exactly when there are violations; notes are shown and change nothing.

    `binding` is false when the profile is a guess. `judged` counts the changed paths. `until` is the last day (UTC)
    on which the same change is judged the same: the policy accepts some of it no longer than that.
    """

    profile: str
    source: str
    binding: bool
    violations: tuple[Violation, ...]
    notes: tuple[Violation, ...]
    policy_source: str
    base: Base
    judged: int
    until: date | None = None

    def as_data(self) -> dict[str, Any]:
        """JSON-like data for a file of evidence: the verdict, each rule that fired, and by what was judged."""
        return {
            "schema": SCHEMA,
            "verdict": "violated" if self.violations else "kept",
            "profile": {"name": self.profile, "source": self.source, "binding": self.binding},
            "policy": self.policy_source,
            "base": {"commit": self.base.commit, "source": self.base.source, "problem": self.base.problem},
            "judged_paths": self.judged,
            "until": self.until.isoformat() if self.until else None,
            "rules": sorted({each.rule for each in self.violations}),
            "violations": [_data(each) for each in self.violations[:LISTED]],
            "violations_in_all": len(self.violations),
            "notes": [_data(each) for each in self.notes[:LISTED]],
            "notes_in_all": len(self.notes),
        }


def _data(violation: Violation) -> dict[str, Any]:
    return {
        "rule": violation.rule,
        # A name that is not UTF-8 is shown with the bytes that are not as escapes.
        "path": violation.path.encode(errors="surrogateescape").decode(errors="backslashreplace"),
        "line": violation.line,
        "message": violation.message.encode(errors="surrogateescape").decode(errors="backslashreplace"),
        "next": violation.next_step,
    }


def examine(
    checkout: Checkout,
    base: Base,
    changes: Changes,
    *,
    option_profile: str | None,
    environment: Mapping[str, str],
    today: date,
    text: Callable[[str], str | None] | None = None,
) -> Examination:
    """Judge `changes`, which are those since `base`. One process of git when nothing changed, else three.

    The policy and the marker are the base's; without a base, those of the commit checked out. `text` reads a file by
    its path from the root, where that is not on this machine. Raises `UsageError` when a profile is named that does
    not exist.
    """
    head = base.commit or checkout.head
    policy = read_policy(checkout, head)
    profile = find_profile(
        policy.settings,
        option=option_profile,
        marker=policy.marker,
        environment=environment,
        root=checkout.root,
    )
    case = Case(
        settings=policy.settings,
        profile=profile,
        diffs=read_diffs(checkout, changes),
        contract_files=_contract_files(text or partial(_text_below, checkout.root), policy.settings),
        root=str(checkout.root),
        config_file=CONFIG_FILE,
    )
    # Before the first commit everything is a change, so that nothing is left unjudged.
    incomplete = [] if base.commit or head is None else [_no_base(base)]
    found = [*incomplete, *_policy_problem(policy), *(each for rule in RULES for each in rule(case))]
    judged = [_allowed(each, policy.settings.allow, today) for each in found]
    accepting = [_accepting(each, policy.settings.allow, today) for each in found]
    red = {Weight.EVERYBODY, Weight.PROFILES} if profile.binding else {Weight.EVERYBODY}
    return Examination(
        profile.name,
        profile.source,
        profile.binding,
        tuple(each for each in judged if each.weight in red),
        tuple(each for each in judged if each.weight not in red),
        policy.source,
        base,
        len(changes),
        min((entry.until for entry in accepting if entry and entry.until), default=None),
    )


def _no_base(base: Base) -> Violation:
    return Violation(
        "no-base",
        "",
        0,
        f"only what is not committed was judged, because there is no base: {base.problem} ({base.source})",
        "fetch the branch that the change is to be merged into, or name it with --gate-base",
    )


def _policy_problem(policy: Policy) -> Iterable[Violation]:
    if policy.problem:
        yield Violation(
            "policy",
            CONFIG_FILE,
            0,
            f"the base's policy cannot be read, so the defaults were applied: {policy.problem}",
            "repair the file on the base branch",
        )


def _allowed(violation: Violation, allowed: list[AllowedViolation], today: date) -> Violation:
    """The violation as a note when the policy accepts it; with the day when it did so too long."""
    if entry := _accepting(violation, allowed, today):
        message = f"{violation.message} (allowed: {entry.reason})"
        return replace(violation, message=message, weight=Weight.NOBODY)
    for entry in allowed:
        if _speaks_of(entry, violation):
            violation = replace(violation, message=f"{violation.message} (was allowed until {entry.until})")
    return violation


def _accepting(violation: Violation, allowed: list[AllowedViolation], today: date) -> AllowedViolation | None:
    """The first entry of the policy that accepts the violation today."""
    for entry in allowed:
        if _speaks_of(entry, violation) and (entry.until is None or today <= entry.until):
            return entry
    return None


def _speaks_of(entry: AllowedViolation, violation: Violation) -> bool:
    everywhere = entry.path == AllowedViolation.model_fields["path"].default  # also where there is no path
    return entry.rule == violation.rule and (everywhere or matches(violation.path, [entry.path]))


def _contract_files(text: Callable[[str], str | None], settings: GuardrailSettings) -> dict[str, str | None]:
    contract = settings.contract
    names = (contract.devcontainer, contract.instructions, f"../{contract.instructions}", settings.marker)
    return {name: text(name) for name in names}


def _text_below(root: Path, name: str) -> str | None:
    path = root / name
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return None
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return None
