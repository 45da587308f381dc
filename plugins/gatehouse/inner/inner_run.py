"""One run of the inner suite on a checkout: what is there before it, and what is kept after it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatehouse.core.base import Base, find_base
from gatehouse.core.changes import Changes, changes_since
from gatehouse.core.checkout import Checkout
from gatehouse.core.errors import ProductFailure
from gatehouse.core.inner_settings import InnerSettings
from gatehouse.core.tree_snapshot import snapshot
from gatehouse.core.work_tree import WorkTree
from gatehouse.inner.cache import Pass
from gatehouse.inner.checkout_plan import CheckoutPlan, plan_checkout
from gatehouse.inner.checks import LANGUAGES
from gatehouse.inner.judge import NOT_COUNTED
from gatehouse.inner.model import Check, CheckResult, Outcome
from gatehouse.inner.timings import add_timings

#: Packages that are named on one line.
NAMED = 5

#: Seconds.
DAY = 86_400.0

#: The endings of each language's sources, for languages that have their own.
_SOURCES = {language.name: language.suffixes for language in LANGUAGES}


@dataclass(frozen=True)
class Before:
    """The checkout as the run finds it. `changes` are those since the base, without one what is not committed."""

    checkout: Checkout
    contents: Mapping[str, str]
    base: Base
    changes: Changes

    @classmethod
    def look(
        cls, checkout: Checkout, base_option: str | None, environment: Mapping[str, str] = os.environ
    ) -> Before:
        """Ask git. Raises `UsageError` with git's words when git cannot, or for a base that is no commit."""
        tree = WorkTree.of(checkout)
        base = find_base(checkout, base_option, environment)
        return cls(checkout, snapshot(checkout, tree), base, changes_since(checkout, base.commit, tree))

    def plan(
        self, settings: InnerSettings, cache: Path, *, more_checks: Sequence[Check], everything: bool
    ) -> CheckoutPlan:
        """What is to be done. Programs are looked for on the PATH, then beside Gatehouse's own Python."""
        path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
        return plan_checkout(
            self.checkout.root,
            self.contents,
            self.base,
            self.changes,
            settings,
            path=path,
            cache=cache,
            read_base=self._read_base,
            more_checks=more_checks,
            everything=everything,
        )

    def _read_base(self, path: str) -> bytes:
        text = self.checkout.text_at(self.base.commit, path)
        if text is None:
            raise FileNotFoundError(path)
        return text.encode(errors="surrogateescape")


def changed_by_checks(before: Before, results: Sequence[CheckResult]) -> ProductFailure | None:
    """What the run left in the tree that was not there before; a fault of its own, whatever exit codes say."""
    after = snapshot(before.checkout)
    if after == before.contents:
        return None
    changed = sorted(
        path for path in {*after, *before.contents} if after.get(path) != before.contents.get(path)
    )
    suspects = running_when_changed(before.checkout.root / changed[0], results)
    return ProductFailure(
        f"the checkout changed while {' and '.join(suspects[:3]) or 'the checks'} ran: {changed[0]}",
        expected="the same files before and after",
        seen="; ".join(changed[:10]) + (f"; and {len(changed) - 10} more" if len(changed) > 10 else ""),
        next_step=_remedy(changed[0], suspects, results)
        or "have the check that writes it write outside of the tree, or into an ignored file; "
        "or, if you changed it meanwhile, run again",
    )


def _remedy(path: str, suspects: Sequence[str], results: Sequence[CheckResult]) -> str:
    """What to do about a folder that a tool always writes; empty for other files."""
    for check in (each.check for each in results if each.check.id in suspects):
        inside = f"/{path}".rpartition("/")[0]
        for folder in check.writes:
            if f"/{folder}" in f"{inside}/":
                return f"add {folder} to .gitignore: {Path(check.argv[0]).name} cannot be told to write it elsewhere"
    return ""


def running_when_changed(path: Path, results: Sequence[CheckResult]) -> list[str]:
    """The checks that ran when a file was last written, those of the package it lies in if there are such."""
    try:
        written = path.lstat().st_mtime
    except OSError:
        return []  # it was removed, and nothing tells when
    ran = [
        each
        for each in results
        if each.completed
        and each.began
        and each.began <= written + 0.02
        and written <= each.began + each.completed.duration + 0.02
    ]
    inside = [each for each in ran if each.check.package.path in path.parents]
    return [each.check.id for each in inside or ran]


