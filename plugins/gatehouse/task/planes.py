"""Further planes of the leak proof: whatever else a task may leave, each with a function that looks for it.

`task.planes` in `gatehouse.yaml` names such functions as `module:function`; the suite and `gatehouse sweep` call
the same ones. Each is given the target and the ledger's entry of what was made, and gives an `Answer`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gatehouse.core.errors import GatehouseError, UsageError
from gatehouse.core.ledger import Entry
from gatehouse.core.settings import Target


@dataclass(frozen=True)
class Answer:
    """What a plane holds: `left` names each thing, `unverified` is why nobody could look; neither means clean."""

    plane: str
    left: Sequence[str] = ()
    unverified: str = ""

    @property
    def outcome(self) -> str:
        """`clean`, `left` or `unverified`."""
        return "left" if self.left else "unverified" if self.unverified else "clean"


Plane = Callable[[Target, Entry], Answer]
Look = Callable[[], Answer]


def load_planes(names: Sequence[str]) -> list[Plane]:
    """The functions that the settings name. Raises `UsageError` for one that is not there."""
    return [_load(name) for name in names]


def looks(planes: Sequence[Plane], target: Target, made: Entry) -> list[Look]:
    """One look at each plane for what an entry says was made; a plane that fails is unverified, never clean."""
    return [partial(_look, plane, target, made) for plane in planes]


def _load(name: str) -> Plane:
    module, _, attribute = name.partition(":")
    try:
        plane: Plane = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"the plane {name!r} cannot be loaded",
            expected="module:function in task.planes, importable from where the command runs",
            seen=f"{type(error).__name__}: {error}",
            next_step="check the spelling, and that its folder is on PYTHONPATH",
        ) from error
    return plane


def _look(plane: Plane, target: Target, made: Entry) -> Answer:
    name = getattr(plane, "__name__", str(plane))
    try:
        answer = plane(target, made)
    except GatehouseError as error:
        return Answer(name, unverified=f"{error.summary}: {error.seen}" if error.seen else error.summary)
    except Exception as error:  # noqa: BLE001 - somebody else's code: whatever it raises, nobody has looked
        return Answer(name, unverified=f"{type(error).__name__}: {error}")
    if not isinstance(answer, Answer):
        return Answer(name, unverified=f"expected an Answer of gatehouse.task.planes, found {answer!r}")
    return answer
