"""The run under way: which suites, against which target, about which commit, with which bundle.

Made once by the root plugin and kept in pytest's stash; workers get their copy from the controller.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatehouse.core.errors import GatehouseError, UsageError
from gatehouse.core.redaction import Redactor
from gatehouse.evidence.bundle import Bundle

if TYPE_CHECKING:  # pydantic takes a tenth of a second to import, and not every pytest run is one of ours
    from gatehouse.core.settings import Settings, Target

SUITES = ("smoke", "inner", "preview", "task")


@dataclass
class Run:
    """What the plugins of all slices share. `controller` is False on pytest-xdist workers."""

    suites: tuple[str, ...]
    root: Path
    settings: Settings
    target_name: str
    target: Target
    number: int | None = None
    commit: str | None = None
    repository: str | None = None
    tree: str | None = None
    dirty: bool | None = None
    bundle: Bundle | None = None
    controller: bool = True
    worker: str = "main"
    redactor: Redactor = field(default_factory=Redactor.from_environment)
    #: Set once any answer has come from the embedded platform, whatever the target is called.
    embedded: bool = False

    def attachments(self) -> Path:
        """Where attached files go. Raises `UsageError` in a run without evidence."""
        if self.bundle is None:
            raise UsageError("this run keeps no evidence, so nothing can be attached")
        return self.bundle.folder / "attachments"

    def to_worker(self) -> str:
        """The run as text that a worker can be given; no secret is in it, only where secrets are."""
        return json.dumps(
            {
                "suites": self.suites,
                "root": str(self.root),
                "settings": self.settings.model_dump(mode="json", exclude_unset=True),
                "target_name": self.target_name,
                "target": self.target.model_dump(mode="json", exclude_unset=True),
                "number": self.number,
                "commit": self.commit,
                "repository": self.repository,
                "tree": self.tree,
                "dirty": self.dirty,
                "run_id": self.bundle.run_id if self.bundle else None,
                "folder": str(self.bundle.folder) if self.bundle else None,
                "embedded": self.embedded,
            }
        )

    @classmethod
    def from_controller(cls, text: str, worker: str) -> Run:
        """The run that `to_worker` described."""
        from gatehouse.core.settings import Settings, Target

        data: dict[str, Any] = json.loads(text)
        run_id, folder = data.pop("run_id"), data.pop("folder")
        return cls(
            **{
                **data,
                "suites": tuple(data["suites"]),
                "root": Path(data["root"]),
                "settings": Settings.model_validate(data["settings"]),
                "target": Target.model_validate(data["target"]),
            },
            bundle=Bundle(run_id, Path(folder)) if run_id else None,
            controller=False,
            worker=worker,
        )


RUN = pytest.StashKey[Run]()


def suites_in(expression: str) -> tuple[str, ...]:
    """The suites that a `-m` expression selects by name."""
    named = {word for word in re.findall(r"(?:not\s+)?\w+", expression) if not word.startswith("not ")}
    return tuple(suite for suite in SUITES if suite in named)


def current_run(config: pytest.Config) -> Run | None:
    """The run under way, or None where pytest is used for something else."""
    return config.stash.get(RUN, None)


def required_run(config: pytest.Config) -> Run:
    """The run under way. Raises `UsageError` outside of one."""
    run = current_run(config)
    if run is None:
        raise UsageError(
            "this fixture belongs to a Gatehouse suite",
            next_step=f"run one with pytest -m {' | -m '.join(SUITES)}",
        )
    return run


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a pytest-xdist worker."""
    return hasattr(config, "workerinput")


def usage_error(error: GatehouseError) -> pytest.UsageError:
    """A user's mistake as pytest reports it: a message and exit code 4, without a traceback."""
    return pytest.UsageError(str(error))