def keep(plan: CheckoutPlan, results: list[CheckResult], cache: Path, now: float, *, unchanged: bool) -> str:
    """Remember passes and times. Returns why passes could not be kept, if so.

    Passes are kept only when the files are still those that the keys were made of.
    """
    ran = {each.check.id: each for each in results if each.completed is not None}
    add_timings(
        cache,
        plan.root,
        {
            check: each.completed.duration
            for check, each in ran.items()
            if each.completed and not each.completed.timed_out
        },
    )
    problem = ""
    if unchanged:
        keys = {each.check.id: each.key for each in plan.decisions}
        for check_id, result in ran.items():
            if result.outcome is Outcome.PASSED and keys[check_id] and result.completed:
                seconds, counted = round(result.completed.duration, 3), result.reason != NOT_COUNTED
                found = Pass(check_id, now, seconds, result.tests, counted)
                problem = problem or plan.cache.store(keys[check_id], found)
        plan.cache.prune()
    _remove_old(cache / "reports", now)
    return problem


def _remove_old(folder: Path, now: float) -> None:
    """Remove reports of runners that were killed before anybody read them."""
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime > DAY:
                path.unlink()


def counted(plan: CheckoutPlan, results: list[CheckResult]) -> list[str]:
    """One line for the digest: how many checks ran, why the others did not, and whose tests nobody counted."""
    numbers = Counter(result.outcome for result in results)
    ran = sum(numbers[each] for each in (Outcome.PASSED, Outcome.FAILED))
    others = [
        f"{numbers[each]} {each}"
        for each in (
            Outcome.CACHED,
            Outcome.UNAFFECTED,
            Outcome.SILENCED,
            Outcome.NOT_INSTALLED,
            Outcome.STOPPED,
        )
        if numbers[each]
    ]
    why = f"; {plan.scope.everything}" if plan.scope.everything else ""
    lines = [f"checks: {', '.join([f'{ran} ran', *others])}{why}{_uncounted(plan, results)}"]
    if len(results) == len(plan.decisions) and (names := unchecked(plan)):
        more = f" and {len(names) - NAMED} more (--gate-explain names them)" if len(names) > NAMED else ""
        changed = "" if plan.scope.everything else "of what changed, "
        lines.append(f"{changed}no check looks at: {', '.join(names[:NAMED])}{more}")
    return lines


def unchecked(plan: CheckoutPlan) -> list[str]:
    """The packages with sources of a programming language that have no checks at all.

    Of all packages where everything is checked, else of those in which something changed.
    """
    checked = {each.check.package.manifest for each in plan.decisions}
    return [
        package.manifest
        for package in plan.packages
        if package.manifest not in checked
        and (plan.scope.everything or package.manifest in plan.scope.touched)
        and any(file.endswith(_SOURCES.get(package.language, ())) for file in package.files)
    ]


def _uncounted(plan: CheckoutPlan, results: list[CheckResult]) -> str:
    """The passes whose output does not tell whether a test ran, in this run or the one that is remembered."""
    remembered = {each.check.id for each in plan.decisions if each.found and not each.found.counted}
    names = sorted(
        each.check.id for each in results if each.reason == NOT_COUNTED or each.check.id in remembered
    )
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"; tests not counted: {', '.join(names[:2])}{more}" if names else ""


def explanation(plan: CheckoutPlan) -> list[str]:
    """A line for each check: what is done about it, and why; and one for each package without any."""
    width = max((len(each.action) for each in plan.decisions), default=0)
    lines = [f"{each.action:{width}}  {each.check.id}: {each.reason}" for each in plan.decisions]
    why = "nothing that could be run was found for it"
    return [*lines, *(f"{'no check':{width}}  {name}: {why}" for name in unchecked(plan))]


def explanation_data(plan: CheckoutPlan) -> str:
    """The same as JSON, for the bundle."""
    return json.dumps(
        {
            "everything": plan.scope.everything,
            "packages": [
                {
                    "manifest": package.manifest,
                    "language": package.language,
                    "files": len(package.files),
                    "needs": sorted(plan.graph.needs[package.manifest]),
                    "touched": plan.scope.touched.get(package.manifest, ""),
                }
                for package in plan.packages
            ],
            "checks": [
                {
                    "check": each.check.id,
                    "phase": str(each.check.phase),
                    "blame": str(each.check.blame),
                    "action": str(each.action),
                    "reason": each.reason,
                    "key": each.key,
                    "command": list(each.check.argv),
                }
                for each in plan.decisions
            ],
        },
        indent=1,
    )
