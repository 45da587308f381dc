"""What a sweep found and did: a table for people, JSON for programs, an exit code for both."""

from __future__ import annotations

import json
from datetime import datetime

from gatehouse.task.sweep.model import Outcome, Row, Swept

#: Exit codes by outcome. What is left has the gate's code for a leak.
EXIT_CODES = {Outcome.CLEAN: 0, Outcome.LEFT: 11, Outcome.UNVERIFIED: 3}

HEADINGS = ("NAME", "RUN", "OWNER", "AGE", "STATE", "DONE", "PROOF")


def table(swept: Swept, now: datetime) -> str:
    """The table, what is left below it, and a last line that says it all."""
    lines: list[str] = []
    if swept.rows:
        cells = [HEADINGS, *(_cells(row, now) for row in swept.rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS) - 1)]
        lines += [
            "  ".join(
                [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]
            ).rstrip()
            for row in cells
        ]
        for row in swept.rows:
            lines += [f"  {row.candidate.entry.name}: {each}" for each in row.details]
    lines += [f"could not be looked at: {problem}" for problem in swept.problems]
    return "\n".join([*lines, summary(swept)])


def summary(swept: Swept) -> str:
    """How many of what, and what to do next."""
    counts = [
        f"{count} {outcome.value}"
        for outcome in Outcome
        if (count := sum(row.outcome is outcome for row in swept.rows))
    ]
    words = f"sweep: {', '.join(counts) or 'nothing found'}"
    if swept.outcome is Outcome.LEFT:
        next_step = "look at the reasons above" if swept.acted else "run again with --delete to remove it"
        return f"{words}\nnext: {next_step}"
    if swept.outcome is Outcome.UNVERIFIED:
        return f"{words}, and not all could be looked at\nnext: grant what was refused, and run again"
    return words


def as_json(swept: Swept, target: str, now: datetime) -> str:
    """The same as JSON."""
    data = {
        "schema": 1,
        "target": target,
        "acted": swept.acted,
        "outcome": swept.outcome.value,
        "rows": [row.as_data(now) for row in swept.rows],
        "problems": swept.problems,
    }
    return json.dumps(data, indent=1)


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    entry = row.candidate.entry
    return (
        entry.name,
        entry.run or "-",
        entry.owner or "-",
        _age(row.age_seconds(now)),
        row.state or "-",
        row.done,
        row.outcome.value,
    )


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"
