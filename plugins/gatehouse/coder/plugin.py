"""Fixtures for tests of a Coder deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from gatehouse.run import current_run, required_run

if TYPE_CHECKING:
    from gatehouse.coder.client import CoderClient
    from gatehouse.coder.made import MadeWorkspaces
    from gatehouse.coder.models import Workspace
    from gatehouse.core.settings import CoderSettings
    from gatehouse.core.smoke_settings import SmokeSettings


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give workers of an interrupted run the time to delete their workspaces: pytest-xdist kills them after 10 s."""
    run = current_run(node.config)
    if run and run.target.coder:
        node.nodemanager.EXIT_TIMEOUT = run.target.coder.teardown_timeout_seconds


@pytest.fixture(scope="session")
def coder_settings(pytestconfig: pytest.Config) -> CoderSettings:
    """The target's `coder` section."""
    settings = required_run(pytestconfig).target.coder
    assert settings is not None, "checked before the run"
    return settings


@pytest.fixture(scope="session")
def coder(pytestconfig: pytest.Config, coder_settings: CoderSettings) -> Iterator[CoderClient]:
    """A client of the target's Coder deployment."""
    from gatehouse.coder.connect import connect

    run = required_run(pytestconfig)
    token = coder_settings.token.read()
    run.redactor.add(token)
    with connect(coder_settings, token) as client:
        yield client


@pytest.fixture(scope="session")
def coder_owner(
    pytestconfig: pytest.Config, coder: CoderClient, coder_settings: CoderSettings
) -> Iterator[CoderClient]:
    """A client with the token that may look at the deployment, where there is one; else the ordinary one."""
    if coder_settings.owner_token is None:
        yield coder
        return
    from gatehouse.coder.connect import connect

    token = coder_settings.owner_token.read()
    required_run(pytestconfig).redactor.add(token)
    with connect(coder_settings, token) as client:
        yield client


@pytest.fixture(scope="session")
def smoke_settings(pytestconfig: pytest.Config) -> SmokeSettings:
    """The target's `smoke` section, or its defaults."""
    from gatehouse.core.smoke_settings import SmokeSettings

    return required_run(pytestconfig).target.smoke or SmokeSettings()


@pytest.fixture(scope="module")
def make_workspace(
    pytestconfig: pytest.Config, coder: CoderClient, coder_settings: CoderSettings
) -> Iterator[Callable[[str], Workspace]]:
    """A function that makes a workspace from a template; all of them are deleted after the module.

    What is made is in the ledger before it exists, and says whose it is by its name and labels.
    """
    made = workspaces_of_run(pytestconfig, coder, coder_settings)
    yield made.make
    made.remove_all()


def workspaces_of_run(config: pytest.Config, coder: CoderClient, settings: CoderSettings) -> MadeWorkspaces:
    """Makes workspaces that are in the ledger of this run, and deletes them."""
    from gatehouse.coder.made import MadeWorkspaces
    from gatehouse.core.ledger import Ledger

    run = required_run(config)
    assert run.bundle
    ledger = Ledger(run.bundle.folder / f"ledger-{run.worker}.jsonl")
    return MadeWorkspaces(coder, settings, ledger, run.bundle.run_id)
