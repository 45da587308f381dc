"""What a deployment must still be after an upgrade, as a file: `baseline.json` in a folder of its own."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gatehouse.core.errors import EnvironmentProblem, UsageError

FILE_NAME = "baseline.json"

#: Facts of one kind by name, such as `oidc.enabled` or a template's name; values are as in JSON.
Facts = dict[str, Any]


class Section(BaseModel):
    """Facts of one kind; or why they could not be had, in the server's words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    facts: Facts = {}
    unverified: str = ""


class Canary(BaseModel):
    """A workspace that is left behind. `expect` is what it is at the time of the upgrade."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    id: str
    owner: str
    expect: Literal["running", "stopped"]
    template: str
    #: A file in the workspace and what is in it; both must survive.
    marker_path: str = ""
    marker: str = ""
    #: When Coder stops it by itself, if it does.
    stops_at: datetime | None = None


class Baseline(BaseModel):
    """A deployment at one time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(default=1, alias="schema")
    gatehouse: str
    taken: datetime
    url: str
    embedded: bool = False
    sections: dict[str, Section]
    canaries: list[Canary] = []

    @property
    def version(self) -> str:
        """The version that the deployment had."""
        return str(self.sections.get("deployment", Section()).facts.get("version", ""))


def write_baseline(folder: Path, baseline: Baseline) -> Path:
    """Write it as a whole; returns the file. Raises `EnvironmentProblem`."""
    path = folder / FILE_NAME
    temporary = path.with_name(f".{FILE_NAME}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("w") as file:
            file.write(baseline.model_dump_json(indent=1, by_alias=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentProblem(
            f"the baseline cannot be written to {path}",
            seen=f"{type(error).__name__}: {error.strerror}",
            next_step="make room, or name a folder that can be written",
        ) from error
    return path


def read_baseline(path: Path) -> Baseline:
    """The baseline in a folder, or in a file. Raises `UsageError` with what is wrong with it."""
    file = path / FILE_NAME if path.is_dir() or not path.suffix else path
    try:
        return Baseline.model_validate(json.loads(file.read_text()))
    except OSError as error:
        raise UsageError(
            f"there is no baseline {file}",
            seen=str(error.strerror),
            next_step="take one before the upgrade with `gatehouse baseline DIR`, and name its folder here",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        seen = f"{where}: {first['msg']}"
    except ValueError as error:
        seen = f"not JSON: {error}"
    raise UsageError(
        f"the baseline {file} cannot be used",
        expected="what `gatehouse baseline` of this version wrote",
        seen=seen,
        next_step="take a new one; if the upgrade has been made, run pytest -m smoke without --gate-baseline",
    )
