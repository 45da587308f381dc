"""Hooks of Gatehouse's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from gatehouse.run import Run


def pytest_gatehouse_run(config: pytest.Config, run: Run) -> None:
    """Called once in each process that takes part in a run, when suites, target and bundle are settled.

    That is before any other plugin's `pytest_configure`, so options of other plugins can still be set.
    """
