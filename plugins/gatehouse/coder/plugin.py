"""Fixtures for tests of a Coder deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from gatehouse.run import required_run

if TYPE_CHECKING:
    from gatehouse.coder.client import CoderClient
    from gatehouse.coder.models import Workspace
    from gatehouse.core.settings import CoderSettings


#: Seconds a workspace may live longer than its budget, so that Coder never stops it under a test.
TTL_MARGIN = 3600.0


@pytest.fixture(scope="session")
def coder_settings(pytestconfig: pytest.Config) -> CoderSettings:
    """The target's `coder` section."""
    settings = required_run(pytestconfig).target.coder
    assert settings is not None, "checked before the run"
    return settings


@pytest.fixture(scope="session")
def coder(pytestconfig: pytest.Config, coder_settings: CoderSettings) -> Iterator[CoderClient]:
    """A client of the target's Coder deployment."""
    from gatehouse.coder.client import CoderClient

    run = required_run(pytestconfig)
    token = coder_settings.token.read()
    run.redactor.add(token)
    with CoderClient(coder_settings.url, token) as client:
        yield client


@pytest.fixture(scope="session")
def coder_owner(
    pytestconfig: pytest.Config, coder: CoderClient, coder_settings: CoderSettings
) -> Iterator[CoderClient]:
    """A client with the token that may look at the deployment, where there is one; else the ordinary one."""
    if coder_settings.owner_token is None:
        yield coder
        return
    from gatehouse.coder.client import CoderClient

    token = coder_settings.owner_token.read()
    required_run(pytestconfig).redactor.add(token)
    with CoderClient(coder_settings.url, token) as client:
        yield client


@pytest.fixture(scope="module")
def make_workspace(
    pytestconfig: pytest.Config, coder: CoderClient, coder_settings: CoderSettings
) -> Iterator[Callable[[str], Workspace]]:
    """A function that makes a workspace from a template; all of them are deleted after the module.

    What is made is in the ledger before it exists, and says whose it is by its name and labels.
    """
    from gatehouse.coder.ownership import ownership_parameters, workspace_name
    from gatehouse.coder.workspaces import delete
    from gatehouse.core.deadline import Deadline
    from gatehouse.core.ledger import Ledger

    run = required_run(pytestconfig)
    assert run.bundle
    run_id = run.bundle.run_id
    ledger = Ledger(run.bundle.folder / f"ledger-{run.worker}.jsonl")
    names: list[str] = []

    def make(template_name: str) -> Workspace:
        version_id = coder.template(template_name).active_version_id
        ttl = coder_settings.workspace_timeout_seconds + TTL_MARGIN
        entry = ledger.intend("workspace", workspace_name("smoke", run_id), run_id, ttl)
        names.append(entry.name)
        declared = {parameter.name for parameter in coder.parameters(version_id)}
        configured = {name: value for name, value in coder_settings.parameters.items() if name in declared}
        workspace = coder.create_workspace(
            entry.name,
            template_version_id=version_id,
            parameters={**configured, **ownership_parameters(entry, declared)},
            ttl_seconds=ttl,
        )
        ledger.created(entry.name, workspace.id)
        return workspace

    yield make
    for name in names:
        if workspace := coder.find_workspace(name):
            delete(coder, workspace.id, Deadline.after(coder_settings.teardown_timeout_seconds))
        ledger.gone(name)
