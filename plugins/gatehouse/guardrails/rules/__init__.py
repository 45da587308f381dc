"""The rules of the guard rails: one hazard a module, each a function `check` that gives violations.

A rule looks at a `Case`, which is plain data, and says with each violation whom it makes red.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gatehouse.guardrails.model import Case, Violation
from gatehouse.guardrails.rules import (
    deleted_tests,
    file_kinds,
    grown_lists,
    paths,
    protected_files,
    repository_contract,
    secrets,
    skipped_tests,
    submodules,
    unread,
    weakened_assertions,
)

Rule = Callable[[Case], Iterable[Violation]]

#: In the order in which what they find is shown.
RULES: tuple[Rule, ...] = (
    secrets.check,
    protected_files.check,
    paths.check,
    submodules.check,
    file_kinds.check,
    deleted_tests.check,
    skipped_tests.check,
    weakened_assertions.check,
    grown_lists.check,
    repository_contract.check,
    unread.check,
)
