"""Reading YAML of the platform's own making, by the parser written in C where PyYAML has it."""

from __future__ import annotations

from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """As `yaml.safe_load`. Raises `yaml.YAMLError`."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - either loader is a safe one


def load_all(text: str) -> list[Any]:
    """As `yaml.safe_load_all`. Raises `yaml.YAMLError`."""
    return list(yaml.load_all(text, Loader=_LOADER))
