"""Fixtures that compare a deployment with how it was before its upgrade."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gatehouse.coder.client import CoderClient
    from gatehouse.smoke.baseline import Baseline
    from gatehouse.smoke.differences import Difference


@pytest.fixture(scope="session")
def baseline(pytestconfig: pytest.Config) -> Baseline:
    """What the deployment was before the upgrade. Without `--gate-baseline` the test is skipped as not configured.

    Raises `UsageError` for a folder that holds none that can be used.
    """
    from gatehouse.smoke.baseline import read_baseline

    folder = pytestconfig.getoption("gate_baseline")
    if folder is None:
        pytest.skip(
            "not configured: no --gate-baseline, so nothing is compared with how it was before an upgrade"
        )
    return read_baseline(pytestconfig.invocation_params.dir / folder)


@pytest.fixture(scope="session")
def differences(coder: CoderClient, coder_owner: CoderClient, baseline: Baseline) -> list[Difference]:
    """All that is not what it was when the baseline was taken, each judged."""
    from datetime import UTC, datetime

    from gatehouse import __version__
    from gatehouse.smoke.baseline import Baseline
    from gatehouse.smoke.differences import compare
    from gatehouse.smoke.recording import record

    now = Baseline(
        gatehouse=__version__, taken=datetime.now(UTC), url=coder.url, sections=record(coder, coder_owner)
    )
    return compare(baseline, now)


@pytest.fixture
def differences_in(
    request: pytest.FixtureRequest, differences: list[Difference]
) -> Callable[[str], list[Difference]]:
    """A function that gives the differences of one section, and notes them for the table at the end of the run."""
    from gatehouse.evidence.plugin import Evidence
    from gatehouse.run import required_run

    evidence = Evidence(required_run(request.config), request.node)

    def noted(section: str) -> list[Difference]:
        found = [each for each in differences if each.section == section]
        for each in found:
            evidence.event("difference", text=str(each), **each.as_data())
        return found

    return noted
