"""A task's own file, `NAME.task.yaml`: what it does not set is as in the target's `task` section."""

from __future__ import annotations

from pathlib import Path

from gatehouse.core import yaml_file
from gatehouse.core.task_settings import TaskSettings

SUFFIX = ".task.yaml"


def load_definition(path: Path, defaults: TaskSettings | None = None) -> TaskSettings:
    """The task in a file. Raises `SettingsError` with line and accepted form."""
    known = defaults.model_dump(exclude_unset=True) if defaults else {}
    return yaml_file.load(path, TaskSettings, "docs/task.md", defaults=known)
