"""What the controller found out about the preview, for every process of the run and for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehouse.core import errors
from gatehouse.core.errors import GatehouseError

#: Its name among the bundle's attachments.
FILE_NAME = "preview-environment.json"


class Outcome:
    """The proved environment, or why there is none, with the incident note about that."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    @classmethod
    def read(cls, folder: Path) -> Outcome:
        """What was written into `folder`."""
        return cls(json.loads((folder / FILE_NAME).read_text()))

    @property
    def personas_folder(self) -> Path | None:
        """The private folder of those who have signed in; None if there are no personas."""
        return Path(self._data["personas"]) if self._data.get("personas") else None

    @property
    def note(self) -> str:
        """The incident note; empty if there is none."""
        return str(self._data.get("note") or "")

    def environment(self) -> dict[str, Any]:
        """The environment's data. Raises the error that ended the wait."""
        if failure := self._data.get("failure"):
            raise raised_again(failure)
        environment: dict[str, Any] = self._data["environment"]
        return environment


def write_outcome(folder: Path, data: dict[str, Any]) -> None:
    """Write `{"environment": …, "personas": …}` or `{"failure": …, "note": …}`, which must be free of secrets."""
    (folder / FILE_NAME).write_text(json.dumps(data, indent=1, default=str))


def error_data(error: GatehouseError) -> dict[str, str]:
    """An error as `raised_again` reads it."""
    return {
        "type": type(error).__name__,
        "summary": error.summary,
        "expected": error.expected,
        "seen": error.seen,
        "where": error.where,
        "next_step": error.next_step,
    }


def raised_again(data: Mapping[str, str]) -> GatehouseError:
    """The error that `error_data` described."""
    known = {**data}
    kind: type[GatehouseError] = getattr(errors, known.pop("type"), errors.InfrastructureError)
    return kind(known.pop("summary"), **known)
