"""Removes what runs left, and proves it gone. Nothing is touched that is not shown to be ours and abandoned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.ledger import Ledger, moment_of
from gatehouse.task.sweep.candidates import Found
from gatehouse.task.sweep.judge import Decision, judge, same_label
from gatehouse.task.sweep.model import Candidate, Context, Outcome, Row, Swept
from gatehouse.task.sweep.workspace import sweep_workspace

Handler = Callable[[Context, Candidate, str], Row]

#: How each kind of entry is removed. A kind that is not here is told, and not touched.
HANDLERS: dict[str, Handler] = {"workspace": sweep_workspace}


@dataclass(frozen=True)
class Wanted:
    """What is to be swept: of one run, or at least so many seconds old; everything without either."""

    run: str | None = None
    older_than: float | None = None

    def covers(self, candidate: Candidate, now: datetime) -> bool:
        """Whether a candidate is meant; of what has no age that is known, none is old enough."""
        if self.run is not None and not same_label(candidate.entry.run, self.run):
            return False
        if self.older_than is None:
            return True
        created = moment_of(candidate.entry.created)
        return created is not None and (now - created).total_seconds() >= self.older_than


def sweep(
    context: Context,
    found: Found,
    wanted: Wanted,
    *,
    handlers: Mapping[str, Handler] = HANDLERS,
    report: Callable[[str], None] = lambda _line: None,
) -> Swept:
    """Go through the candidates; `report` is told of each before it is removed."""
    swept = Swept(context.act, problems=list(found.problems))
    for candidate in found.candidates:
        now = context.clock.now()
        if not wanted.covers(candidate, now):
            continue
        judgement = judge(candidate, now, kinds=handlers, coder_url=context.coder.url, run=wanted.run)
        if judgement.decision is not Decision.REMOVE:
            alone = judgement.decision is Decision.ALONE
            outcome = Outcome.ALONE if alone else Outcome.UNVERIFIED
            done = f"nothing: {judgement.why}" if alone else f"refused: {judgement.why}"
            swept.rows.append(Row(candidate, "", done, outcome))
            continue
        if context.act:
            report(f"{candidate.entry.kind} {candidate.entry.name}: {judgement.why}; removing it")
        row = handlers[candidate.entry.kind](context, candidate, judgement.why)
        swept.rows.append(row)
        if row.outcome is Outcome.CLEAN and candidate.ledger and context.act:
            _write_down(candidate, swept)
    return swept


def _write_down(candidate: Candidate, swept: Swept) -> None:
    """Note in the ledger that it is gone; one that cannot be written makes nobody look again in vain but us."""
    assert candidate.ledger
    try:
        Ledger(candidate.ledger).gone(candidate.entry.name)
    except EnvironmentProblem as error:
        swept.problems.append(
            f"{candidate.entry.name} is gone, but {candidate.ledger} cannot be written: {error.seen}"
        )
