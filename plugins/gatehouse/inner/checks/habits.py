"""What a team's own automation runs: hooks, task runners and CI say which tools it works with."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gatehouse.inner.checks.parsing import text_of
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Package

#: Files of task runners and hooks, beside a package or above it.
_FILES = (
    *(
        ".pre-commit-config.yaml",
        ".pre-commit-config.yml",
        "prek.toml",
        "lefthook.yml",
        ".lefthook.yml",
        "hk.pkl",
    ),
    *("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", ".justfile", "mise.toml", ".mise.toml"),
    *("Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "taskfile.yaml", "tox.ini", "tox.toml", "setup.cfg"),
    *("noxfile.py", "tasks.py", "dodo.py", "pyproject.toml", "package.json", "turbo.json"),
    *(
        ".gitlab-ci.yml",
        "azure-pipelines.yml",
        ".circleci/config.yml",
        "bitbucket-pipelines.yml",
        "Jenkinsfile",
    ),
)

#: The same in folders, whatever the files are called.
_FOLDERS = (
    ".github/workflows/*.y*ml",
    ".github/actions/*/action.y*ml",
    ".husky/*",
    ".githooks/*",
    "scripts/*.sh",
)

_COMMENT = re.compile(r"^\s*(?:#|//).*$", re.MULTILINE)


def is_run(package: Package, tools: Tools, words: str) -> bool:
    """Whether any automation beside the package or above it names a command, a regular expression in `words`.

    Comments do not count. `tools` remembers what the files of a folder say: many packages share those above them.
    """
    pattern = re.compile(words)
    folder = package.path
    while True:
        if folder not in tools.automation:
            tools.automation[folder] = _COMMENT.sub("", "\n".join(map(text_of, _files(folder))))
        if pattern.search(tools.automation[folder]):
            return True
        if folder == package.root or folder == folder.parent:
            return False
        folder = folder.parent


def _files(folder: Path) -> list[Path]:
    """The files of a folder that tell; most have none, which one look at their names shows."""
    try:
        there = set(os.listdir(folder))  # noqa: PTH208 - names are wanted, not paths
    except OSError:
        return []
    files = [folder / name for name in _FILES if name.partition("/")[0] in there]
    return files + [
        path for each in _FOLDERS if each.partition("/")[0] in there for path in sorted(folder.glob(each))
    ]
