"""The register of scenarios: a function that changes the seeded systems before they start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gatehouse.embedded.systems import Systems


@dataclass(frozen=True)
class Scenario:
    """A name, the system it is about, one line saying what is so, and the change that makes it so.

    `https_previews` says whether the gateway speaks HTTPS, which must be known before anything is seeded.
    """

    name: str
    system: str
    summary: str
    apply: Callable[[Systems], None]
    https_previews: bool = False


SCENARIOS: dict[str, Scenario] = {}

Change = Callable[[Systems], None]


def scenario(system: str, *, https_previews: bool = False) -> Callable[[Change], Change]:
    """Register a function as a scenario, named after it, described by its docstring's first line."""

    def register(change: Change) -> Change:
        name = getattr(change, "__name__", "").replace("_", "-")
        summary = (change.__doc__ or "").splitlines()[0].rstrip(".")
        SCENARIOS[name] = Scenario(name, system, summary, change, https_previews)
        return change

    return register


class UnknownScenarioError(ValueError):
    """There is no scenario of that name; the message lists those there are."""


def https_previews(names: Iterable[str]) -> bool:
    """Whether one of these scenarios has the gateway speak HTTPS."""
    return any(name in SCENARIOS and SCENARIOS[name].https_previews for name in names)


def apply(systems: Systems, names: Iterable[str]) -> None:
    """Apply scenarios in the order given. Raises `UnknownScenarioError` before anything is changed."""
    chosen = []
    for name in names:
        if name not in SCENARIOS:
            raise UnknownScenarioError(f"there is no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
        chosen.append(SCENARIOS[name])
    for each in chosen:
        each.apply(systems)


@scenario("all")
def happy(_systems: Systems) -> None:
    """Everything works; pull request 7 is previewed with its own images."""
