"""How pytest is started for a run of the inner suite: with a configuration of our own, and no plugins but ours."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from gatehouse.inner.environment import STARTED_IN

#: The digest says what there is to say; pytest's own words are for who asks for them.
TERSE = ("-qq", "--no-header", "--no-summary", "--tb=no")
ASKS_FOR_WORDS = re.compile(r"-v+|--verbose|--collect-only|--co|--tb(=.*)?|-r.*")


def suite_command(
    root: Path, started_in: Path, arguments: Iterable[str], environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The arguments of Python, and the environment, for pytest's `arguments` on the checkout at `root`."""
    workers, rest = _workers(arguments)
    command = [
        *("-m", "pytest", "-c", str(Path(__file__).with_name("pytest.ini"))),
        *("--rootdir", str(root), "-p", "gatehouse.plugin"),
        *(("--gate-workers", workers) if workers else ()),
        *(() if any(ASKS_FOR_WORDS.fullmatch(each) for each in rest) else TERSE),
        *rest,
    ]
    # Plugins of the environment do not belong into this run, nor do options meant for the target's tests.
    changed = {STARTED_IN: str(started_in), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    kept = {name: value for name, value in environment.items() if name != "PYTEST_ADDOPTS"}
    return command, {**kept, **changed}


def _workers(arguments: Iterable[str]) -> tuple[str, list[str]]:
    """pytest-xdist's `-n` taken out of the arguments: the suite has a pool of its own, and this is its size."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-n", "--numprocesses", default="")
    known, rest = parser.parse_known_args(list(arguments))
    number = known.numprocesses
    return (number if number.isdigit() and number != "0" else ""), rest
