"""Fixtures for tests that look into the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from gatehouse.run import required_run

if TYPE_CHECKING:
    from gatehouse.kube.client import Cluster


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The target's cluster. Without a section for it the test is skipped as unverified, which the gate can judge.

    Raises `EnvironmentProblem` where the section is there but cannot be used.
    """
    from gatehouse.kube.client import Cluster

    settings = required_run(pytestconfig).target.kubernetes
    if settings is None:
        pytest.skip("unverified: the target has no kubernetes section, so the cluster cannot be looked at")
    with Cluster(settings.kubeconfig, settings.context) as connection:
        yield connection
