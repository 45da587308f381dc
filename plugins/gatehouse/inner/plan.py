"""What is to be done about each check, and why: a pure decision, once everything it rests on is known."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from gatehouse.core.inner_settings import SilencedCheck
from gatehouse.inner.cache import Pass
from gatehouse.inner.model import Blame, Check


class Action(StrEnum):
    """What is done about a check."""

    RUN = "run"
    CACHED = "cached"
    UNAFFECTED = "unaffected"
    SILENCED = "silenced"
    NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Decision:
    """What is done about a check, and why. `key` is that of its pass, empty where passes are not kept."""

    check: Check
    action: Action
    reason: str
    key: str = ""
    found: Pass | None = None


@dataclass(frozen=True)
class Scope:
    """What the change touches: packages by manifest, each with the reason; or everything, and why that."""

    touched: Mapping[str, str]
    everything: str = ""

    def reason(self, manifest: str) -> str:
        """Why a package is checked; empty when nothing it depends on changed."""
        return self.touched.get(manifest, "") or self.everything


def decide(
    check: Check,
    scope: Scope,
    *,
    silenced: Sequence[SilencedCheck],
    key: str,
    find: Callable[[str], Pass | None],
    everything: bool = False,
) -> Decision:
    """What to do about one check, and why.

    Silenced checks are not run; guard rails cannot be silenced, for who is to be held by them could do it. Unless
    `everything` is asked for, neither are those that passed with the same inputs, nor those that nothing touches;
    what is left is run, if what it needs is installed.
    """
    for entry in silenced if check.blame is not Blame.GUARD_RAIL else ():
        if fnmatch.fnmatchcase(check.id, entry.check) or fnmatch.fnmatchcase(check.name, entry.check):
            return Decision(check, Action.SILENCED, entry.reason)
    if check.look is not None:
        return Decision(check, Action.RUN, "always")
    if not everything:
        if key and (found := find(key)) is not None:
            when = datetime.fromtimestamp(found.at, UTC).isoformat(timespec="seconds")
            return Decision(check, Action.CACHED, f"passed with the same inputs at {when}", key, found)
        if not scope.reason(check.package.manifest):
            return Decision(check, Action.UNAFFECTED, "nothing it depends on changed", key)
    if check.missing:
        return Decision(check, Action.NOT_INSTALLED, f"{check.missing} is not installed")
    reason = "everything was asked for" if everything else scope.reason(check.package.manifest)
    return Decision(check, Action.RUN, reason, key)
