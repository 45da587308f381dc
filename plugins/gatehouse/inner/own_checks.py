"""Checks that the settings add, or put in the place of ones that were found; and tools that must be there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gatehouse.core.errors import UsageError
from gatehouse.core.inner_settings import OwnCheck
from gatehouse.core.processes import Completed
from gatehouse.inner.checks.parsing import placed_lines
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Package, Parsed, Phase


def with_own_checks(
    checks: Sequence[Check], packages: Sequence[Package], own: Sequence[OwnCheck], tools: Tools
) -> list[Check]:
    """The checks with those of the settings, each in the place of the one of its name if there is one.

    Raises `UsageError` for a check of a package that is not there.
    """
    result = {check.id: check for check in checks}
    by_manifest = {package.manifest: package for package in packages}
    for each in own:
        manifest, _, name = each.check.partition("::")
        if manifest not in by_manifest:
            raise UsageError(
                f"gatehouse.yaml: inner.checks: there is no package {manifest}",
                seen=f"packages: {', '.join(sorted(by_manifest)[:10]) or 'none'}",
                next_step=f"correct {each.check}",
            )
        result[each.check] = _check(by_manifest[manifest], name, each, tools, result.get(each.check))
    return list(result.values())


def _check(package: Package, name: str, own: OwnCheck, tools: Tools, found: Check | None) -> Check:
    program = own.command[0]
    local = package.path / program
    path = str(local) if "/" in program and local.is_file() else tools.find(program)
    blame = Blame.LINT if own.phase == "contract" else Blame.TEST
    check = Check(
        package,
        name,
        Phase(own.phase),
        blame,
        (path or program, *own.command[1:]),
        _Counted(own.counts),
        missing="" if path else program,
        how_to_install=f"install {program}, or correct inner.checks in gatehouse.yaml",
    )
    return (
        replace(
            found, argv=check.argv, parse=check.parse, phase=check.phase, missing=check.missing, look=None
        )
        if found
        else check
    )


class _Counted:
    """Reads places out of the output, and the number of tests where the settings say how."""

    def __init__(self, counts: str) -> None:
        self._counts = counts

    def __call__(self, check: Check, done: Completed) -> Parsed:
        text = f"{done.stdout}\n{done.stderr}"
        executed = None
        if self._counts:
            found = re.search(self._counts, text, re.MULTILINE)
            executed = int(found[1]) if found and found[1].isdigit() else 0
        return Parsed(placed_lines(check, text), executed)


def required_tools(root: Path, required: Sequence[str], tools: Tools) -> list[Check]:
    """A check that the programs are there that the settings require; none where they require none."""
    if not required:
        return []
    package = Package(root, "", "gatehouse.yaml", "settings")
    missing = [name for name in required if tools.find(name) is None]

    def look() -> Parsed:
        return Parsed(
            tuple(
                Finding(
                    "gatehouse.yaml",
                    f"{name} is not installed, and inner.required_tools names it",
                    rule="required-tools",
                )
                for name in missing
            )
        )

    return [Check(package, "required-tools", Phase.CONTRACT, Blame.SETUP, look=look)]
