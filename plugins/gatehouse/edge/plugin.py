"""Fixtures for tests that ask for addresses from inside a workspace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gatehouse.edge.probe import Request, RunInPod, Seen


@pytest.fixture(scope="session")
def ask_inside(run_in_workspace: RunInPod) -> Callable[[Sequence[Request]], list[Seen]]:
    """What requests (`gatehouse.edge.probe.request`) see from inside the shared workspace, all made at once.

    Skips as unverified where the workspace has nothing to ask with.
    """
    from gatehouse.core.errors import EnvironmentProblem
    from gatehouse.edge.probe import from_inside

    def ask(requests: Sequence[Request]) -> list[Seen]:
        try:
            return from_inside(run_in_workspace, requests)[0]
        except EnvironmentProblem as error:
            pytest.skip(f"unverified: {error.summary} ({error.seen})")

    return ask
