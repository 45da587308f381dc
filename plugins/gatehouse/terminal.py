"""What suites write between pytest's own lines, and whether somebody looks at them as they come."""

from __future__ import annotations

import os
from typing import Any

import pytest


def write_line(config: pytest.Config, line: str) -> None:
    """Write a line between pytest's own."""
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        if reporter._tw.width_of_current_line:  # the dots of quiet and of distributed runs
            reporter._tw.line()
        reporter.write_line(line)


def is_watched(config: pytest.Config) -> bool:
    """Whether pytest writes to a terminal, in which something may be drawn over again; with -q nothing is."""
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    return bool(
        reporter is not None
        and reporter.isatty
        and config.get_verbosity() >= 0
        and not os.environ.get("CI")
        and os.environ.get("TERM") != "dumb"
    )
