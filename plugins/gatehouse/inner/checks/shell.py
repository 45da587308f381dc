"""Shell scripts, one package a folder: syntax by the shell of their first line, and shellcheck.

sh and bash are needed wherever a script names them; scripts of zsh, ksh and the like are checked where these are
installed. shellcheck runs where it is installed, and is missed only where the repository has a `.shellcheckrc`;
without one, only what it calls an error counts.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.files import existing, one_a_folder
from gatehouse.inner.checks.parsing import relative, short
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase

REQUIRED = ("sh", "bash")
SHELLS = (*REQUIRED, "dash", "ksh", "mksh", "zsh")
UNKNOWN_TO_SHELLCHECK = ("zsh", "mksh")

#: Folders whose files without a suffix are looked into: they may begin with a shell's name.
FOLDERS = {"bin", "scripts", "hooks", ".githooks", ".husky"}

#: Lets each shell read its script, all in one process: the arguments are pairs of a shell and a script.
READ_ALL = 'code=0; while [ $# -gt 1 ]; do "$1" -n "$2" || code=1; shift 2; done; exit $code'


def checks(package: Package, tools: Tools) -> list[Check]:
    """Syntax of the scripts in a folder, and their lint."""
    scripts = {file: shell for file in package.files if (shell := _shell(package, tools, file))}
    shells = {shell: tools.find(shell) for shell in sorted(set(scripts.values()))}
    scripts = {file: shell for file, shell in scripts.items() if shells[shell] or shell in REQUIRED}
    if not scripts:
        return []
    pairs = [part for file, shell in scripts.items() for part in (shells[shell] or shell, _name(file))]
    missing = next((shell for shell, found in shells.items() if shell in REQUIRED and not found), "")
    syntax = Check(
        package,
        "shell-syntax",
        Phase.CONTRACT,
        Blame.COMPILE,
        (tools.find("sh") or "sh", "-c", READ_ALL, "sh", *pairs),
        _syntax,
        missing=missing,
        how_to_install=f"install {missing} with the system's package manager",
        inputs=existing(*shells.values()),
    )
    configuration = tools.beside(package, ".shellcheckrc", "shellcheckrc")
    shellcheck = tools.find("shellcheck")
    linted = [_name(file) for file, shell in scripts.items() if shell not in UNKNOWN_TO_SHELLCHECK]
    if not linted or not (shellcheck or configuration):
        return [syntax]
    # SC2148: that a script has no first line, which those that are read by others need not have.
    severity = () if configuration else ("--severity=error", "--exclude=SC2148")
    lint = Check(
        package,
        "shell-lint",
        Phase.CONTRACT,
        Blame.LINT,
        (shellcheck or "shellcheck", "--format=json1", *severity, *linted),
        _lint,
        missing="" if shellcheck else "shellcheck",
        how_to_install="install shellcheck (https://www.shellcheck.net)",
        inputs=existing(shellcheck, configuration),
    )
    return [syntax, lint]


def _name(file: str) -> str:
    return f"./{PurePosixPath(file).name}"


def _shell(package: Package, tools: Tools, file: str) -> str:
    """The shell that a file is written for, by its first line; without one, by its suffix. Empty if it is none."""
    try:
        with (package.root / file).open("rb") as opened:
            first = opened.readline(200).decode(errors="replace")
    except OSError:
        return ""
    if first.startswith("#!"):
        words = [word.rsplit("/", 1)[-1] for word in first[2:].split()]
        return next((word for word in words if word in SHELLS), "")
    suffix = PurePosixPath(file).suffix
    # Scripts that are read by others need no first line, and are mostly read by bash.
    return "bash" if suffix == ".bash" or (suffix == ".sh" and tools.find("bash")) else suffix[1:]


def _syntax(check: Check, done: Completed) -> Parsed:
    places = re.findall(r"^(\./.+?): (?:line )?(\d+): (?!`)(.+)$", done.stderr, re.MULTILINE)
    findings = [
        Finding(relative(check, path), message, int(line), rule="syntax") for path, line, message in places
    ]
    return Parsed(tuple(findings))


def _lint(check: Check, done: Completed) -> Parsed:
    comments = json.loads(done.stdout).get("comments", []) if done.stdout.strip() else []
    return Parsed(
        tuple(
            Finding(
                relative(check, each["file"]),
                short(each["message"]),
                each["line"],
                each["column"],
                f"SC{each['code']}",
            )
            for each in comments
        )
    )


def _may_be_a_script(folder: str, name: str) -> bool:
    return name.endswith((".sh", ".bash")) or ("." not in name and folder.rpartition("/")[2] in FOLDERS)


LANGUAGE = Language("shell", checks, find=one_a_folder(_may_be_a_script), suffixes=(".sh", ".bash"))
