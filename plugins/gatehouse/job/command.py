"""`gatehouse job`, from the settings to the last line it prints."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gatehouse.core.errors import GatehouseError, UsageError
from gatehouse.core.ledger import Ledger
from gatehouse.core.settings import (
    FILE_NAME,
    TARGET_VARIABLE,
    Target,
    choose_target,
    find_settings_file,
    load_settings,
)
from gatehouse.evidence.bundle import make_root
from gatehouse.job.configuration import files_for
from gatehouse.job.order import Order
from gatehouse.job.rights import require_rights
from gatehouse.job.running import JobRun
from gatehouse.kube.client import Cluster, connect
from gatehouse.preview.pull_request import (
    COMMIT_VARIABLE,
    PR_VARIABLE,
    commit_from_environment,
    number_from_environment,
)

#: Exit code where the Job gave no verdict; pytest's own are 0 to 5.
NO_VERDICT = 10

#: What the command says by itself, and a Job cannot be told otherwise.
OURS = ("-m", "--gate-evidence", "--gate-target")


def job(
    suite: str,
    namespace: str,
    image: str,
    arguments: Sequence[str],
    *,
    secret: str,
    evidence: Path | None,
    seconds: float,
    target_name: str | None,
) -> int:
    """Run a suite as a Job of the target's cluster; pytest's exit code, or 10 where there is no verdict.

    Raises `UsageError` for a target, a folder or arguments that cannot be used; nothing is made then.
    """
    settings = load_settings(find_settings_file(Path.cwd()))
    name, target = choose_target(settings, target_name)
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    folder = evidence or settings.reports.root / run_id
    _require_unused(folder)
    _require_allowed(arguments)
    cluster = _connected(name, target)
    assert target
    order = Order(
        name=f"gatehouse-{suite}-{run_id.lower()}",
        namespace=namespace,
        image=image,
        seconds=seconds,
        arguments=("-m", suite, *arguments),
        secret=secret,
        variables={TARGET_VARIABLE: name, **subject_variables(target, os.environ)},
    )
    files = files_for(settings, name, target)
    try:
        with cluster:
            require_rights(cluster, namespace)
            ledger = Ledger(folder.with_name(f"{folder.name}.ledger.jsonl"))
            run = JobRun(cluster, order, ledger, run_id, say=_say, write=_write)
            collected = run.run(files, folder)
    except GatehouseError as error:
        print(f"gatehouse: {error}", file=sys.stderr)
        return NO_VERDICT
    if collected.folder:
        print(f"evidence: {collected.folder}")
    if collected.problem:
        print(f"gatehouse: no evidence of this run: {collected.problem}", file=sys.stderr)
    return collected.exit_code or (NO_VERDICT if collected.problem else 0)


def subject_variables(target: Target, environment: Mapping[str, str]) -> dict[str, str]:
    """What the run is about, as pytest would find it here: the container sees neither CI nor checkout."""
    number, commit = number_from_environment(environment), commit_from_environment(environment)
    repository = target.github.repository if target.github else environment.get("GITHUB_REPOSITORY")
    known = {PR_VARIABLE: str(number or ""), COMMIT_VARIABLE: commit, "GITHUB_REPOSITORY": repository}
    return {variable: value for variable, value in known.items() if value}


def _require_allowed(arguments: Sequence[str]) -> None:
    """Raise `UsageError` for arguments of pytest by which a Job could no longer be followed."""
    for argument in arguments:
        if argument.split("=")[0] in OURS or (argument.startswith("-m") and not argument.startswith("--")):
            raise UsageError(
                f"{argument} cannot be given to pytest here",
                next_step="use the options -m, --evidence and --target of gatehouse job, before the two dashes",
            )


def _connected(name: str, target: Target | None) -> Cluster:
    """The target's cluster. Raises `UsageError` for a target that has none, or nothing to be tested."""
    if target is None or target.coder is None:
        raise UsageError(
            f"the target {name!r} has no coder section for the suite to test",
            next_step=f"set CODER_URL and KUBECONFIG, or add targets.{name} to {FILE_NAME}",
        )
    cluster = connect(target.kubernetes)
    if cluster is None:
        raise UsageError(
            f"there is no cluster to run a Job in: the target {name!r} has no kubernetes section, or there is no "
            "kubeconfig here",
            next_step=f"set KUBECONFIG, or add targets.{name}.kubernetes to {FILE_NAME}",
        )
    return cluster


def _require_unused(folder: Path) -> None:
    """Raise `UsageError` for a folder that cannot take the evidence: better now than after an hour."""
    try:
        make_root(folder.parent)
        used = folder.is_dir() and any(folder.iterdir())
        fit = not folder.exists() or folder.is_dir()
    except OSError as error:
        raise UsageError(f"evidence cannot be written to {folder}", seen=str(error)) from error
    if used or not fit:
        raise UsageError(
            f"the evidence folder {folder} is not empty" if used else f"{folder} is not a folder",
            next_step="name a new one: evidence of two runs in one folder proves nothing",
        )


def _say(line: str) -> None:
    print(f"gatehouse: {line}", flush=True)


def _write(output: bytes) -> None:
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
