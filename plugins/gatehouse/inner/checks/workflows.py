"""The GitHub workflows of the checkout: that they can be read, and actionlint.

actionlint runs where it is installed, and is missed only where the repository has a `.github/actionlint.yaml`; without
one it asks neither shellcheck nor pyflakes, so that its answer is the same on every machine.
"""

from __future__ import annotations

import json

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.files import existing, names, one_a_folder, read_yaml
from gatehouse.inner.checks.parsing import relative, short
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase


def checks(package: Package, tools: Tools) -> list[Check]:
    """A look at each workflow, and `actionlint`."""
    found = [
        Check(package, "workflows-syntax", Phase.CONTRACT, Blame.COMPILE, look=lambda: _unreadable(package))
    ]
    actionlint = tools.find("actionlint")
    configuration = tools.beside(package, ".github/actionlint.yaml", ".github/actionlint.yml")
    if actionlint or configuration:
        alone = () if configuration else ("-shellcheck=", "-pyflakes=")
        found.append(
            Check(
                package,
                "workflows-lint",
                Phase.CONTRACT,
                Blame.LINT,
                (
                    *(actionlint or "actionlint", "-no-color", "-format", "{{json .}}"),
                    *alone,
                    *names(package),
                ),
                _lint,
                missing="" if actionlint else "actionlint",
                how_to_install="install actionlint (https://github.com/rhysd/actionlint)",
                inputs=existing(actionlint, configuration),
            )
        )
    return found


def _unreadable(package: Package) -> Parsed:
    """Workflows that are no YAML, or name no jobs."""
    findings = []
    for file in package.files:
        data = read_yaml(package.root, file)
        if isinstance(data, Finding):
            findings.append(data)
        elif not isinstance(data.get("jobs"), dict):
            findings.append(Finding(file, "expected a mapping `jobs` with at least one job", 1, rule="jobs"))
    return Parsed(tuple(findings))


def _lint(check: Check, done: Completed) -> Parsed:
    found = json.loads(done.stdout) if done.stdout.strip() else []
    return Parsed(
        tuple(
            Finding(
                relative(check, each["filepath"]),
                short(each["message"]),
                each["line"],
                each["column"] or None,
                each["kind"],
            )
            for each in found or ()
        )
    )


def _is_workflow(folder: str, name: str) -> bool:
    return folder == ".github/workflows" and name.endswith((".yml", ".yaml"))


LANGUAGE = Language("workflows", checks, find=one_a_folder(_is_workflow))
