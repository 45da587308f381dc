"""The answer of the last run, which stands as long as nothing it rests on has changed.

No pytest and no settings are imported here: it answers dozens of times an hour.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
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
SCHEMA = 2

#: Variables that decide about a run besides those that checks are given.
_OURS = ("GATEHOUSE_", "AMEIDE_", "GITHUB_", "CI", "XDG_CACHE_HOME")


def last_answer(
    checkout: Checkout, cache: Path, environment: Mapping[str, str] = os.environ
) -> list[str] | None:
    """The lines of the last run's digest; None unless it passed and would say the same now.

    Its evidence must still be there: the answer points to it.
    """
    known = SignedFiles(cache / "inner" / "answers").read(_name(checkout.root))
    if (
        known is None
        or known.get("schema") != SCHEMA
        or not (Path(known["bundle"]) / "manifest.json").is_file()
    ):
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

    `variables` are the names of those that the settings add to what decides about a run.
    `identities` are those of the files outside of git's list that decided about any check.
    """
    body: dict[str, Any] = {
        "schema": SCHEMA,
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


def _modified(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


def _name(root: Path) -> str:
    return f"{hashlib.sha256(str(root).encode(errors='surrogateescape')).hexdigest()}.json"
