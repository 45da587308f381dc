"""The target's settings as the container is to have them: asked with its own identity, secrets from its variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.settings import Settings, Target
from gatehouse.job.handover import AUTHORITY_FILE, CONFIGURATION, SETTINGS_FILE

#: The variables of the Secret that stand for tokens which are in files on this side.
TOKENS = {"token": "CODER_SESSION_TOKEN", "owner_token": "CODER_OWNER_TOKEN"}

#: Sections that the smoke suite does not use.
LEFT_OUT = ("argocd", "preview", "task")


def files_for(settings: Settings, name: str, target: Target) -> dict[str, str]:
    """The files of the container's configuration by name. Only one target is in it, under its own name.

    Raises `EnvironmentProblem` for an authority's file that cannot be read here.
    """
    section = target.model_dump(mode="json", exclude_unset=True, exclude=set(LEFT_OUT))
    section["kubernetes"] = {}
    for field, variable in TOKENS.items():
        if "file" in (section["coder"].get(field) or {}):
            section["coder"][field] = {"env": variable}
    section.get("github", {}).pop("token", None)
    files = {}
    edge = (section.get("smoke") or {}).get("edge") or {}
    if path := edge.get("ca_file"):
        files[AUTHORITY_FILE] = _read(Path(path))
        edge["ca_file"] = f"{CONFIGURATION}/{AUTHORITY_FILE}"
    document: dict[str, Any] = {"version": 1, "default_target": name, "targets": {name: section}}
    document |= settings.model_dump(mode="json", exclude_unset=True, include={"guardrails"})
    return {**files, SETTINGS_FILE: yaml.safe_dump(document, sort_keys=False)}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentProblem(
            f"the authority's file {path} cannot be read, and the Job needs it", seen=str(error)
        ) from error
