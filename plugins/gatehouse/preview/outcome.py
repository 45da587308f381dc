"""What the controller found out about the preview, for every process of the run and for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gatehouse.core.errors import error_of

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
            raise error_of(failure)
        environment: dict[str, Any] = self._data["environment"]
        return environment


def write_outcome(folder: Path, data: dict[str, Any]) -> None:
    """Write `{"environment": …, "personas": …}` or `{"failure": …, "note": …}`, which must be free of secrets."""
    (folder / FILE_NAME).write_text(json.dumps(data, indent=1, default=str))
