"""The answer of the last run, which stands as long as nothing it rests on has changed.

No pytest and no settings are imported here: it answers dozens of times an hour.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gatehouse import __version__
from gatehouse.core.base import Base, find_base
from gatehouse.core.checkout import Checkout
from gatehouse.core.tree_snapshot import snapshot
from gatehouse.core.work_tree import WorkTree
from gatehouse.inner.environment import STARTED_IN, check_environment
from gatehouse.inner.identities import identity
from gatehouse.inner.signed_files import SignedFiles

#: Changes whenever a kept answer has another shape; those of other versions are no answers.
SCHEMA = 3

#: Seconds.
DAY = 86_400

#: The file of evidence that says until when the guard rails accept what the checkout changes.
_GUARD_RAILS = Path("attachments", "guard-rails.json")

#: Variables that decide about a run besides those that checks are given.
_OURS = ("GATEHOUSE_", "AMEIDE_", "GITHUB_", "CI", "XDG_CACHE_HOME")


def last_answer(
    checkout: Checkout,
    cache: Path,
    environment: Mapping[str, str] = os.environ,
    now: Callable[[], float] = time.time,
) -> list[str] | None:
    """The lines of the last run's digest; None unless it passed and would say the same now.

    Its evidence must still be there: the answer points to it. `now` gives seconds since 1970.
    """
    known = SignedFiles(cache / "inner" / "answers").read(_name(checkout.root))
    if (
        known is None
        or known.get("schema") != SCHEMA
        or not (Path(known["bundle"]) / "manifest.json").is_file()
    ):
        return None
    if known["ends"] is not None and now() >= known["ends"]:
        return None
    if any(identity(Path(path)) != what for path, what in known["identities"].items()):
        return None
    contents, base = snapshot(checkout, WorkTree.of(checkout)), find_base(checkout, None, environment)
    if known["state"] != state(checkout, cache, contents, base, known["variables"], environment):
        return None
    verdict, *notes = known["lines"]
    return [f"{verdict}; nothing changed since", *notes]


def keep_answer(
    checkout: Checkout,
    cache: Path,
    contents: Mapping[str, str],
    base: Base,
    *,
    variables: Sequence[str],
    identities: Mapping[str, str],
    bundle: Path,
    lines: Iterable[str],
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Keep the digest of a run of all checks that passed on `contents`; the next run forgets it.

    It stands no longer than the guard rails accept what the checkout changes, as the evidence in `bundle` says;
    without that evidence nothing is kept.
    `variables` are the names of those that the settings add to what decides about a run.
    `identities` are those of the files outside of git's list that decided about any check.
    """
    try:
        ends = _end(json.loads((bundle / _GUARD_RAILS).read_bytes())["until"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "ends": ends,
        "state": state(checkout, cache, contents, base, variables, environment),
        "variables": list(variables),
        "identities": dict(identities),
        "bundle": str(bundle.absolute()),
        "lines": list(lines),
    }
    SignedFiles(cache / "inner" / "answers").write(_name(checkout.root), body)


def forget_answer(checkout: Checkout, cache: Path) -> None:
    """Forget the answer before a run that may end otherwise."""
    (cache / "inner" / "answers" / _name(checkout.root)).unlink(missing_ok=True)


def state(
    checkout: Checkout,
    cache: Path,
    contents: Mapping[str, str],
    base: Base,
    variables: Sequence[str],
    environment: Mapping[str, str],
) -> str:
    """A digest of the files, the commit, the base, the environment, and the folders in which programs are found."""
    found = hashlib.sha256()
    checked = check_environment(environment, cache, variables)
    ours = {
        name: value for name, value in environment.items() if name.startswith(_OURS) and name != STARTED_IN
    }
    facts = [
        __version__,
        checkout.head or "",
        base.commit or base.problem,
        *(f"{name}={value}" for name, value in sorted({**ours, **checked}.items())),
        *(f"{folder} {_modified(folder)}" for folder in environment.get("PATH", "").split(os.pathsep)),
        *(f"{path}\0{what}" for path, what in sorted(contents.items())),
    ]
    for fact in facts:
        found.update(fact.encode(errors="surrogateescape") + b"\n")
    return found.hexdigest()


def _end(day: str | None) -> float | None:
    """The end of a day (UTC) in seconds since 1970; None for no day."""
    return None if day is None else datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() + DAY


def _modified(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


def _name(root: Path) -> str:
    return f"{hashlib.sha256(str(root).encode(errors='surrogateescape')).hexdigest()}.json"
