"""What a team's own automation runs: hooks, task runners and CI say which tools it works with."""

from __future__ import annotations

import re

from gatehouse.inner.checks.parsing import text_of
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


def is_run(package: Package, words: str) -> bool:
    """Whether any automation beside the package or above it names a command, a regular expression in `words`.

    Comments do not count.
    """
    pattern = re.compile(words)
    folder = package.path
    while True:
        files = [
            *(folder / name for name in _FILES),
            *(path for each in _FOLDERS for path in folder.glob(each)),
        ]
        if any(pattern.search(_COMMENT.sub("", text_of(path))) for path in files):
            return True
        if folder == package.root or folder == folder.parent:
            return False
        folder = folder.parent
