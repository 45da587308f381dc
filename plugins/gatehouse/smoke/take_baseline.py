"""`gatehouse baseline DIR`: what the deployment is now, on disk, and two canaries left behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gatehouse import __version__
from gatehouse.coder.client import CoderClient
from gatehouse.coder.made import template_under_test
from gatehouse.core.errors import UsageError
from gatehouse.core.ledger import Ledger
from gatehouse.core.settings import CoderSettings
from gatehouse.smoke.baseline import FILE_NAME, Baseline, Canary, write_baseline
from gatehouse.smoke.canaries import make_canary
from gatehouse.smoke.recording import record

LEDGER = "ledger-baseline.jsonl"

#: Seconds that canaries live by default: two weeks.
LIFETIME = 14 * 86_400.0


def take_baseline(
    folder: Path,
    coder: CoderClient,
    owner: CoderClient,
    settings: CoderSettings,
    *,
    run_id: str,
    canaries: bool = True,
    lifetime_seconds: float = LIFETIME,
    report: Callable[[str], None] = print,
) -> Baseline:
    """Record the deployment and, if `canaries`, make one that runs and one that is stopped.

    The ledger of the canaries is in the folder before they exist; the baseline is written once without them and once
    with each that is ready, so that nothing is lost when this is stopped. Raises `UsageError` for a folder that holds
    a baseline already: its canaries would be forgotten.
    """
    if (folder / FILE_NAME).exists():
        raise UsageError(
            f"{folder} holds a baseline already",
            next_step="name another folder; the canaries of this one are in its "
            f"{LEDGER}; `gatehouse sweep {folder}` removes them when their time is over",
        )
    sections = record(coder, owner)
    taken = Baseline(
        gatehouse=__version__,
        taken=datetime.now(UTC),
        url=coder.url,
        embedded=coder.embedded,
        sections=sections,
    )
    write_baseline(folder, taken)
    for name, section in sections.items():
        report(f"{name}: {f'unverified: {section.unverified}' if section.unverified else len(section.facts)}")
    if not canaries:
        return taken
    ledger = Ledger(folder / LEDGER)
    template = template_under_test(coder, settings)
    made: list[Canary] = []
    for expect in ("running", "stopped"):
        made.append(make_canary(coder, settings, template, expect, ledger, run_id, lifetime_seconds, report))
        taken = taken.model_copy(update={"canaries": list(made)})
        write_baseline(folder, taken)
    return taken
