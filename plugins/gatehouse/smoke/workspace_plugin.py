"""Fixtures for tests of one workspace: which template, its start, what is asked inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from gatehouse.core.errors import UsageError
from gatehouse.run import current_run, required_run

if TYPE_CHECKING:
    from gatehouse.coder.client import CoderClient
    from gatehouse.coder.commands import Printed
    from gatehouse.coder.models import Workspace
    from gatehouse.core.settings import CoderSettings
    from gatehouse.kube.client import Cluster
    from gatehouse.smoke.workspace.editor import Editor
    from gatehouse.workspace.startup import Started


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of a workspace run for each template under test, where the settings name them."""
    run = current_run(metafunc.config)
    if "template_under_test" not in metafunc.fixturenames or run is None or "smoke" not in run.suites:
        return
    if run.target.coder and (names := run.target.coder.templates_under_test):
        metafunc.parametrize("template_under_test", names, scope="module")


@pytest.fixture(scope="module")
def template_under_test(coder: CoderClient, coder_settings: CoderSettings) -> str:
    """The name of the template under test. Raises `UsageError` where there are several and none is named."""
    from gatehouse.coder import made

    try:
        return made.template_under_test(coder, coder_settings)
    except UsageError as error:
        error.next_step += ", or several as coder.templates_under_test"
        raise


@pytest.fixture(scope="session")
def bring_up(
    pytestconfig: pytest.Config, coder: CoderClient, coder_settings: CoderSettings
) -> Callable[[str], Started]:
    """A function that waits until a workspace's latest start build has made it ready, stage by stage."""
    from gatehouse.kube.client import connect
    from gatehouse.workspace import startup

    place = required_run(pytestconfig).target.kubernetes

    def bring_up(workspace_id: str) -> Started:
        def wait(cluster: Cluster | None) -> Started:
            return startup.bring_up(
                coder, cluster, workspace_id, coder_settings.budgets, coder_settings.workspace_timeout_seconds
            )

        cluster = connect(place)
        if cluster is None:
            return wait(None)
        with cluster:
            return wait(cluster)

    return bring_up


@pytest.fixture(scope="session")
def ready_workspace(
    pytestconfig: pytest.Config,
    coder: CoderClient,
    coder_settings: CoderSettings,
    bring_up: Callable[[str], Started],
) -> Iterator[Workspace]:
    """A workspace from the template under test, brought to ready, for all tests that only look: one a worker."""
    from gatehouse.coder.made import template_under_test
    from gatehouse.coder.plugin import workspaces_of_run

    made = workspaces_of_run(pytestconfig, coder, coder_settings)
    template = template_under_test(coder, coder_settings)
    yield made.make_ready(template, lambda workspace: bring_up(workspace.id).workspace)
    made.remove_all()


@pytest.fixture(scope="module")
def started(
    template_under_test: str, make_workspace: Callable[[str], Workspace], bring_up: Callable[[str], Started]
) -> Started:
    """A workspace made from the template under test and brought to ready, and how long each stage took."""
    return bring_up(make_workspace(template_under_test).id)


@pytest.fixture(scope="module")
def workspace(started: Started) -> Workspace:
    """The workspace as it was when it had become ready."""
    return started.workspace


@pytest.fixture(scope="module")
def inside(coder: CoderClient, workspace: Workspace) -> Callable[[str], Printed]:
    """A function that runs a shell script in the workspace, over its terminal."""
    from gatehouse.coder.commands import run_in_workspace

    agent = workspace.agent
    assert agent, "the workspace is ready"
    return lambda script: run_in_workspace(coder, agent.id, script)


@pytest.fixture(scope="module")
def editor(coder: CoderClient, workspace: Workspace, coder_settings: CoderSettings) -> Editor:
    """The web editor of the workspace, through Coder's own proxy."""
    from gatehouse.smoke.workspace.editor import Editor

    return Editor(coder, workspace, coder_settings)
