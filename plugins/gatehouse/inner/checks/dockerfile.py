"""Dockerfiles, one package a folder: hadolint.

It runs where it is installed, and is missed only where the repository has a `.hadolint.yaml`; without one, only what
it calls an error counts.
"""

from __future__ import annotations

import json
import os
import re

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.files import existing, names, one_a_folder
from gatehouse.inner.checks.parsing import relative, short
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase

#: `Dockerfile`, `Dockerfile.web`, `web.Dockerfile`; not what Docker ignores, nor templates that become one.
_NAME = re.compile(r"(?:Docker|Container)file(?:\.(?!dockerignore|md|j2|tmpl|tpl)[\w-]+)?|.+\.Dockerfile")


def checks(package: Package, tools: Tools) -> list[Check]:
    """`hadolint` for the Dockerfiles of a folder."""
    hadolint = tools.find("hadolint")
    configuration = tools.beside(package, ".hadolint.yaml", ".hadolint.yml")
    if not hadolint and not configuration:
        return []
    # hadolint looks for it in the folder that it runs in, and nowhere above.
    named = os.path.relpath(configuration, package.path) if configuration else ""
    options = ("--config", named) if named else ("--failure-threshold", "error")
    return [
        Check(
            package,
            "dockerfile-lint",
            Phase.CONTRACT,
            Blame.LINT,
            (hadolint or "hadolint", "--format", "json", *options, *names(package)),
            _lint,
            missing="" if hadolint else "hadolint",
            how_to_install="install hadolint (https://github.com/hadolint/hadolint)",
            inputs=existing(hadolint, configuration),
        )
    ]


def _lint(check: Check, done: Completed) -> Parsed:
    """What hadolint complains about; without a configuration it prints all of it, of which errors count."""
    found = json.loads(done.stdout) if done.stdout.strip() else []
    errors_only = "--failure-threshold" in check.argv
    return Parsed(
        tuple(
            Finding(
                relative(check, each["file"]),
                short(each["message"]),
                each["line"],
                each["column"],
                each["code"],
            )
            for each in found
            if each["level"] == "error" or not errors_only
        )
    )


def _is_dockerfile(_folder: str, name: str) -> bool:
    return "file" in name and _NAME.fullmatch(name) is not None


LANGUAGE = Language("dockerfile", checks, find=one_a_folder(_is_dockerfile))
