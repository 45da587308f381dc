"""`gatehouse sweep`, from the settings to the last line it prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from gatehouse.coder.client import CoderClient
from gatehouse.core.deadline import SYSTEM_CLOCK
from gatehouse.core.errors import UsageError
from gatehouse.core.settings import (
    FILE_NAME,
    Target,
    choose_target,
    find_settings_file,
    load_settings,
)
from gatehouse.kube.client import Cluster
from gatehouse.task.planes import load_planes
from gatehouse.task.sweep.candidates import everything, ledgers_below, ledgers_in
from gatehouse.task.sweep.model import Context
from gatehouse.task.sweep.report import EXIT_CODES, as_json, table
from gatehouse.task.sweep.sweep import Wanted, sweep


def sweep_command(
    paths: Sequence[Path],
    target_name: str | None,
    wanted: Wanted,
    *,
    delete: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> int:
    """Sweep a target; 0 when nothing is left, 11 when something is, 3 when not all could be looked at.

    Only looks where others may be at work, unless `delete`: the embedded platform is one's own. Raises
    `UsageError` for a target without Coder, or a ledger that is not there.
    """
    settings = load_settings(find_settings_file(Path.cwd()))
    name, target = choose_target(settings, target_name)
    if target is None or target.coder is None:
        raise UsageError(
            f"the target {name!r} has no coder section, so there is nothing to sweep",
            next_step=f"set CODER_URL and CODER_SESSION_TOKEN, or add targets.{name}.coder to {FILE_NAME}; the "
            "embedded platform can be swept while `gatehouse up` runs, with what that prints exported",
        )
    ledgers = ledgers_in(paths) if paths else ledgers_below(settings.reports.root)
    with ExitStack() as stack:
        coder = stack.enter_context(CoderClient(target.coder.url, target.coder.token.read()))
        cluster = stack.enter_context(_cluster(target)) if target.kubernetes else None
        context = Context(
            target,
            coder,
            cluster,
            load_planes(target.task.planes if target.task else ()),
            act=(delete or target.embedded) and not dry_run,
            seconds=target.coder.teardown_timeout_seconds,
        )
        found = everything(ledgers, coder, cluster, named=bool(paths))
        swept = sweep(context, found, wanted, report=lambda line: print(line, file=sys.stderr))
    now = SYSTEM_CLOCK.now()
    print(as_json(swept, name, now) if json else table(swept, now))
    return EXIT_CODES[swept.outcome]


def _cluster(target: Target) -> Cluster:
    assert target.kubernetes
    return Cluster(target.kubernetes.kubeconfig, target.kubernetes.context)
