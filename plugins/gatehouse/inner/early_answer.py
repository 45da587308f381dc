"""Answers `pytest -m inner` while pytest still loads its plugins, when nothing has changed since all checks passed.

Loaded before the other plugins of Gatehouse: most of the time that such an answer takes would be theirs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gatehouse.inner.environment import STARTED_IN

#: The command lines that ask for nothing but the answer.
PLAIN = (["-m", "inner"], ["-m", "inner", "-q"], ["-q", "-m", "inner"])


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The first hook that is called. Ends pytest where the last answer stands."""
    if sys.argv[1:] not in PLAIN or Path(sys.argv[0]).stem not in ("pytest", "py.test", "__main__"):
        return
    if STARTED_IN in os.environ or "PYTEST_ADDOPTS" in os.environ:
        return
    from gatehouse.core.checkout import Checkout
    from gatehouse.core.errors import GatehouseError
    from gatehouse.core.folders import cache_folder
    from gatehouse.inner.last_answer import last_answer

    try:
        lines = last_answer(Checkout.find(Path()), cache_folder())
    except GatehouseError:
        return  # the run itself says what is wrong
    if lines is not None:
        print("\n".join(lines))
        raise SystemExit(0)
