"""Workspaces that exist before an upgrade: made, found again after it, and told apart from what people made."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Literal

from gatehouse.coder.client import CoderClient
from gatehouse.coder.made import make_workspace
from gatehouse.coder.models import Workspace
from gatehouse.coder.workspaces import wait_for_build, wait_until_ready
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import InfrastructureError, NotFound, ProductFailure
from gatehouse.core.ledger import Ledger
from gatehouse.core.settings import CoderSettings
from gatehouse.smoke.baseline import Canary

Report = Callable[[str], None]

MARKER_FILE = ".gatehouse-canary"


def make_canary(
    coder: CoderClient,
    settings: CoderSettings,
    template: str,
    expect: Literal["running", "stopped"],
    ledger: Ledger,
    run_id: str,
    lifetime_seconds: float,
    report: Report,
) -> Canary:
    """Make a workspace, bring it to ready, leave a file in it, and stop it if it is to be stopped.

    It is in the ledger before it exists. Raises what any of this raises; the workspace stays, and is in the ledger.
    """
    made = make_workspace(
        coder,
        settings,
        ledger,
        template,
        suite="canary",
        run_id=run_id,
        ttl_seconds=lifetime_seconds,
        on_intended=lambda name: report(f"{expect} canary {name}: create"),
        outlives_run=True,
    )
    workspace = wait_until_ready(coder, made.id, settings.workspace_timeout_seconds)
    path, word = leave_marker(coder, workspace)
    if expect == "stopped":
        report(f"{expect} canary {made.name}: stop")
        coder.create_build(made.id, "stop")
        workspace = wait_for_build(coder, made.id, Deadline.after(settings.teardown_timeout_seconds))
    report(f"{expect} canary {made.name}: left behind")
    return Canary(
        name=made.name,
        id=made.id,
        owner=workspace.owner_name,
        expect=expect,
        template=template,
        marker_path=path,
        marker=word,
        stops_at=workspace.latest_build.deadline if expect == "running" else None,
    )


def leave_marker(coder: CoderClient, workspace: Workspace, folder: str | None = None) -> tuple[str, str]:
    """Write a file into `folder`, the agent's by default; its path and the word in it. Raises `ProductFailure`."""
    agent = workspace.agent
    assert agent is not None, "the workspace is ready"
    path = f"{(folder or agent.expanded_directory or agent.directory).rstrip('/')}/{MARKER_FILE}"
    word = secrets.token_hex(8)
    printed = coder.terminal(agent.id, f'sh -c \'echo {word} > "{path}" && sync && cat "{path}"\'')
    if word not in printed:
        raise ProductFailure(
            f"a file cannot be left in workspace {workspace.name}",
            expected=f"{word} in {path}",
            seen=printed.strip()[-500:],
            next_step="open a terminal in it: is the folder of the agent there, and can it be written?",
        )
    return path, word


def read_marker(coder: CoderClient, workspace: Workspace, path: str) -> str:
    """What is in the file now, or what the terminal says instead."""
    agent = workspace.agent
    assert agent is not None, "the workspace is ready"
    return coder.terminal(agent.id, f"sh -c 'cat \"{path}\"'").strip()


def find_canary(coder: CoderClient, canary: Canary) -> Workspace:
    """The canary's workspace. Raises `ProductFailure` when it is gone, or another one has its name."""
    try:
        found = coder.workspace(canary.id)
    except NotFound as error:
        raise ProductFailure(
            f"the {canary.expect} canary {canary.name} is gone",
            expected=f"workspace {canary.id} of {canary.owner}, made before the upgrade",
            seen=error.seen,
            next_step="was it deleted by hand, or by an earlier run of this suite? If not, workspaces were lost",
        ) from error
    if found.name != canary.name:
        raise InfrastructureError(
            "the workspace with the canary's id has another name",
            expected=canary.name,
            seen=found.name,
            next_step="was it renamed? Take a new baseline before the next upgrade",
        )
    return found
