"""Fixtures for tests of automation tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from gatehouse.core.errors import GatehouseError
from gatehouse.evidence.plugin import Evidence
from gatehouse.run import required_run

if TYPE_CHECKING:
    from gatehouse.coder.client import CoderClient
    from gatehouse.core.settings import TaskSettings
    from gatehouse.kube.client import Cluster
    from gatehouse.task.launcher import TaskLauncher


@pytest.fixture(scope="session")
def task_settings(pytestconfig: pytest.Config) -> TaskSettings:
    """The target's `task` section."""
    settings = required_run(pytestconfig).target.task
    assert settings is not None, "checked before the run"
    return settings


@pytest.fixture
def launcher(
    pytestconfig: pytest.Config,
    task_settings: TaskSettings,
    coder: CoderClient,
    cluster: Cluster,
    evidence: Evidence,
) -> Iterator[TaskLauncher]:
    """Starts tasks. Those that a test has not destroyed are destroyed after it, and proved gone."""
    from gatehouse.core.ledger import Ledger
    from gatehouse.task.launcher import TaskLauncher

    run = required_run(pytestconfig)
    assert run.bundle
    ledger = Ledger(run.bundle.folder / f"ledger-{run.worker}.jsonl")
    launcher = TaskLauncher(task_settings, coder, cluster, ledger, run.bundle.run_id)
    yield launcher
    problems: list[GatehouseError] = []
    for name in list(launcher.outstanding):
        try:
            if proof := launcher.destroy(name):
                evidence.event("leak_proof", proof=proof.as_data())
                proof.require_clean()
        except GatehouseError as error:  # the others are destroyed all the same
            problems.append(error)
    if problems:
        raise problems[0]
