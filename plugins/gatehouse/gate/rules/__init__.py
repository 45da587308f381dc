"""The rules of the gate: one hazard a module, each a function `check` that gives reasons to stay closed.

A rule only ever adds reasons. None can take one away, so that leaving evidence out never opens a gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gatehouse.gate.rules import (
    age,
    altered_files,
    contradictions,
    deployment_proof,
    embedded_target,
    failures,
    flaky_tests,
    leaks,
    missing_suites,
    nothing_ran,
    places,
    same_platform,
    same_tests,
    skipped_tests,
    subject,
    unfinished_runs,
)
from gatehouse.gate.verdict import Question, Reason

Rule = Callable[[Question], Iterable[Reason]]

RULES: tuple[Rule, ...] = (
    altered_files.check,
    contradictions.check,
    subject.check,
    age.check,
    embedded_target.check,
    deployment_proof.check,
    missing_suites.check,
    places.check,
    same_platform.check,
    same_tests.check,
    unfinished_runs.check,
    nothing_ran.check,
    skipped_tests.check,
    leaks.check,
    failures.check,
    flaky_tests.check,
)
